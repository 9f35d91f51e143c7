//! Superblocks of static deltas, plain and signed: no panic, and what decodes has sound parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::format::{signed, superblock::Superblock};

fuzz_target!(|data: &[u8]| {
    let Ok((plain, _)) = signed::open(data) else {
        return;
    };
    if let Ok(superblock) = Superblock::decode(plain.to_vec()) {
        for i in 0..superblock.parts.len() {
            let _ = superblock.inline_part(i);
        }
        let _ = superblock.commitmeta();
        let _ = superblock.order.to_string();
    }
    let _ = osier_delta::format::index::decode(data);
});
