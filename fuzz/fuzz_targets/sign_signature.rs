#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_sign::api::{Kind, TrustedKeys};
use std::sync::LazyLock;

/// Public keys of every algorithm, of which nobody has the secret ones at hand.
static KEYS: LazyLock<[TrustedKeys; 2]> = LazyLock::new(|| {
    [Kind::Ed25519, Kind::Spki].map(|kind| {
        let mut keys = TrustedKeys::new(kind);
        let file: &[u8] = match kind {
            Kind::Ed25519 => include_bytes!("keys/ed25519"),
            _ => include_bytes!("keys/spki.pem"),
        };
        keys.add_file(file).expect("good keys");
        keys
    })
});

// The signature that stands beside a commit: a stranger's bytes, judged by good keys. None of them signed "data".
fuzz_target!(|signature: &[u8]| {
    for keys in &*KEYS {
        assert!(keys.verify(b"data", &[signature]).is_err());
    }
});
