#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_sign::openpgp::{Keyring, MAX_SIGNATURES, describe_all, verify};

// A keyring and a signature, told apart by two bytes in front. All of it may come from a server.
fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_at_checked(2) else {
        return;
    };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let (keys, signature) = rest.split_at(length.min(rest.len()));
    let keys = Keyring::from_bytes(keys).unwrap_or_default();
    let written = keys.to_bytes();
    let again = Keyring::from_bytes(&written).expect("what we write, we read");
    assert_eq!(again.to_bytes(), written);
    let _ = keys.list(1_795_700_000);
    if let Ok(reports) = verify(&keys, b"data", &[signature], 1_795_700_000) {
        assert!(!reports.is_empty() && reports.len() <= MAX_SIGNATURES);
        let _ = describe_all(&reports, "Found", "", 1_795_700_000, &|seconds| seconds.to_string());
    }
});
