#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::FileHeader;

fuzz_target!(|data: &[u8]| {
    // A `.filez` or content stream from its first byte.
    let Ok((variant, _)) = FileHeader::split_framing(data) else {
        return;
    };
    if let Ok(header) = FileHeader::parse_header(variant) {
        let again = header.hash_framing();
        assert_eq!(FileHeader::parse_header(&again[8..]), Ok(header));
    }
    if let Ok((header, size)) = FileHeader::parse_archive_header(variant) {
        let again = header.archive_framing(size);
        assert_eq!(
            FileHeader::parse_archive_header(&again[8..]),
            Ok((header, size))
        );
    }
});
