//! No input panics; what is written is read back.

use osier_keyfile::KeyFile;
use proptest::prelude::*;

/// Bytes that look like a key file more often than chance.
fn source() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"[a]".to_vec()),
        Just(b"[b]\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"x=".to_vec()),
        Just(b"y = 1;\\;2\n".to_vec()),
        Just(b"# c\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"Encoding=".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_bytes(data in source()) {
        if let Ok(file) = KeyFile::parse(&data) {
            let saved = file.to_bytes();
            let again = KeyFile::parse(&saved).unwrap();
            prop_assert_eq!(again.to_bytes(), saved);
            for group in file.groups() {
                for key in file.keys(group).unwrap() {
                    let _ = file.string(group, key);
                    let _ = file.string_list(group, key);
                    let _ = file.boolean(group, key);
                    let _ = file.int32(group, key);
                    let _ = file.int64(group, key);
                    let _ = file.uint64(group, key);
                }
            }
        }
    }

    #[test]
    fn strings_come_back(
        value in "[^\0]*",
        list in prop::collection::vec("[^\0]{0,8}", 0..5),
    ) {
        let mut file = KeyFile::new();
        file.set_string("g", "s", &value).unwrap();
        file.set_string_list("g", "l", &list).unwrap();
        let file = KeyFile::parse(&file.to_bytes()).unwrap();
        prop_assert_eq!(file.string("g", "s").unwrap(), value);
        prop_assert_eq!(file.string_list("g", "l").unwrap(), list);
    }
}
