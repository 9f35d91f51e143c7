//! Indexes of static deltas: no panic, and what decodes names deltas as it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::format::index;
use osier_gv::{Type, check_normal_form};

fuzz_target!(|data: &[u8]| {
    let Ok(deltas) = index::decode(data) else {
        return;
    };
    let ty = Type::parse("a{sv}").unwrap();
    check_normal_form(&ty, data).unwrap();
    for (name, digest) in deltas {
        assert_eq!(name, name.to_string().parse().unwrap());
        // The name leads nowhere but into the folder of deltas, and the digest is in the bytes.
        let path = name.path();
        assert!(
            path.starts_with("deltas/") && !path.contains("..") && path.matches('/').count() == 2
        );
        assert!(data.windows(32).any(|raw| raw == digest.as_bytes()));
    }
});
