#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_gv::{Value, text};

fuzz_target!(|data: &[u8]| {
    let Ok(input) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(value) = text::parse(input, None) {
        let bytes = value.encode();
        let ty = value.ty();
        assert!(Value::decode(&ty, &bytes).is_ok());
        // Printed text parses to what it was printed from, but for subnormal doubles.
        let printed = text::print(&value, true);
        if let Ok(again) = text::parse(&printed, Some(&ty)) {
            assert_eq!(text::print(&again, true), printed);
        }
    }
});
