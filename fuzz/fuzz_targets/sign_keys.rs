#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_sign::api::{Kind, SecretKey, TrustedKeys};

// A file with keys; the first byte tells their type. Public ones come with remotes, secret ones from their owner: what the
// program takes for a key must sign, and the public key that it tells must judge.
fuzz_target!(|input: &[u8]| {
    let Some((kind, file)) = input.split_first() else {
        return;
    };
    let kind = Kind::ALL[usize::from(kind % 3)];
    let mut trusted = TrustedKeys::new(kind);
    assert_eq!(trusted.add_file(file).is_ok(), !trusted.is_empty());
    let mut revoked = trusted.clone();
    if revoked.revoke_file(file).is_ok() {
        assert!(revoked.verify(b"data", &[&[0; 64]]).is_err());
    }
    let _ = trusted.verify(b"data", &[&[0; 64]]);
    let Ok(secrets) = SecretKey::from_file(kind, file) else {
        return;
    };
    for secret in secrets.iter().take(2) {
        let (Ok(public), Ok(signature)) = (secret.public_text(), secret.sign(b"data")) else {
            continue;
        };
        let mut own = TrustedKeys::new(kind);
        own.add(&public).expect("what we write, we read");
        own.verify(b"data", &[&signature]).expect("what we sign, we accept");
        assert!(own.verify(b"other", &[&signature]).is_err());
    }
});
