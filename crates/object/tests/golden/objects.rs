//! Single objects.

use osier_object::{Checksum, Dirmeta, Dirtree, FileHeader, hash, tombstone};

use crate::tree::{content_id, sample, xattrs};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn files() {
    let plain = FileHeader::regular(0, 0, 0o644);
    for (header, payload, id) in [
        (
            plain.clone(),
            &b"hello world\n"[..],
            "81381808c56d4f3d643ec12f6a18fcf2993af8daba7c2a1b2cbfc315b39424c6",
        ),
        (
            plain,
            b"",
            "cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e",
        ),
        (
            FileHeader::regular(1000, 1001, 0o644),
            b"o",
            "5613f5f62d3aa45ff0c5e06f09f7ed009d3767c19ed898b6e1f934b7de340fbb",
        ),
        (
            FileHeader::symlink(0, 0, "hello.txt"),
            b"",
            "f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35",
        ),
    ] {
        assert_eq!(content_id(&header, payload).to_string(), id);
    }
}

#[test]
fn file_with_xattrs() {
    let (_, header, payload) = sample().files.swap_remove(9);
    assert_eq!(
        content_id(&header, payload).to_string(),
        "6ac3de2d90a1d2b6079f300191584778a8726c6388f7159b3abb827203bd110f"
    );
    let ostreemeta = header.encode_ostreemeta();
    assert_eq!(
        hex(&ostreemeta),
        "0000000000000000000081a4757365722e616c706861000001020b757365722e7a6564006c617374090f1d"
    );
    assert_eq!(FileHeader::decode_ostreemeta(&ostreemeta).unwrap(), header);
}

#[test]
fn filez() {
    let header = FileHeader::regular(0, 0, 0o644);
    let mut stream = header.archive_framing(12);
    stream.extend([
        0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0x28, 0xcf, 0x2f, 0xca, 0x49, 0xe1, 0x02, 0x00,
    ]);
    assert_eq!(
        hex(&stream),
        "0000001a00000000000000000000000c0000000000000000000081a4000000000019\
         cb48cdc9c95728cf2fca49e10200"
    );
    let (variant, deflated) = FileHeader::split_framing(&stream).unwrap();
    assert_eq!(
        FileHeader::parse_archive_header(variant).unwrap(),
        (header, 12)
    );
    assert_eq!(deflated.len(), 14);
}

#[test]
fn directories() {
    assert_eq!(
        Dirmeta::new(0, 0, 0o755).id().to_string(),
        "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"
    );
    let mut meta = Dirmeta::new(0, 0, 0o700);
    meta.xattrs = xattrs(&[("user.dirx", b"d")]);
    assert_eq!(
        meta.id().to_string(),
        "a89df078dbb11c72a2871f2a189240eef0a9c2d43e315f91990614f5e81d3cfa"
    );
    assert_eq!(Dirtree::default().encode(), [0]);
    assert_eq!(
        Dirtree::default().id().to_string(),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(
        sample().ids().0.to_string(),
        "cd9d14484997acd6e27c43fb7e5fe53593c1a0f5392557faea6804390be39fbf"
    );
}

#[test]
fn modified_base64() {
    let checksum: Checksum = "6d5c963675e761ebe579037a6335f9ed699928629cf462efdf7828d81b2dd033"
        .parse()
        .unwrap();
    let text = "bVyWNnXnYevleQN6YzX57WmZKGKc9GLv33go2Bst0DM";
    assert_eq!(checksum.modified_base64(), text);
    assert_eq!(Checksum::from_modified_base64(text), Some(checksum));
}

#[test]
fn tombstones() {
    let commit = hash(b"gone").into();
    let bytes = tombstone::encode(&commit);
    let mut expected = b"commit\0\0".to_vec();
    expected.extend(commit.to_hex().bytes());
    expected.extend(b"\0\0ay\x07\x4d");
    assert_eq!(bytes, expected);
    assert_eq!(bytes.len(), 78);
    assert_eq!(tombstone::decode(&bytes).unwrap(), commit);
}
