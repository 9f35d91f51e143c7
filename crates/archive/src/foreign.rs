//! Archives that are recognised only to say what they are.

/// What kind of archive begins with `head`, of those that are not read.
pub(crate) fn name(head: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a zip archive"),
        (b"PK\x05\x06", "a zip archive"),
        (b"PK\x07\x08", "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"!<arch>\n", "an ar archive"),
        (b"xar!", "a xar archive"),
        (b"MSCF\0\0\0\0", "a cabinet"),
        (b"#mtree", "an mtree specification"),
        (b"WARC/", "a web archive"),
        (b"\xed\xab\xee\xdb", "an RPM package"),
        (b"\x89LZO\0\r\n\x1a\n", "lzop data"),
        (b"LRZI", "lrzip data"),
        (b"begin ", "uuencoded data"),
        (b"begin-base64 ", "base64 data"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, name)| *name)
}
