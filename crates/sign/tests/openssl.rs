//! The sign API's keys and signatures beside OpenSSL's: what one signs the other verifies.

use osier_sign::api::{Kind, SecretKey, TrustedKeys};
use std::fs;
use std::path::Path;
use std::process::Command;

/// An algorithm as `openssl genpkey` names it, and what `pkeyutl` must be told to hash as the sign API does.
const ALGORITHMS: [(&[&str], &[&str]); 6] = [
    (&["ed25519"], &[]),
    (&["ed448"], &[]),
    (
        &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        &["-digest", "sha256"],
    ),
    (
        &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-digest", "sha256"],
    ),
    (
        &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-digest", "sha256"],
    ),
    (
        &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-digest", "sha256"],
    ),
];

fn openssl(dir: &Path, args: &[&str]) -> bool {
    Command::new("openssl")
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("openssl (Debian package openssl): {e}"))
        .status
        .success()
}

#[test]
fn openssl_verifies_ours_and_we_verify_its() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("data"), b"a commit").unwrap();
    for (algorithm, hash) in ALGORITHMS {
        let run = |args: &[&str]| openssl(dir.path(), args);
        let generate = ["genpkey", "-out", "key", "-algorithm"];
        assert!(run(&[&generate[..], algorithm].concat()), "{algorithm:?}");
        assert!(run(&["pkey", "-in", "key", "-pubout", "-out", "public"]));
        let secret = SecretKey::from_file(Kind::Spki, &fs::read(path("key")).unwrap()).unwrap();
        let mut trusted = TrustedKeys::new(Kind::Spki);
        trusted
            .add_file(&fs::read(path("public")).unwrap())
            .unwrap();

        // Signatures with random numbers differ, and now and then in length.
        for round in 0..4 {
            fs::write(path("ours"), secret[0].sign(b"a commit").unwrap()).unwrap();
            let verify = [
                "pkeyutl", "-verify", "-pubin", "-inkey", "public", "-rawin", "-in", "data",
                "-sigfile", "ours",
            ];
            assert!(run(&[&verify[..], hash].concat()), "{algorithm:?} {round}");

            let sign = [
                "pkeyutl", "-sign", "-inkey", "key", "-rawin", "-in", "data", "-out", "theirs",
            ];
            assert!(run(&[&sign[..], hash].concat()), "{algorithm:?} {round}");
            let theirs = fs::read(path("theirs")).unwrap();
            trusted.verify(b"a commit", &[&theirs]).unwrap();
            assert!(trusted.verify(b"a commot", &[&theirs]).is_err());
        }
    }
}
