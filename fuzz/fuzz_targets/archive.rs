#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_archive::{Archive, Kind, MAX_NAME, MAX_XATTRS};
use std::io::{Cursor, Read};

/// What may be unpacked of one input: holes and compressed zeros are cheap to claim.
const ENOUGH: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Ok(mut archive) = Archive::open(Cursor::new(data.to_vec())) else {
        return;
    };
    let mut left = ENOUGH;
    while let Ok(Some(entry)) = archive.next_entry() {
        assert!(entry.path.len() as u64 <= MAX_NAME + 512);
        assert!(entry.mode <= 0o7777);
        let attributes = entry.xattrs.iter().map(|(n, v)| n.len() + v.len());
        assert!(attributes.sum::<usize>() as u64 <= MAX_XATTRS);
        if matches!(entry.kind, Kind::Directory | Kind::Symlink(_) | Kind::Other) {
            assert_eq!(entry.size, 0);
        }
        let mut content = Vec::new();
        let read = archive.body().take(left).read_to_end(&mut content);
        if read.is_ok() && entry.size < left {
            assert_eq!(content.len() as u64, entry.size, "as long as announced");
        }
        left = left.saturating_sub(content.len() as u64 + 1);
        if left == 0 {
            return;
        }
    }
    let _ = archive.finish(left);
});
