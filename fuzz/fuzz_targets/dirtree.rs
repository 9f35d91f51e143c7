#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::Dirtree;

fuzz_target!(|data: &[u8]| {
    if let Ok(tree) = Dirtree::decode(data) {
        // The order is not checked on reading but made on writing.
        let again = tree.encode();
        assert_eq!(again.len(), data.len());
        if tree.files.is_sorted_by(|a, b| a.0 <= b.0) && tree.dirs.is_sorted_by(|a, b| a.0 <= b.0) {
            assert_eq!(again, data);
        }
        assert!(Dirtree::decode(&again).is_ok());
    }
});
