//! Parts of static deltas: the payload as it is, its operations, and patches in its blob. No panic, and a patch makes
//! what is asked for or fails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::bsdiff::PatchReader;
use osier_delta::format::{compression, part::Part};
use osier_object::ObjectType;
use std::io::Read;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else {
        return;
    };
    let mut new = Vec::new();
    let size = u64::from(kind) * 16;
    if PatchReader::new(rest, rest, size)
        .read_to_end(&mut new)
        .is_ok()
    {
        assert_eq!(new.len() as u64, size);
    }
    let Ok(bytes) = compression::unpack(data, 1 << 20, &std::env::temp_dir()) else {
        return;
    };
    let Ok(part) = Part::decode(bytes) else {
        return;
    };
    for i in 0..part.owners().max(part.xattr_sets()).min(1000) + 1 {
        let _ = part.header(i, i);
    }
    for object in [ObjectType::File, ObjectType::Dirtree] {
        let mut ops = part.ops();
        while let Ok(Some(_)) = ops.next(Some(object)) {}
    }
});
