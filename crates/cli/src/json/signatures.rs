//! What GPG signatures are worth, as `show --json` tells it.

use osier_sign::openpgp::{Report, Verdict};
use serde::Serialize;

/// One signature.
#[derive(Debug, Serialize)]
pub struct Signature {
    valid: bool,
    verdict: &'static str,
    fingerprint: String,
    primary_fingerprint: Option<String>,
    algorithm: &'static str,
    created: u64,
    expires: Option<u64>,
    key_expires: Option<u64>,
    primary_key_expires: Option<u64>,
    name: Option<String>,
    email: Option<String>,
}

impl From<Report> for Signature {
    fn from(report: Report) -> Signature {
        let (name, email) = report
            .user
            .clone()
            .map(|user| (user.name, user.email))
            .unzip();
        Signature {
            valid: report.is_valid(),
            verdict: word(report.verdict),
            fingerprint: report.fingerprint,
            primary_fingerprint: report.primary,
            algorithm: report.algorithm,
            created: report.created,
            expires: report.expires,
            key_expires: report.key_expires,
            primary_key_expires: report.primary_expires,
            name,
            email,
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::MissingKey => "missing-key",
        Verdict::RevokedKey => "revoked-key",
        Verdict::ExpiredSignature => "expired-signature",
        Verdict::ExpiredKey => "expired-key",
        Verdict::Bad => "bad",
        // Whatever comes to be told apart later proves nothing either.
        _ => "refused",
    }
}
