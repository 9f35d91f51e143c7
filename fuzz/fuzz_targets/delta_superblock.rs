//! Superblocks of static deltas, plain and signed: no panic, what decodes has sound parts, is a value in normal form and
//! is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::format::signed;
use osier_delta::format::superblock::{NewSuperblock, Superblock};
use osier_gv::{Dict, Type, check_normal_form, frame};

const TYPE: &str = "(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))";

fuzz_target!(|data: &[u8]| {
    let Ok((plain, signatures)) = signed::open(data) else {
        return;
    };
    if let Some(signatures) = signatures {
        assert_eq!(signed::seal(plain.to_vec(), &signatures), data);
    }
    let Ok(superblock) = Superblock::decode(plain.to_vec()) else {
        return;
    };
    check_normal_form(&Type::parse(TYPE).unwrap(), plain).unwrap();
    for i in 0..superblock.parts.len() {
        let _ = superblock.inline_part(i);
    }
    let _ = superblock.commitmeta();
    let _ = superblock.order.to_string();
    if superblock.prerequisites > 0 {
        return;
    }
    let v = frame::Member::VARIANT;
    let b = frame::Member::BYTES;
    let [metadata, ..] = frame::tuple(plain, [v, frame::Member::U64, b, b, v, b, v, v]).unwrap();
    let again = NewSuperblock {
        metadata: &Dict::decode(metadata).unwrap(),
        timestamp: superblock.timestamp,
        name: superblock.name,
        commit: superblock.commit(),
        endianness: superblock.order.endianness(),
        parts: &superblock.parts,
        fallbacks: &superblock.fallbacks,
    };
    assert_eq!(again.encode(), plain);
});
