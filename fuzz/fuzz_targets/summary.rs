#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::Summary;

fuzz_target!(|data: &[u8]| {
    if let Ok(summary) = Summary::decode(data) {
        let again = summary.encode();
        // Sorting moves the padding between refs.
        if summary.refs.is_sorted_by(|a, b| a.name <= b.name) {
            assert_eq!(again, data);
        }
        for (_, value) in summary.metadata.iter() {
            assert!(!value.type_string().is_empty());
        }
        let _ = summary.collection_map();
    }
});
