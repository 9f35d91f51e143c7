//! Checksums and object names.

use osier_object::{Checksum, CommitId, ObjectName, ObjectType, hash};
use proptest::prelude::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn checksum_text_is_strict() {
    let checksum: Checksum = EMPTY.parse().unwrap();
    assert_eq!(checksum, hash(b""));
    assert_eq!(checksum.to_string(), EMPTY);
    assert_eq!(format!("{checksum:?}"), EMPTY);
    let upper = EMPTY.to_uppercase();
    let error = upper.parse::<Checksum>().unwrap_err().to_string();
    assert_eq!(error, format!("Invalid character '69' in rev '{upper}'"));
    for bad in ["", "zz", &EMPTY[1..], &format!("{EMPTY}0")] {
        let error = bad.parse::<CommitId>().unwrap_err().to_string();
        assert_eq!(error, format!("Invalid rev {bad}"));
    }
    assert!(Checksum::from_bytes(&[0; 31]).is_err());
}

#[test]
fn base64_is_strict() {
    let text = hash(b"").modified_base64();
    assert_eq!(text.len(), 43);
    assert!(Checksum::from_modified_base64(&text[1..]).is_none());
    assert!(Checksum::from_modified_base64(&format!("/{}", &text[1..])).is_none());
    // The last character carries four bits only.
    assert!(Checksum::from_modified_base64(&"A".repeat(43)).is_some());
    assert!(Checksum::from_modified_base64(&format!("{}B", "A".repeat(42))).is_none());
    let all_ones = Checksum([0xff; 32]).modified_base64();
    assert_eq!(all_ones, format!("{}8", "_".repeat(42)));
}

#[test]
fn types_have_their_names_and_numbers() {
    let names = [
        "file",
        "dirtree",
        "dirmeta",
        "commit",
        "tombstone-commit",
        "commitmeta",
        "payload-link",
        "file-xattrs",
        "file-xattrs-link",
    ];
    for (index, ty) in ObjectType::ALL.into_iter().enumerate() {
        assert_eq!(ty as usize, index + 1);
        assert_eq!(ty.name(), names[index]);
        assert_eq!(ObjectType::from_name(names[index]), Some(ty));
        assert_eq!(ObjectType::from_id(index as u8 + 1), Some(ty));
        assert_eq!(ty.is_metadata(), (2..=6).contains(&(index + 1)));
    }
    assert_eq!(ObjectType::from_id(0), None);
    assert_eq!(ObjectType::from_name("filez"), None);
}

#[test]
fn loose_paths() {
    let name = ObjectName::new(hash(b""), ObjectType::File);
    let path = format!("e3/{}.file", &EMPTY[2..]);
    assert_eq!(name.loose_path(false), path);
    assert_eq!(name.loose_path(true), format!("{path}z"));
    let commit = ObjectName::new(hash(b""), ObjectType::Commit);
    assert_eq!(commit.loose_path(true), commit.loose_path(false));
    for (prefix, file_name) in [
        ("e3", "short.file"),
        ("e3", &path[3..68] as &str),
        ("E3", &path[3..]),
        ("e", &path[3..]),
        ("é", &path[3..]),
        ("e3", ".file"),
        ("e3", &format!("{}.commitz", &EMPTY[2..])),
        ("e3", &format!("{}.tmp", &EMPTY[2..])),
    ] {
        assert_eq!(
            ObjectName::from_loose(prefix, file_name),
            None,
            "{file_name}"
        );
    }
}

fn object_name() -> impl Strategy<Value = ObjectName> {
    (any::<[u8; 32]>(), 0..9usize)
        .prop_map(|(bytes, ty)| ObjectName::new(Checksum(bytes), ObjectType::ALL[ty]))
}

proptest! {
    #[test]
    fn names_come_back(name in object_name(), archive: bool) {
        prop_assert_eq!(name.to_string().parse::<ObjectName>().unwrap(), name);
        let path = name.loose_path(archive);
        let (prefix, file_name) = path.split_once('/').unwrap();
        let z = archive && !name.ty.is_metadata();
        prop_assert_eq!(ObjectName::from_loose(prefix, file_name), Some((name, z)));
        let text = name.checksum.modified_base64();
        prop_assert_eq!(Checksum::from_modified_base64(&text), Some(name.checksum));
    }

    #[test]
    fn any_text(text in "[0-9a-f]{60,66}|.{0,80}", prefix in "[0-9a-f]{2}|.{0,3}") {
        if let Ok(checksum) = text.parse::<Checksum>() {
            prop_assert_eq!(checksum.to_string(), &text[..]);
        }
        if let Some(checksum) = Checksum::from_modified_base64(&text) {
            prop_assert_eq!(checksum.modified_base64(), &text[..]);
        }
        if let Some((name, archive)) = ObjectName::from_loose(&prefix, &text) {
            prop_assert_eq!(name.loose_path(archive), format!("{prefix}/{text}"));
        }
        let _ = text.parse::<ObjectName>();
    }
}
