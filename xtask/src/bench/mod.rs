//! `cargo xtask bench`: our program and the C tool do the same work on the same tree in turns, beside what the machine
//! could do at best.

mod deltas;
mod limits;
mod measure;
mod network;
mod operations;
mod place;
mod report;
mod small_files;

use crate::{demo, process};
use anyhow::{Context, Result, ensure};
use measure::{Sample, Summary};
use network::Served;
use operations::{Client, NEXT, OPERATIONS, Operation, Origin, Output, PREPARED};
use osier_testkit::tool::{self, Tool};
use place::Place;
use report::{Report, Row};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    /// The tree to work on; it is copied into memory first [default: the one that `cargo xtask demo` ships]
    #[arg(long, value_name = "DIR", conflicts_with = "small_files")]
    tree: Option<PathBuf>,
    /// Work on a made tree of so many small files
    #[arg(long, value_name = "N")]
    small_files: Option<u32>,
    /// Measure static deltas instead, between two states of this machine's Debian release (mmdebstrap makes them)
    #[arg(long, conflicts_with_all = ["tree", "small_files"])]
    deltas: bool,
    /// The older tree, instead of a Debian
    #[arg(long, value_name = "DIR", requires_all = ["deltas", "new"])]
    old: Option<PathBuf>,
    /// The newer tree
    #[arg(long, value_name = "DIR", requires_all = ["deltas", "old"])]
    new: Option<PathBuf>,
    /// Runs of each operation by each program; the table has the median
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Only operations whose name contains this
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// The C tool [default: OSIER_C_OSTREE, else /usr/bin/ostree]
    #[arg(long, value_name = "PATH")]
    c: Option<PathBuf>,
    /// Work in this folder instead of a file system in memory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print the table as Markdown
    #[arg(long)]
    markdown: bool,
}

/// The targets, part of the program so that a result is never held against another version's.
const TARGETS: &str = include_str!("../../../benches/targets.toml");

/// The entry that the second commit has more.
const EXTRA: &str = "bench-extra";

/// Measures and prints; false when the two programs' results differ.
pub fn run(args: &Args) -> Result<bool> {
    if args.dir.is_none()
        && let Some(ended) = place::in_own_mount_namespace()?
    {
        return Ok(ended);
    }
    let targets: toml::Table = TARGETS.parse().context("reading benches/targets.toml")?;
    if args.deltas {
        let ours = Tool::new("ours", demo::program()?);
        let place = Place::new(args.dir.as_deref())?;
        deltas::run(&place, &ours, c_tool(args).as_ref(), args, &targets)?;
        return Ok(true);
    }
    let chosen: Vec<&Operation> = OPERATIONS
        .iter()
        .filter(|op| {
            args.only
                .as_ref()
                .is_none_or(|pattern| op.key.contains(pattern.as_str()))
        })
        .collect();
    ensure!(
        !chosen.is_empty(),
        "no operation is called so; there are {}",
        OPERATIONS.map(|op| op.key).join(", ")
    );
    let ours = Tool::new("ours", demo::program()?);
    let c = c_tool(args);
    let place = Place::new(args.dir.as_deref())?;
    let mut bench = Bench {
        folder: place.path().to_owned(),
        ours,
        c,
        runs: args.runs,
        served: Vec::new(),
    };
    bench.prepare(args)?;
    bench.prepare_network(&chosen)?;
    let mut report = Report::new(&bench, &place, &targets)?;
    report.limits = limits::measure(&bench.tree(), &bench.out())?;
    let mut same = true;
    for operation in chosen {
        eprintln!("{} ...", operation.name);
        match bench.measure(operation)? {
            Some(row) => {
                same &= row.same_result;
                report.rows.push(row);
            }
            None => report.notes.push(format!(
                "{}: our program has no such command yet",
                operation.name
            )),
        }
    }
    print!("{}", report.render(args.markdown));
    Ok(same)
}

fn c_tool(args: &Args) -> Option<Tool> {
    let program = args
        .c
        .clone()
        .or_else(|| std::env::var_os(tool::PEER).map(PathBuf::from))
        .unwrap_or_else(|| "/usr/bin/ostree".into());
    let tool = Tool::new("C", std::path::absolute(program).ok()?);
    let version = tool.command(["--version"]).output();
    let found = version
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("libostree:"));
    if !found {
        eprintln!(
            "No C ostree at {}: ours is measured alone (Debian package ostree, or --c)",
            tool.program().display()
        );
    }
    found.then_some(tool)
}

struct Bench {
    folder: PathBuf,
    ours: Tool,
    c: Option<Tool>,
    runs: u32,
    served: Vec<(Origin, Served)>,
}

impl Bench {
    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// What an operation makes; removed after each run.
    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// Puts the tree into place and makes the repositories that operations read. Both programs read the same ones.
    fn prepare(&self, args: &Args) -> Result<()> {
        eprintln!("Preparing the tree and the repositories ...");
        match (&args.tree, args.small_files) {
            (_, Some(number)) => small_files::make(&self.tree(), number)?,
            (Some(tree), None) => {
                process::run(
                    Command::new("cp")
                        .args(["-a", "--"])
                        .arg(tree)
                        .arg(self.tree()),
                )?;
            }
            // By another process: a child's peak memory starts from what its parent holds.
            (None, None) => {
                process::output(
                    Command::new(std::env::current_exe()?)
                        .args(["demo", "--only-tree"])
                        .arg(self.tree()),
                )?;
            }
        }
        let make = |args: &[&str]| -> Result<()> {
            let args: Vec<String> = args.iter().map(|arg| self.fill(arg)).collect();
            process::output(&mut self.ours.command(&args)).map(drop)
        };
        make(&["--repo={bare}", "init", "--mode=bare"])?;
        make(&PREPARED[0])?;
        make(&["--repo={archive}", "init", "--mode=archive"])?;
        make(&["--repo={archive}", "pull-local", "{bare}", "bench"])?;
        // A second commit to compare with, in which every folder has one more entry.
        let folders = folders(&self.tree())?;
        for folder in &folders {
            fs::write(folder.join(EXTRA), "more\n")?;
        }
        make(&PREPARED[1])?;
        for folder in &folders {
            fs::remove_file(folder.join(EXTRA))?;
        }
        make(&["--repo={bare}", "export", "--output={tar}", "bench"])?;
        make(&["--repo={bare}", "checkout", "-H", "bench", "{checkout}"])
    }

    /// What is served, where something chosen pulls: the next version of the tree, and the tree of small files.
    fn prepare_network(&mut self, chosen: &[&Operation]) -> Result<()> {
        let clients: Vec<Client> = chosen
            .iter()
            .filter_map(|operation| match operation.output {
                Output::Client(client) => Some(client),
                _ => None,
            })
            .collect();
        let make = |args: &[&str]| -> Result<()> {
            let args: Vec<String> = args.iter().map(|arg| self.fill(arg)).collect();
            process::output(&mut self.ours.command(&args)).map(drop)
        };
        if clients.iter().any(|client| client.filled) {
            let changed = every_hundredth_file(&self.tree())?;
            for (file, _) in &changed {
                append(file, b"changed\n")?;
            }
            make(&[
                "--repo={archive}",
                "commit",
                &format!("--branch={NEXT}"),
                "--subject=next",
                "{tree}",
            ])?;
            for (file, length) in &changed {
                fs::OpenOptions::new()
                    .write(true)
                    .open(file)
                    .and_then(|file| file.set_len(*length))
                    .with_context(|| format!("restoring {}", file.display()))?;
            }
        }
        if clients.iter().any(|client| client.from == Origin::Small) {
            let tree = self.folder.join("small-tree");
            small_files::make(&tree, 10_000)?;
            make(&["--repo={small}", "init", "--mode=archive"])?;
            make(&[
                "--repo={small}",
                "commit",
                "--branch=bench",
                "--subject=small",
                &tree.to_string_lossy(),
            ])?;
        }
        for (from, repo) in [(Origin::Archive, "{archive}"), (Origin::Small, "{small}")] {
            if clients.iter().any(|client| client.from == from) {
                let repo = PathBuf::from(self.fill(repo));
                self.served.push((from, Served::start(&self.ours, &repo)?));
            }
        }
        Ok(())
    }

    /// A repository with a remote.
    fn make_client(&mut self, tool: &Tool, client: Client) -> Result<()> {
        let repo = format!("--repo={}", self.out().display());
        let (_, served) = self
            .served
            .iter_mut()
            .find(|(from, _)| *from == client.from)
            .context("nothing is served")?;
        let url = served.url(client.round_trip_ms)?;
        let run = |tool: &Tool, args: &[&str]| process::output(&mut tool.command(args)).map(drop);
        run(tool, &[&repo, "init", &format!("--mode={}", client.mode)])?;
        run(
            tool,
            &[&repo, "remote", "add", "--no-gpg-verify", "origin", &url],
        )?;
        if client.filled {
            let archive = self.fill("{archive}");
            run(
                &self.ours,
                &[&repo, "pull-local", "--remote=origin", &archive, "bench"],
            )?;
        }
        Ok(())
    }

    fn fill(&self, arg: &str) -> String {
        let mut text = arg.to_owned();
        for name in ["tree", "bare", "archive", "small", "checkout", "tar", "out"] {
            text = text.replace(
                &format!("{{{name}}}"),
                &self.folder.join(name).to_string_lossy(),
            );
        }
        text
    }

    /// Runs one operation by both programs in turns; none when ours does not know the command.
    fn measure(&mut self, operation: &Operation) -> Result<Option<Row>> {
        if !self.knows(operation)? {
            return Ok(None);
        }
        let (mut ours, mut c) = (Vec::new(), Vec::new());
        let mut results: Vec<String> = Vec::new();
        for round in 0..self.runs {
            let mut order = vec![(self.ours.clone(), &mut ours)];
            if let Some(tool) = &self.c {
                order.push((tool.clone(), &mut c));
            }
            // Neither is always the one that finds what the other left in the caches.
            if round % 2 == 1 {
                order.reverse();
            }
            for (tool, samples) in order {
                let (sample, result) = self.once(&tool, operation)?;
                samples.push(sample);
                results.extend(result);
            }
        }
        results.dedup();
        Ok(Some(Row {
            operation: *operation,
            ours: Summary::of(&ours),
            c: (!c.is_empty()).then(|| Summary::of(&c)),
            same_result: results.len() <= 1,
        }))
    }

    fn knows(&self, operation: &Operation) -> Result<bool> {
        let Some(command) = operation.args.iter().find(|arg| !arg.starts_with('-')) else {
            return Ok(true);
        };
        let help = self.ours.command([*command, "--help"]).output()?;
        Ok(help.status.success())
    }

    /// One timed run, with what must be there before it and away after it; gives the commit it made, if any.
    fn once(&mut self, tool: &Tool, operation: &Operation) -> Result<(Sample, Option<String>)> {
        let out = self.out();
        match operation.output {
            Output::None => {}
            Output::Repo(mode) => {
                let repo = format!("--repo={}", out.display());
                process::output(&mut tool.command([&repo, "init", &format!("--mode={mode}")]))?;
            }
            Output::Client(client) => self.make_client(tool, client)?,
        }
        let args: Vec<String> = operation.args.iter().map(|arg| self.fill(arg)).collect();
        let sample = measure::run(
            &mut tool.command(&args),
            operation.times,
            &self.folder.join("log"),
        )
        .with_context(|| format!("{} {}", tool.name(), args.join(" ")))?;
        let result = match operation.result {
            Some([repo, rev]) => Some(process::output(&mut tool.command([
                format!("--repo={}", self.fill(repo)),
                "rev-parse".to_owned(),
                rev.to_owned(),
            ]))?),
            None => None,
        };
        remove(&out)?;
        Ok((sample, result))
    }
}

/// The folder and all below it.
fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![dir.to_owned()];
    let mut at = 0;
    while let Some(dir) = found.get(at).cloned() {
        for entry in fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                found.push(entry.path());
            }
        }
        at += 1;
    }
    Ok(found)
}

/// One regular file in a hundred below the folder, with its length. What has several names is left alone.
fn every_hundredth_file(dir: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for folder in folders(dir)? {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_file() && meta.nlink() == 1 {
                files.push((entry.path(), meta.len()));
            }
        }
    }
    files.sort();
    Ok(files.into_iter().step_by(100).collect())
}

fn append(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("changing {}", file.display()))
}

fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Ok(meta) if !meta.is_dir() => fs::remove_file(path),
        _ => fs::remove_dir_all(path),
    };
    removed.with_context(|| format!("removing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_that_of_an_operation() {
        let targets: toml::Table = TARGETS.parse().unwrap();
        for key in targets["ratio"].as_table().unwrap().keys() {
            assert!(
                OPERATIONS.iter().any(|operation| operation.key == key),
                "{key}"
            );
        }
        for key in ["peak_mib", "peak_mib_pull"] {
            assert!(targets[key].is_integer());
        }
    }
}
