#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::FileHeader;

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = FileHeader::decode_ostreemeta(data) {
        let again = header.encode_ostreemeta();
        assert_eq!(FileHeader::decode_ostreemeta(&again), Ok(header));
    }
});
