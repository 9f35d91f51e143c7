#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::{Commit, sizes};

fuzz_target!(|data: &[u8]| {
    if let Ok(commit) = Commit::decode(data) {
        assert_eq!(commit.encode(), data);
        // Values are built on demand.
        for (_, value) in commit.metadata.iter() {
            let _ = sizes::decode(value);
        }
        assert_eq!(commit.encode(), data);
    }
});
