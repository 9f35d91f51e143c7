//! `cargo xtask bench --deltas`: static deltas between two real systems. The C tool takes minutes to make one, so each is
//! made once, whatever `--runs` says. Both programs apply and pull the same delta.

use super::measure::{self, Sample, Summary};
use super::network::Served;
use super::place::Place;
use super::report::{Table, memory, ratio, time};
use crate::demo::{self, Size};
use crate::process;
use anyhow::{Context, Result};
use osier_testkit::tool::Tool;
use std::fs;
use std::path::{Path, PathBuf};

/// How to make what both tools are compared in: all of it in the delta, so that sizes say what a client fetches.
const MAKE: [&str; 5] = [
    "static-delta",
    "generate",
    "--min-fallback-size=0",
    "--to=new",
    "--filename={out}/delta",
];

/// One line of the table: what was measured, and the delta's size where one was made.
struct Row {
    key: &'static str,
    name: &'static str,
    ours: Summary,
    c: Option<Summary>,
    sizes: Option<[Option<u64>; 2]>,
}

/// The two trees, the repositories and the programs.
pub struct Deltas<'a> {
    pub folder: &'a Path,
    pub ours: &'a Tool,
    pub c: Option<&'a Tool>,
    pub runs: u32,
    pub only: Option<&'a str>,
}

impl Deltas<'_> {
    /// Measures and gives the table as text.
    pub fn run(
        &self,
        trees: Option<[&Path; 2]>,
        targets: &toml::Table,
        markdown: bool,
    ) -> Result<String> {
        let mut about = self.prepare(trees)?;
        let mut rows = Vec::new();
        let mut from_c = None;
        for (key, name, more) in [
            (
                "delta-generate",
                "generate, old to new",
                &["--from=old"][..],
            ),
            ("delta-scratch", "generate, from nothing", &["--empty"]),
            (
                "delta-effort",
                "generate --max-effort, old to new",
                &["--from=old", "--max-effort"],
            ),
        ] {
            if !self.wants(key) {
                continue;
            }
            eprintln!("{name} ...");
            let (ours, our_size) = self.generate(self.ours, more)?;
            let ours = Summary::of(&[ours]);
            let (c, c_size) = match (self.c, key) {
                // It has no such option: the size is held against what it makes without.
                (Some(_), "delta-effort") => (None, from_c),
                (Some(c), _) => {
                    let (sample, size) = self.generate(c, more)?;
                    (Some(Summary::of(&[sample])), Some(size))
                }
                (None, _) => (None, None),
            };
            if key == "delta-generate" {
                from_c = c_size;
            }
            let sizes = Some([Some(our_size), c_size]);
            rows.push(Row {
                key,
                name,
                ours,
                c,
                sizes,
            });
        }
        if self.wants("delta-apply") || self.wants("delta-pull") {
            self.publish()?;
        }
        if self.wants("delta-apply") {
            eprintln!("apply ...");
            let row = self.in_turns("delta-apply", "apply-offline, old to new", |tool| {
                self.client(tool, None)?;
                let delta = self.published()?;
                self.timed(
                    tool,
                    &["--repo={out}", "static-delta", "apply-offline", &delta],
                )
            })?;
            rows.push(row);
        }
        if self.wants("delta-pull") {
            eprintln!("pull ...");
            let mut served = Served::start(self.ours, &self.folder.join("archive"))?;
            let url = served.url(0)?;
            let row = self.in_turns("delta-pull", "pull through the delta", |tool| {
                self.client(tool, Some(&url))?;
                self.timed(
                    tool,
                    &[
                        "--repo={out}",
                        "pull",
                        "--require-static-deltas",
                        "origin",
                        "new",
                    ],
                )
            })?;
            rows.push(row);
        }
        about.push(String::new());
        let table = self.table(&rows, targets);
        Ok(format!("{}\n{}", about.join("\n"), table.render(markdown)))
    }

    fn wants(&self, key: &str) -> bool {
        self.only.is_none_or(|pattern| key.contains(pattern))
    }

    /// An archive with both trees as `old` and `new`. Gives what the table is headed with.
    fn prepare(&self, trees: Option<[&Path; 2]>) -> Result<Vec<String>> {
        eprintln!("Preparing the trees and the repository ...");
        let [old, new] = match trees {
            Some(trees) => trees.map(Path::to_owned),
            None => {
                let trees = ["old", "new"].map(|name| self.folder.join(name));
                demo::build_debian_pair(&trees[0], &trees[1], self.folder)?;
                trees
            }
        };
        let archive = self.fill("--repo={archive}");
        let make = |args: &[&str]| process::output(&mut self.ours.command(args)).map(drop);
        make(&[&archive, "init", "--mode=archive"])?;
        let mut about = Vec::new();
        let mut parent = String::new();
        for (name, tree) in [("old", &old), ("new", &new)] {
            let size = Size::of(tree)?;
            about.push(format!(
                "{name}: {} files, {:.2} GB",
                size.files,
                size.bytes as f64 / 1e9
            ));
            let mut args = vec![archive.clone(), "commit".into(), format!("--branch={name}")];
            if !parent.is_empty() {
                args.push(format!("--parent={parent}"));
            }
            args.push(tree.to_string_lossy().into_owned());
            parent = process::output(&mut self.ours.command(&args))?
                .trim()
                .to_owned();
        }
        Ok(about)
    }

    fn fill(&self, arg: &str) -> String {
        let place = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        arg.replace("{archive}", &place("archive"))
            .replace("{out}", &place("out"))
    }

    fn timed(&self, tool: &Tool, args: &[&str]) -> Result<Sample> {
        let args: Vec<String> = args.iter().map(|arg| self.fill(arg)).collect();
        measure::run(&mut tool.command(&args), 1, &self.folder.join("log"))
            .with_context(|| format!("{} {}", tool.name(), args.join(" ")))
    }

    /// Makes a delta in a folder of its own; gives the size of its files as well.
    fn generate(&self, tool: &Tool, more: &[&str]) -> Result<(Sample, u64)> {
        let out = self.folder.join("out");
        fs::create_dir(&out)?;
        let mut args = vec!["--repo={archive}"];
        args.extend_from_slice(&MAKE);
        args.extend_from_slice(more);
        let sample = self.timed(tool, &args)?;
        let mut size = 0;
        for file in fs::read_dir(&out)? {
            size += file?.metadata()?.len();
        }
        fs::remove_dir_all(&out)?;
        Ok((sample, size))
    }

    /// Puts the delta that both apply into the repository: by ours, as nothing is measured.
    fn publish(&self) -> Result<()> {
        let args = [
            "--repo={archive}",
            "static-delta",
            "generate",
            "--min-fallback-size=0",
            "--from=old",
            "--to=new",
        ];
        self.timed(self.ours, &args)?;
        self.timed(self.ours, &["--repo={archive}", "summary", "-u"])?;
        Ok(())
    }

    /// The folder of that delta.
    fn published(&self) -> Result<String> {
        let mut at = self.folder.join("archive/deltas");
        for _ in 0..2 {
            let mut entries = fs::read_dir(&at)?;
            at = entries.next().context("there is no delta")??.path();
        }
        Ok(at.to_string_lossy().into_owned())
    }

    /// A client that has `old`, with a remote where there is one.
    fn client(&self, tool: &Tool, url: Option<&str>) -> Result<()> {
        let repo = self.fill("--repo={out}");
        let archive = self.fill("{archive}");
        let run = |args: &[&str]| process::output(&mut tool.command(args)).map(drop);
        run(&[&repo, "init", "--mode=bare-user"])?;
        if let Some(url) = url {
            run(&[&repo, "remote", "add", "--no-gpg-verify", "origin", url])?;
        }
        let args = [
            repo.as_str(),
            "pull-local",
            "--remote=origin",
            &archive,
            "old",
        ];
        process::output(&mut self.ours.command(args)).map(drop)
    }

    /// Runs of both, each followed by the removal of what it made.
    fn in_turns(
        &self,
        key: &'static str,
        name: &'static str,
        run: impl Fn(&Tool) -> Result<Sample>,
    ) -> Result<Row> {
        let (mut ours, mut c) = (Vec::new(), Vec::new());
        let out: PathBuf = self.folder.join("out");
        for _ in 0..self.runs {
            ours.push(run(self.ours)?);
            fs::remove_dir_all(&out)?;
            if let Some(tool) = self.c {
                c.push(run(tool)?);
                fs::remove_dir_all(&out)?;
            }
        }
        Ok(Row {
            key,
            name,
            ours: Summary::of(&ours),
            c: (!c.is_empty()).then(|| Summary::of(&c)),
            sizes: None,
        })
    }

    fn table(&self, rows: &[Row], targets: &toml::Table) -> Table {
        let mut table = Table::new(&[
            "operation",
            "ours",
            "C",
            "ours/C",
            "CPU ours",
            "CPU C",
            "ours/C",
            "peak ours",
            "peak C",
            "size ours",
            "size C",
            "ours/C",
        ]);
        for row in rows {
            let target = |what: &str| {
                let all = targets.get("delta")?.get(row.key)?;
                all.get(what)
                    .and_then(|v| v.as_float().or_else(|| v.as_integer().map(|n| n as f64)))
            };
            let held = |value: Option<f64>, what: &str| match (value, target(what)) {
                (None, _) => "-".to_owned(),
                (Some(value), None) => format!("{value:.2}"),
                (Some(value), Some(most)) => {
                    format!(
                        "{value:.2}{} (≤ {most:.2})",
                        if value > most { "!" } else { "" }
                    )
                }
            };
            let of_c = |show: &dyn Fn(Summary) -> String| row.c.map_or("-".to_owned(), show);
            let peak = row.ours.peak;
            let too_large = target("peak_mib").is_some_and(|mib| peak as f64 > mib * 1_048_576.0);
            let [our_size, c_size] = row.sizes.unwrap_or_default();
            let bytes = |size: Option<u64>| {
                size.map_or("-".to_owned(), |size| {
                    format!("{:.1} MB", size as f64 / 1e6)
                })
            };
            let sizes = our_size
                .zip(c_size)
                .map(|(ours, c)| ours as f64 / c.max(1) as f64);
            table.push([
                row.name.to_owned(),
                time(row.ours.median.wall),
                of_c(&|c| time(c.median.wall)),
                held(
                    row.c.map(|c| ratio(row.ours.median.wall, c.median.wall)),
                    "wall",
                ),
                time(row.ours.median.cpu),
                of_c(&|c| time(c.median.cpu)),
                held(
                    row.c.map(|c| ratio(row.ours.median.cpu, c.median.cpu)),
                    "cpu",
                ),
                match target("peak_mib") {
                    Some(mib) => format!(
                        "{}{} (≤ {mib})",
                        memory(peak),
                        if too_large { "!" } else { "" }
                    ),
                    None => memory(peak),
                },
                of_c(&|c| memory(c.peak)),
                bytes(our_size),
                bytes(c_size),
                held(sizes, "size"),
            ]);
        }
        table
    }
}

/// Makes the place, measures and prints.
pub fn run(
    place: &Place,
    ours: &Tool,
    c: Option<&Tool>,
    args: &super::Args,
    targets: &toml::Table,
) -> Result<()> {
    let deltas = Deltas {
        folder: place.path(),
        ours,
        c,
        runs: args.runs,
        only: args.only.as_deref(),
    };
    let trees = args.old.as_deref().zip(args.new.as_deref());
    let trees = trees.map(|(old, new)| [old, new]);
    print!("{}", deltas.run(trees, targets, args.markdown)?);
    Ok(())
}
