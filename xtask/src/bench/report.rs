//! The table.

use super::Bench;
use super::measure::Summary;
use super::operations::{Operation, Output};
use super::place::Place;
use crate::demo::{self, Size};
use anyhow::{Context, Result};
use osier_testkit::tool::Tool;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// One operation, measured.
pub struct Row {
    /// Which.
    pub operation: Operation,
    /// Our program.
    pub ours: Summary,
    /// The C tool, if there is one.
    pub c: Option<Summary>,
    /// Whether both made the same commit, where they made one.
    pub same_result: bool,
}

/// Everything that is printed.
pub struct Report {
    about: Vec<String>,
    ratios: toml::Table,
    peak_mib: u64,
    peak_mib_pull: u64,
    /// The machine's limits, by name.
    pub limits: Vec<(&'static str, Duration)>,
    /// The operations measured.
    pub rows: Vec<Row>,
    /// What is missing.
    pub notes: Vec<String>,
}

impl Report {
    /// A report on `bench`, without rows yet.
    pub fn new(bench: &Bench, place: &Place, targets: &toml::Table) -> Result<Report> {
        let size = Size::of(&bench.tree())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut about = vec![
            format!(
                "{} files in {} folders, {:.2} GB; {cores} cores{}; {} runs each, in turns, medians; files on {}",
                size.files,
                size.folders,
                mega(size.bytes) / 1000.0,
                processor().map_or(String::new(), |name| format!(" of {name}")),
                bench.runs,
                if demo::in_memory(place.path()) {
                    "a tmpfs"
                } else {
                    "a disk"
                },
            ),
            format!("ours: {}", version(&bench.ours)?),
        ];
        if let Some(c) = &bench.c {
            about.push(format!("C: {}", version(c)?));
        }
        let peak = |key: &'static str| {
            targets
                .get(key)
                .and_then(toml::Value::as_integer)
                .and_then(|mib| u64::try_from(mib).ok())
                .with_context(|| format!("benches/targets.toml has no {key}"))
        };
        Ok(Report {
            about,
            ratios: targets
                .get("ratio")
                .and_then(toml::Value::as_table)
                .cloned()
                .unwrap_or_default(),
            peak_mib: peak("peak_mib")?,
            peak_mib_pull: peak("peak_mib_pull")?,
            limits: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// The whole text.
    pub fn render(&self, markdown: bool) -> String {
        let mut text = String::new();
        for line in &self.about {
            let _ = writeln!(text, "{line}{}", if markdown { "  " } else { "" });
        }
        text.push('\n');
        let header = [
            "operation",
            "ours",
            "C",
            "ours/C",
            "target",
            "CPU ours",
            "CPU C",
            "peak ours",
            "peak C",
            "limit",
        ];
        let mut table = Table::new(&header);
        for row in &self.rows {
            table.push(self.row(row));
        }
        text.push_str(&table.render(markdown));
        text.push('\n');
        let limits: Vec<String> = self
            .limits
            .iter()
            .map(|(name, wall)| format!("{name} {}", time(*wall)))
            .collect();
        let _ = writeln!(text, "The machine at best: {}.", limits.join(", "));
        let _ = writeln!(
            text,
            "A target that was missed is marked with !; peak memory is to stay below {} MiB, over HTTP below {} MiB.",
            self.peak_mib, self.peak_mib_pull
        );
        for row in self.rows.iter().filter(|row| !row.same_result) {
            let _ = writeln!(text, "DIFFERENT COMMITS: {}", row.operation.name);
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    }

    fn row(&self, row: &Row) -> [String; 10] {
        let of_c = |show: &dyn Fn(Summary) -> String| row.c.map_or("-".to_owned(), show);
        let target = self
            .ratios
            .get(row.operation.key)
            .and_then(toml::Value::as_float);
        let ratio = row.c.map(|c| ratio(row.ours.median.wall, c.median.wall));
        let missed = matches!((ratio, target), (Some(ratio), Some(target)) if ratio > target);
        let limit = self
            .limits
            .iter()
            .find(|(name, _)| *name == row.operation.limit);
        let peak_mib = match row.operation.output {
            Output::Client(_) => self.peak_mib_pull,
            _ => self.peak_mib,
        };
        let too_large = row.ours.peak > peak_mib << 20;
        [
            row.operation.name.to_owned(),
            time(row.ours.median.wall),
            of_c(&|c| time(c.median.wall)),
            ratio.map_or("-".to_owned(), |ratio| {
                format!("{ratio:.2}{}", if missed { "!" } else { "" })
            }),
            target.map_or("-".to_owned(), |target| format!("{target:.2}")),
            time(row.ours.median.cpu),
            of_c(&|c| time(c.median.cpu)),
            format!(
                "{}{}",
                memory(row.ours.peak),
                if too_large { "!" } else { "" }
            ),
            of_c(&|c| memory(c.peak)),
            limit.map_or("-".to_owned(), |(name, wall)| {
                format!("{} {name}", time(*wall))
            }),
        ]
    }
}

/// Seconds.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 9.995 => format!("{s:.2} s"),
        s => format!("{s:.1} s"),
    }
}

/// Mebibytes, rounded up.
pub fn memory(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Of two times.
pub fn ratio(ours: Duration, c: Duration) -> f64 {
    ours.as_secs_f64() / c.as_secs_f64().max(1e-6)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Rows of cells under a header.
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// One with these columns.
    pub fn new(header: &[&str]) -> Table {
        Table(vec![header.iter().map(|cell| (*cell).to_owned()).collect()])
    }

    /// Adds a row with as many cells.
    pub fn push(&mut self, row: impl Into<Vec<String>>) {
        self.0.push(row.into());
    }

    /// As text for a terminal or for a page.
    pub fn render(&self, markdown: bool) -> String {
        if markdown {
            return self.markdown();
        }
        let width = |column: usize| {
            let cells = self.0.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.0[0].len()).map(width).collect();
        let mut text = String::new();
        for row in &self.0 {
            let mut line = format!("{:width$}", row[0], width = widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                let _ = write!(line, "  {cell:>width$}");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        for (at, row) in self.0.iter().enumerate() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
            if at == 0 {
                let _ = writeln!(text, "|---|{}", "---:|".repeat(row.len() - 1));
            }
        }
        text
    }
}

fn version(tool: &Tool) -> Result<String> {
    let text = crate::process::output(&mut tool.command(["--version"]))?;
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
            .map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    Ok(value("Version")
        .or_else(|| text.lines().next().map(str::to_owned))
        .unwrap_or_default())
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches(['\t', ' ', ':']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::super::operations::OPERATIONS;
    use super::*;

    fn summary(millis: u64, mib: u64) -> Summary {
        let sample = Sample {
            wall: Duration::from_millis(millis),
            cpu: Duration::from_millis(2 * millis),
            peak: mib << 20,
        };
        Summary::of(&[sample])
    }

    fn operation(key: &str) -> Operation {
        let found = OPERATIONS.iter().find(|operation| operation.key == key);
        *found.unwrap()
    }

    #[test]
    fn missed_targets_are_marked() {
        let report = Report {
            about: vec!["about".into()],
            ratios: "commit-archive = 0.3\ncommit-bare = 0.6".parse().unwrap(),
            peak_mib: 64,
            peak_mib_pull: 96,
            limits: vec![("sha256sum", Duration::from_secs(2))],
            rows: vec![
                Row {
                    operation: operation("commit-archive"),
                    ours: summary(14_000, 65),
                    c: Some(summary(40_000, 30)),
                    same_result: true,
                },
                Row {
                    operation: operation("commit-bare"),
                    ours: summary(3_000, 64),
                    c: Some(summary(6_000, 30)),
                    same_result: false,
                },
                Row {
                    operation: operation("ls"),
                    ours: summary(100, 9),
                    c: None,
                    same_result: true,
                },
            ],
            notes: vec![],
        };
        let text = report.render(false);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(lines.iter().any(|words| words.starts_with(&[
            "commit", "to", "archive", "14.0", "s", "40.0", "s", "0.35!", "0.30", "28.0"
        ])));
        assert!(text.contains("65 MiB!") && !text.contains("64 MiB!"));
        assert!(text.contains("0.50") && !text.contains("0.50!"));
        assert!(text.contains("DIFFERENT COMMITS: commit to bare"));
        assert!(
            report
                .render(true)
                .contains("| ls -R | 0.10 s | - | - | - |")
        );
    }
}
