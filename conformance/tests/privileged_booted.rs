//! `ostree admin` on a running system: what it says and does must be what the C tool 2026.4 said and did in the
//! same chroot, `booted/run.sh`.

use osier_conformance::{Scratch, ours_is_c, root_or_skip, text};
use osier_testkit::skip;
use osier_testkit::tool::Tool;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/booted/run.sh");
const EXPECTED: &str = include_str!("booted/expected.txt");

#[test]
fn as_the_c_tool() {
    if !root_or_skip() {
        return;
    }
    if ours_is_c() {
        skip::because("the C tool installed here may be older than the one that gave the answers");
        return;
    }
    let namespaces = ["--mount", "--pid", "--fork"];
    let works = Command::new("unshare")
        .args(namespaces)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        skip::because("needs mount and process namespaces");
        return;
    }
    let scratch = Scratch::new();
    let output = Command::new("unshare")
        .args(namespaces)
        .args(["bash", SCRIPT])
        .arg(Tool::ours().program())
        .arg(text(&scratch.path("work")))
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    let shown = |text: &str, at: usize| {
        let from = at.saturating_sub(3);
        text.lines()
            .skip(from)
            .take(6)
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (at, (found_line, expected)) in found.lines().zip(EXPECTED.lines()).enumerate() {
        assert_eq!(
            found_line,
            expected,
            "line {}, around it\n{}\nexpected\n{}",
            at + 1,
            shown(&found, at),
            shown(EXPECTED, at)
        );
    }
    assert_eq!(
        found.lines().count(),
        EXPECTED.lines().count(),
        "{found}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
