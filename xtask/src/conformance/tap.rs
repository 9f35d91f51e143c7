//! Reading the Test Anything Protocol as the installed scripts speak it: `ok` and `not ok` lines with or
//! without numbers, a plan before or after them, `# SKIP` on a line or on the plan.

/// What one script reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that passed.
    pub ok: u32,
    /// Cases that failed.
    pub not_ok: u32,
    /// Cases that the script skipped.
    pub skip: u32,
    /// The number of cases announced; `None` without a plan line.
    pub plan: Option<u32>,
    /// The reason, when the script skipped itself as a whole.
    pub skip_all: Option<String>,
    /// What each `not ok` line said.
    pub failures: Vec<String>,
    /// What the last `ok` line said: the failure lies behind it.
    pub last_ok: Option<String>,
}

impl Tally {
    /// Whether every announced case was run and none failed.
    pub fn is_whole(&self) -> bool {
        self.not_ok == 0
            && self.skip_all.is_none()
            && self.ok > 0
            && self.plan == Some(self.ok + self.skip)
    }

    /// Why nothing was tested, when the script skipped itself or each of its cases.
    pub fn skipped(&self) -> Option<&str> {
        match &self.skip_all {
            Some(reason) => Some(reason),
            None if self.ok + self.not_ok == 0 && self.skip > 0 && self.plan == Some(self.skip) => {
                Some("every case")
            }
            None => None,
        }
    }
}

/// Counts the TAP lines in a script's whole output; other lines are the script's chatter.
pub fn parse(output: &str) -> Tally {
    let mut tally = Tally::default();
    for line in output.lines() {
        if let Some(rest) = case(line, "not ok") {
            if directive(rest, "TODO").is_some() {
                tally.skip += 1;
            } else {
                tally.not_ok += 1;
                tally.failures.push(rest.trim().to_owned());
            }
        } else if let Some(rest) = case(line, "ok") {
            if directive(rest, "SKIP").is_some() {
                tally.skip += 1;
            } else {
                tally.ok += 1;
                tally.last_ok = Some(rest.trim().to_owned());
            }
        } else if let Some(count) = line.strip_prefix("1..") {
            let digits = count
                .split(|c: char| !c.is_ascii_digit())
                .next()
                .unwrap_or_default();
            if let Ok(number) = digits.parse() {
                tally.plan = Some(number);
                if number == 0 {
                    let reason = directive(count, "SKIP").unwrap_or_default();
                    tally.skip_all = Some(reason.trim().to_owned());
                }
            }
        }
    }
    tally
}

fn case<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(word)?;
    // Two scripts write `ok, what passed`.
    (rest.is_empty() || rest.starts_with([' ', ','])).then_some(rest.trim_start_matches(','))
}

fn directive<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (_, after) = text.split_once('#')?;
    let after = after.trim_start();
    let head = after.get(..word.len())?;
    head.eq_ignore_ascii_case(word)
        .then(|| &after[word.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_cases_with_and_without_numbers() {
        let tally = parse(
            "1..4\nok 1 first\nchatter ok\nok second\nokay this is no case\nnot ok 3 third\nok 4 # skip no gpg\n",
        );
        assert_eq!(
            (tally.ok, tally.not_ok, tally.skip, tally.plan),
            (2, 1, 1, Some(4))
        );
        assert_eq!(tally.failures, ["3 third"]);
        assert_eq!(tally.last_ok.as_deref(), Some("second"));
        assert!(!tally.is_whole());
    }

    #[test]
    fn a_script_that_stops_early_is_not_whole() {
        assert!(!parse("1..3\nok a\nok b\n").is_whole());
        assert!(parse("ok a\nok b\nok c\n1..3\n").is_whole());
        assert!(!parse("ok a\n").is_whole());
        assert!(parse("1..1\nok, pull succeeded\n").is_whole());
    }

    #[test]
    fn a_skipped_script_keeps_its_reason() {
        let tally = parse("1..0 # SKIP no SELinux\n");
        assert_eq!(tally.skip_all.as_deref(), Some("no SELinux"));
        assert!(!tally.is_whole());
        assert_eq!(
            parse("1..1\nok x # SKIP no ed25519\n").skipped(),
            Some("every case")
        );
    }
}
