//! What was found of signatures, in the words of the C tool.

use super::{Report, Verdict};

/// The lines for one signature, without a line feed at the end. `date` writes a time (seconds since 1970) as the reader
/// is used to; `now` decides between `expires` and `expired`.
#[must_use]
pub fn describe(report: &Report, indent: &str, now: u64, date: &dyn Fn(u64) -> String) -> String {
    let mut lines = Vec::new();
    // What a bad signature says of itself proves nothing.
    let (created, algorithm) = match report.verdict {
        Verdict::Bad => (0, "[unknown name]"),
        _ => (report.created, report.algorithm),
    };
    lines.push(format!(
        "Signature made {} using {algorithm} key ID {}",
        date(created),
        key_id(&report.fingerprint)
    ));
    let (name, email) = match &report.user {
        Some(user) => (user.name.as_str(), user.email.as_str()),
        None => ("[unknown name]", "[unknown email]"),
    };
    lines.push(match report.verdict {
        Verdict::MissingKey => "Can't check signature: public key not found".to_owned(),
        Verdict::Good => format!("Good signature from \"{name} <{email}>\""),
        Verdict::RevokedKey => "Key revoked".to_owned(),
        Verdict::ExpiredSignature => format!("Expired signature from \"{name} <{email}>\""),
        Verdict::ExpiredKey | Verdict::Bad | Verdict::Refused => {
            format!("BAD signature from \"{name} <{email}>\"")
        }
    });
    let of_subkey = report
        .primary
        .as_ref()
        .filter(|primary| **primary != report.fingerprint || report.verdict == Verdict::Bad);
    if let Some(primary) = of_subkey {
        lines.push(format!("Primary key ID {}", key_id(primary)));
    }
    let mut expiry = |what: &str, time: Option<u64>| {
        if let Some(time) = time {
            let verb = if time > now { "expires" } else { "expired" };
            lines.push(format!("{what} {verb} {}", date(time)));
        }
    };
    let known = !matches!(report.verdict, Verdict::Bad | Verdict::RevokedKey);
    expiry("Signature", report.expires.filter(|_| known));
    expiry("Key", report.key_expires.filter(|_| known));
    let subkey = of_subkey.is_some() && known;
    expiry("Primary key", report.primary_expires.filter(|_| subkey));
    for line in &mut lines {
        line.insert_str(0, indent);
    }
    lines.join("\n")
}

/// A block for all signatures: `Found 2 signatures on the summary:` and what each is worth. `found` stands before the
/// number, `of` behind it.
#[must_use]
pub fn describe_all(
    reports: &[Report],
    found: &str,
    of: &str,
    now: u64,
    date: &dyn Fn(u64) -> String,
) -> String {
    let plural = if reports.len() == 1 { "" } else { "s" };
    let mut text = format!("{found} {} signature{plural}{of}:\n", reports.len());
    for report in reports {
        text.push('\n');
        text.push_str(&describe(report, "  ", now, date));
        text.push('\n');
    }
    text
}

fn key_id(fingerprint: &str) -> &str {
    &fingerprint[fingerprint.len().saturating_sub(16)..]
}
