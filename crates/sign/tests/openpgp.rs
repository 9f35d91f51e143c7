//! Keys and signatures made by GnuPG 2.4, each case with what GnuPG and the C tool made of it.

use osier_sign::openpgp::{self, Keyring, Verdict, describe_all, verify};
use proptest::prelude::*;
use std::path::PathBuf;

/// A moment in November 2026, after all signatures but those of the future.
const NOW: u64 = 1_795_700_000;

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    std::fs::read(path).unwrap()
}

fn keys() -> Keyring {
    Keyring::from_bytes(&golden("keys.gpg")).unwrap()
}

fn verdict(name: &str) -> Verdict {
    let signature = golden(&format!("{name}.sig"));
    let reports = verify(&keys(), &golden("data"), &[&signature], NOW).unwrap();
    assert_eq!(reports.len(), 1, "{name}");
    assert_eq!(reports[0].is_valid(), reports[0].verdict == Verdict::Good);
    reports[0].verdict
}

#[test]
fn each_signature_is_worth_what_gnupg_says() {
    for (name, expected) in [
        ("rsa", Verdict::Good),
        ("eddie", Verdict::Good),
        ("dsa", Verdict::Good),
        ("ec", Verdict::Good),
        ("text", Verdict::Good),
        ("sha1", Verdict::Good),
        ("armor", Verdict::Good),
        ("exp", Verdict::Good),
        ("future", Verdict::Good),
        ("twoprim", Verdict::Good),
        ("uidrev", Verdict::Good),
        ("srev1", Verdict::Good),
        ("md5", Verdict::Refused),
        ("bad", Verdict::Bad),
        ("expired", Verdict::ExpiredSignature),
        ("oldexp", Verdict::ExpiredKey),
        ("sub", Verdict::ExpiredKey),
        ("primexp", Verdict::ExpiredKey),
        ("primexp1", Verdict::ExpiredKey),
        ("exprev", Verdict::ExpiredKey),
        ("rev", Verdict::RevokedKey),
        ("srev", Verdict::RevokedKey),
        ("future2", Verdict::MissingKey),
    ] {
        assert_eq!(verdict(name), expected, "{name}");
    }
}

#[test]
fn keys_expire_while_time_passes() {
    let signature = golden("eddie.sig");
    let at = |now| verify(&keys(), &golden("data"), &[&signature], now).unwrap()[0].clone();
    let expiry = at(NOW).key_expires.unwrap();
    assert_eq!(at(expiry - 1).verdict, Verdict::Good);
    assert_eq!(at(expiry).verdict, Verdict::ExpiredKey);
    let signature = golden("exp.sig");
    let at = |now| verify(&keys(), &golden("data"), &[&signature], now).unwrap()[0].clone();
    let expiry = at(NOW).expires.unwrap();
    assert_eq!(at(expiry - 1).verdict, Verdict::Good);
    assert_eq!(at(expiry).verdict, Verdict::ExpiredSignature);
}

/// One after the other, whatever the others are worth.
#[test]
fn several_signatures_are_judged_each_for_itself() {
    let (bad, rsa, expired) = (golden("bad.sig"), golden("rsa.sig"), golden("expired.sig"));
    let together = [bad.as_slice(), &expired].concat();
    let reports = verify(&keys(), &golden("data"), &[&together, &rsa], NOW).unwrap();
    let verdicts: Vec<Verdict> = reports.iter().map(|report| report.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Bad, Verdict::ExpiredSignature, Verdict::Good]
    );
}

#[test]
fn what_is_no_signature_is_an_error() {
    let check = |signatures: &[&[u8]]| verify(&keys(), &golden("data"), signatures, NOW);
    let rsa = golden("rsa.sig");
    for bytes in [
        &golden("garbage.sig"),
        &golden("keys.gpg"),
        &golden("data"),
        &rsa[..40],
    ] {
        assert_eq!(check(&[bytes]), Err(openpgp::Error::NoData));
        assert_eq!(check(&[&rsa, bytes]), Err(openpgp::Error::NoData));
    }
    assert_eq!(check(&[b""]), Err(openpgp::Error::NoData));
    assert_eq!(check(&[]), Err(openpgp::Error::NoData));
    let many = vec![rsa.as_slice(); openpgp::MAX_SIGNATURES + 1];
    assert_eq!(
        verify(&Keyring::new(), b"", &many, NOW),
        Err(openpgp::Error::TooMany)
    );
}

#[test]
fn the_words_are_those_of_the_c_tool() {
    let text = |name: &str| {
        let reports = verify(&keys(), &golden("data"), &[&golden(name)], NOW).unwrap();
        describe_all(&reports, "Found", "", NOW, &|seconds| format!("@{seconds}"))
    };
    assert_eq!(
        text("eddie.sig"),
        "Found 1 signature:\n\n  \
         Signature made @1795675035 using EdDSA key ID CC7756DC945C132F\n  \
         Good signature from \"Eddie <ed@Example.COM>\"\n  \
         Primary key ID 5FE762573F7D6D10\n  \
         Key expires @1858747018\n  \
         Primary key expires @1858747018\n"
    );
    assert!(text("sub.sig").ends_with("  Key expired @1583020800\n"));
    assert!(text("rev.sig").ends_with("  Key revoked\n"));
    assert!(text("bad.sig").contains("Signature made @0 using [unknown name] key ID"));
    assert!(text("future2.sig").ends_with("  Can't check signature: public key not found\n"));
}

#[test]
fn keyrings_are_merged_and_written_back() {
    let all = keys();
    assert!(all.len() > 10);
    let again = Keyring::from_bytes(&all.to_bytes()).unwrap();
    assert_eq!(again.to_bytes(), all.to_bytes());
    assert_eq!(again.list(NOW), all.list(NOW));
    let bob = Keyring::from_bytes(&golden("bob.asc")).unwrap();
    assert_eq!(bob.len(), 1);
    let mut merged = bob.clone();
    assert_eq!(merged.merge(bob.clone()), 0);
    assert_eq!(merged.to_bytes(), bob.to_bytes());
    assert_eq!(merged.merge(all.clone()), all.len() - 1);
    for name in [
        "bob@example.com",
        "990DC92886B01A05",
        "0x86B01A05",
        "Bob B",
        "<BOB@example.com>",
    ] {
        assert_eq!(all.select(name).to_bytes(), bob.to_bytes(), "{name}");
    }
    // A subkey leads to its primary key.
    assert_eq!(all.select("CC7756DC945C132F").len(), 1);
    assert!(all.select("nobody@example.com").is_empty());
}

/// A later import of the same key takes a revocation along, and cannot take it back.
#[test]
fn a_revocation_stays() {
    let all = keys();
    let revoked = all.select("rev@x.org");
    let signature = golden("rev.sig");
    let mut merged = Keyring::new();
    merged.merge(revoked.clone());
    merged.merge(all);
    let report = &verify(&merged, &golden("data"), &[&signature], NOW).unwrap()[0];
    assert_eq!(report.verdict, Verdict::RevokedKey);
}

/// A key may name another that can revoke it; without that other nobody can tell.
#[test]
fn a_revoker_that_the_key_names_revokes_it() {
    let both = Keyring::from_bytes(&golden("victim.gpg")).unwrap();
    let check = |keys: &Keyring| {
        verify(keys, &golden("data"), &[&golden("victim.sig")], NOW).unwrap()[0].verdict
    };
    assert_eq!(check(&both), Verdict::RevokedKey);
    assert_eq!(check(&both.select("victim@x.org")), Verdict::Good);
    let mut stranger = both.select("victim@x.org");
    stranger.merge(keys());
    assert_eq!(check(&stranger), Verdict::Good);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Nobody signed other bytes.
    #[test]
    fn no_signature_fits_changed_data(position in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut data = golden("data");
        let position = position.index(data.len());
        data[position] ^= 1_u8 << bit;
        for name in ["rsa.sig", "eddie.sig"] {
            let reports = verify(&keys().select("ed@example.com"), &data, &[&golden(name)], NOW).unwrap();
            prop_assert!(!reports[0].is_valid());
        }
    }

    /// Damaged signatures and keys are refused in peace.
    #[test]
    fn damage_is_survived(
        position in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let data = golden("data");
        let mut keyring = keys().select("ed@example.com").to_bytes();
        let mut signature = golden("eddie.sig");
        let at = position.index(signature.len());
        signature[at] = byte;
        let whole = Keyring::from_bytes(&keyring).unwrap();
        let _ = verify(&whole, &data, &[&signature], NOW);
        let at = position.index(keyring.len());
        keyring[at] = byte;
        if let Ok(damaged) = Keyring::from_bytes(&keyring) {
            let _ = verify(&damaged, &data, &[&golden("eddie.sig")], NOW);
            let _ = damaged.list(NOW);
        }
        let _ = Keyring::from_bytes(&keyring[..cut.index(keyring.len())]);
    }
}
