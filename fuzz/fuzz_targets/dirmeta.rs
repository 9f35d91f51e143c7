#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::Dirmeta;

fuzz_target!(|data: &[u8]| {
    if let Ok(meta) = Dirmeta::decode(data) {
        assert_eq!(meta.encode(), data);
    }
});
