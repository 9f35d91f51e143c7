//! What the README tells a newcomer to type works as it stands there.

use osier_testkit::tool::Tool;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// The first block of indented lines below a heading.
fn block(text: &str, heading: &str) -> String {
    text.lines()
        .skip_while(|line| *line != heading)
        .skip_while(|line| !line.starts_with("    "))
        .take_while(|line| line.starts_with("    "))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect()
}

#[test]
fn the_first_session() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let session = block(&fs::read_to_string(readme).unwrap(), "## A first session");
    assert!(session.lines().count() >= 5, "{session}");
    let dir = tempfile::tempdir().unwrap();
    let (bin, work) = (dir.path().join("bin"), dir.path().join("work"));
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&work).unwrap();
    symlink(Tool::ours().program(), bin.join("ostree")).unwrap();
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-ec", &session])
        .current_dir(&work)
        .env("PATH", path)
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    // `main^` is the first commit: its file is back.
    assert!(stdout.contains("M    /docs/hello.txt\nhello\n"), "{stdout}");
}
