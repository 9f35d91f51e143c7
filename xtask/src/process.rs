//! Starting programs: plain runs that must succeed, and bounded runs whose whole family is ended.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a bounded run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The program's own exit code.
    Exit(i32),
    /// The number of the signal that ended it.
    Signal(i32),
    /// It was killed when its time was over.
    TimedOut,
}

impl Ended {
    fn from_status(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Exit(code),
            (None, signal) => Ended::Signal(signal.unwrap_or(0)),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Exit(code) => write!(f, "{code}"),
            Ended::Signal(signal) => write!(f, "sig{signal}"),
            Ended::TimedOut => f.write_str("timeout"),
        }
    }
}

/// Runs `command` and fails unless it exits with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command
        .status()
        .with_context(|| format!("starting {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// Runs `command`, fails unless it exits with 0, and gives its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .output()
        .with_context(|| format!("starting {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{shown}: output is not UTF-8"))
}

/// The command line as a person would type it, for messages.
pub fn show(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// The environment variable that marks every process of a bounded run.
const FAMILY: &str = "OSIER_XTASK_FAMILY";

/// Runs `command` for at most `limit` with its output in `log` (standard error in the same file),
/// then ends whatever it left running: its process group, and daemons that carry its mark.
pub fn run_bounded(mut command: Command, log: &Path, limit: Duration) -> Result<Ended> {
    let family = format!("{}-{}", std::process::id(), log.display());
    let out = File::create(log).with_context(|| format!("creating {}", log.display()))?;
    let mut child = command
        .env(FAMILY, &family)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {}", show(&command)))?;
    let group = Pid::from_child(&child);
    let deadline = Instant::now() + limit;
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Ended::from_status(status);
        }
        if Instant::now() >= deadline {
            // The group may have died in this very moment; then there is nothing to kill.
            let _ = kill_process_group(group, Signal::KILL);
            child.wait()?;
            break Ended::TimedOut;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // A daemon left its group: it is found by the mark in its environment.
    let _ = kill_process_group(group, Signal::KILL);
    kill_family(&family)?;
    Ok(ended)
}

fn kill_family(family: &str) -> Result<()> {
    let mark = format!("{FAMILY}={family}");
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        // Processes end while we look, and others' environments are not ours to read.
        let Ok(environ) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        if environ.split(|&b| b == 0).any(|var| var == mark.as_bytes())
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn exit_codes_and_output_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let ended = run_bounded(
            sh("echo out; echo err >&2; exit 3"),
            &log,
            Duration::from_secs(30),
        )
        .unwrap();
        assert_eq!(ended, Ended::Exit(3));
        assert_eq!(fs::read_to_string(log).unwrap(), "out\nerr\n");
    }

    #[test]
    fn a_run_past_its_limit_is_killed_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let ended = run_bounded(
            sh("echo $$; sleep 1000 & wait"),
            &log,
            Duration::from_millis(300),
        )
        .unwrap();
        assert_eq!(ended, Ended::TimedOut);
        let pid = fs::read_to_string(log).unwrap();
        assert!(!Path::new("/proc").join(pid.trim()).exists());
    }

    #[test]
    fn a_daemon_in_its_own_session_is_ended_too() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let pidfile = dir.path().join("pid");
        let script = format!(
            "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000' & while [ ! -e {0} ]; do sleep 0.05; done",
            pidfile.display()
        );
        let ended = run_bounded(sh(&script), &log, Duration::from_secs(30)).unwrap();
        assert_eq!(ended, Ended::Exit(0));
        let pid = fs::read_to_string(pidfile).unwrap();
        let stat = Path::new("/proc").join(pid.trim()).join("stat");
        // Gone, or a zombie that init has not collected yet.
        for _ in 0..100 {
            match fs::read_to_string(&stat) {
                Ok(text) if !text.contains(") Z ") => std::thread::sleep(Duration::from_millis(50)),
                _ => return,
            }
        }
        panic!("process {pid} still runs");
    }
}
