//! What the audience sees: headings, commands as one would type them, what they print, and how long they took.

use anyhow::{Context, Result, bail};
use osier_testkit::tool::Tool;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the story is told. Everything goes to standard output; progress bars go to standard error when that is a
/// terminal.
pub struct Stage {
    tool: Tool,
    folder: PathBuf,
    colour: bool,
    step: u32,
}

/// What a command printed, and how long it took.
pub struct Ran {
    /// Standard output.
    pub stdout: String,
    /// From start to end.
    pub time: Duration,
}

/// How much of a command's output is worth showing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Every line.
    All,
    /// The last line.
    Last,
    /// Nothing.
    Nothing,
}

impl Stage {
    /// A stage for commands of `program`, run in `folder`.
    pub fn new(program: &Path, folder: &Path) -> Stage {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Stage {
            tool: Tool::new("ostree", program.to_owned()),
            folder: folder.to_owned(),
            colour: !no_colour && std::io::stdout().is_terminal(),
            step: 0,
        }
    }

    /// The title of the whole.
    pub fn title(&self, text: &str) {
        println!("{}", self.paint("1", text));
    }

    /// Opens the next numbered step.
    pub fn step(&mut self, text: &str) {
        self.step += 1;
        println!();
        println!("{}", self.paint("1", &format!("{}. {text}", self.step)));
    }

    /// Opens a part without a number.
    pub fn part(&self, text: &str) {
        println!();
        println!("{}", self.paint("1", text));
    }

    /// A sentence of the story.
    pub fn say(&self, text: &str) {
        for line in text.lines() {
            println!("   {line}");
        }
    }

    /// `name  value` lines, values in one column.
    pub fn table(&self, rows: &[(&str, String)]) {
        let width = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, value) in rows {
            println!("   {name:width$}  {value}");
        }
    }

    /// A line that reports a check.
    pub fn verdict(&self, passed: bool, text: &str) {
        let mark = if passed {
            self.paint("32", "ok  ")
        } else {
            self.paint("1;31", "FAIL")
        };
        println!("   {mark} {text}");
    }

    /// Runs `ostree ARGS` in the demo's folder, showing the command and what it prints.
    ///
    /// # Errors
    /// Any exit code but 0, with what the command wrote to standard error.
    pub fn ostree(&self, args: &[&str], show: Show) -> Result<Ran> {
        let line = typed(args);
        println!("   {}", self.paint("36", &format!("$ {line}")));
        std::io::stdout().flush()?;
        let mut command = self.tool.command(args);
        command.current_dir(&self.folder);
        let started = Instant::now();
        let (stdout, stderr, status) = run(&mut command).with_context(|| line.clone())?;
        let time = started.elapsed();
        if !status.success() {
            bail!("{line}: {status}\n{}", stderr.trim_end());
        }
        let lines: Vec<&str> = stdout
            .lines()
            .chain(stderr.lines())
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        let from = match show {
            Show::All => 0,
            Show::Last => lines.len().saturating_sub(1),
            Show::Nothing => lines.len(),
        };
        for line in &lines[from..] {
            println!("     {line}");
        }
        if time >= Duration::from_millis(100) {
            println!(
                "     {}",
                self.paint("2", &format!("took {}", seconds(time)))
            );
        }
        Ok(Ran { stdout, time })
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Standard error stays on the terminal, where the program draws its progress; into a pipe it draws none.
fn run(command: &mut Command) -> Result<(String, String, std::process::ExitStatus)> {
    if std::io::stderr().is_terminal() {
        command.stderr(Stdio::inherit());
    } else {
        command.stderr(Stdio::piped());
    }
    let output = command.stdout(Stdio::piped()).spawn()?.wait_with_output()?;
    Ok((
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status,
    ))
}

fn typed(args: &[&str]) -> String {
    let mut line = "ostree".to_owned();
    for arg in args {
        line.push(' ');
        match arg.split_once('=') {
            // --subject="two words", as people type it.
            Some((name, value)) if name.starts_with("--") && value.contains(' ') => {
                line.push_str(&format!("{name}=\"{value}\""));
            }
            _ if arg.contains(' ') => line.push_str(&format!("\"{arg}\"")),
            _ => line.push_str(arg),
        }
    }
    line
}

/// `12.3 s`.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Bytes in decimal units, three significant digits at least: `214 kB`, `1.16 GB`.
pub fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..1_000 => return format!("{count} bytes"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "three digits are shown, 52 bits are kept"
    )]
    let value = count as f64 / f64::from(unit);
    match value {
        v if v < 9.995 => format!("{v:.2} {name}"),
        v if v < 99.95 => format!("{v:.1} {name}"),
        v => format!("{v:.0} {name}"),
    }
}

/// `38,912`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.05 %`, of a whole that is not 0.
pub fn percent(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let share = part as f64 * 100.0 / whole.max(1) as f64;
    match share {
        s if s < 1.0 => format!("{s:.2} %"),
        s if s < 10.0 => format!("{s:.1} %"),
        s => format!("{s:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1_234), "1.23 kB");
        assert_eq!(bytes(214_400), "214 kB");
        assert_eq!(bytes(9_996_000), "10.0 MB");
        assert_eq!(bytes(1_160_000_000), "1.16 GB");
        assert_eq!(count(7), "7");
        assert_eq!(count(912), "912");
        assert_eq!(count(38_912), "38,912");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(percent(5, 10_000), "0.05 %");
        assert_eq!(percent(0, 0), "0.00 %");
        assert_eq!(percent(1, 3), "33 %");
    }

    #[test]
    fn commands_are_quoted_as_people_type_them() {
        assert_eq!(
            typed(&["--repo=r", "commit", "--subject=Version 1", "a b"]),
            "ostree --repo=r commit --subject=\"Version 1\" \"a b\""
        );
    }
}
