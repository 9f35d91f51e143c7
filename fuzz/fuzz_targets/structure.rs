#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::{ObjectType, tombstone, validate};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the object's type.
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let ty = ObjectType::ALL[usize::from(*first) % ObjectType::ALL.len()];
    let _ = validate::structure(ty, bytes);
    let _ = tombstone::decode(bytes);
});
