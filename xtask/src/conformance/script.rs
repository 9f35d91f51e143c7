//! One installed test script: finding it, giving it an empty folder, running it, cleaning up behind it.

use super::scores::Score;
use super::tap;
use crate::process::{self, Ended};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where Debian's `ostree-tests` puts its scripts.
pub const INSTALLED: &str = "/usr/libexec/installed-tests/libostree";

/// The installed tests, told apart by whether a different `ostree` program can change their answer.
pub struct Suite {
    /// Scripts that start `ostree`.
    pub scripts: Vec<String>,
    /// Other tests, each with the reason why it says nothing about our programs.
    pub not_applicable: Vec<(String, &'static str)>,
}

/// Lists the tests in `dir`.
pub fn discover(dir: &Path) -> Result<Suite> {
    let entries = fs::read_dir(dir).with_context(|| {
        format!(
            "reading {} (is the Debian package ostree-tests installed?)",
            dir.display()
        )
    })?;
    let mut suite = Suite {
        scripts: Vec::new(),
        not_applicable: Vec::new(),
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("test-") {
            continue;
        }
        match Path::new(&name).extension().and_then(|e| e.to_str()) {
            Some("sh" | "py") => suite.scripts.push(name),
            Some("js") => suite.not_applicable.push((
                name,
                "calls libostree through GObject introspection, never the program",
            )),
            _ => suite.not_applicable.push((
                name,
                "a C program linked to libostree: it tests only that library",
            )),
        }
    }
    suite.scripts.sort();
    suite.not_applicable.sort();
    if suite.scripts.is_empty() {
        bail!("{} has no test-*.sh", dir.display());
    }
    Ok(suite)
}

/// How scripts are run.
pub struct Runner<'a> {
    /// The folder with the scripts.
    pub suite: &'a Path,
    /// Our programs, to stand first in PATH; `None` runs the tool that PATH has.
    pub bin: Option<&'a Path>,
    /// Where each script's output goes.
    pub logs: PathBuf,
    /// The folder under which each script gets its empty one.
    pub work: PathBuf,
    /// The time a script may take.
    pub limit: Duration,
}

impl Runner<'_> {
    /// Runs one script and counts what it reported.
    pub fn run(&self, script: &str) -> Result<Score> {
        fs::create_dir_all(&self.logs)?;
        let folder = tempfile::Builder::new()
            .prefix("osier-conformance-")
            .tempdir_in(&self.work)
            .with_context(|| format!("creating a folder in {}", self.work.display()))?;
        let log = self.logs.join(format!("{script}.log"));
        let ended = process::run_bounded(self.command(script, folder.path())?, &log, self.limit)
            .with_context(|| format!("running {script}"))?;
        clean(folder)?;
        let output = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
        Ok(Score::new(
            script,
            tap::parse(&String::from_utf8_lossy(&output)),
            ended,
        ))
    }

    fn command(&self, script: &str, folder: &Path) -> Result<Command> {
        let mut command = Command::new(self.suite.join(script));
        command.current_dir(folder);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["OSTREE_", "OSIER_", "OT_", "G_", "GIO_", "CARGO", "LC_"]
                .iter()
                .any(|p| text.starts_with(p))
            {
                command.env_remove(&name);
            }
        }
        // A program built for tests may find its shared parts through cargo's path: not ours to pass on.
        command
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("LANGUAGE");
        command
            .env("G_TEST_SRCDIR", self.suite)
            .env("G_TEST_BUILDDIR", self.suite)
            .env("LANG", "C.UTF-8")
            // The installed suite may be older than our answers: it looks for boot entries under the names of its time.
            .env("OSTREE_SYSROOT_OPTS", "bootloader-naming-1");
        if let Some(httpd) = trivial_httpd(self.suite) {
            command.env("OSTREE_HTTPD", httpd);
        }
        if let Some(bin) = self.bin {
            let mut path = OsString::from(bin);
            if let Some(rest) = std::env::var_os("PATH") {
                path.push(":");
                path.push(rest);
            }
            command.env("PATH", path);
        }
        Ok(command)
    }
}

fn trivial_httpd(suite: &Path) -> Option<PathBuf> {
    let places = [
        suite.join("ostree-trivial-httpd"),
        suite.join("../../libostree/ostree-trivial-httpd"),
    ];
    places.into_iter().find(|place| place.is_file())
}

/// Removes a script's folder with what may stand in the way: mounts left in it, immutable files.
fn clean(folder: tempfile::TempDir) -> Result<()> {
    let path = folder.path().to_owned();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let inside: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|place| Path::new(place).starts_with(&path))
        .collect();
    for place in inside.iter().rev() {
        process::run(Command::new("umount").args(["-l", place]))?;
    }
    if folder.close().is_err() {
        let _ = Command::new("chattr")
            .args(["-R", "-f", "-i"])
            .arg(&path)
            .status();
        fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// A folder that holds links to our programs and nothing else.
pub fn program_folder(release: &Path) -> Result<tempfile::TempDir> {
    const PROGRAMS: [&str; 5] = [
        "ostree",
        "ostree-prepare-root",
        "ostree-remount",
        "ostree-system-generator",
        "rofiles-fuse",
    ];
    let folder = tempfile::Builder::new().prefix("osier-bin-").tempdir()?;
    for program in PROGRAMS {
        let built = release.join(program);
        if built.is_file() {
            std::os::unix::fs::symlink(&built, folder.path().join(program))?;
        }
    }
    Ok(folder)
}

/// Whether a run ended as a passing test does: 0, or automake's 77 for a skip.
pub fn ended_well(ended: Ended) -> bool {
    matches!(ended, Ended::Exit(0 | 77))
}
