//! `ostree du`.

use std::cmp::Reverse;
use std::io::Write;

use anyhow::Result;
use osier_object::CommitId;
use osier_store::du::{self, DuOutcome, RevUsage, Usage};
use osier_store::parallel::Cancel;
use osier_store::size_text::si;
use osier_store::{ListRefs, RefKey, Repo};

use super::prune::depth_of;
use crate::context::Cx;
use crate::error::OptionError;
use crate::json;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage as UsageLine};
use crate::value;

/// Show what refs take of the disk, alone and together with others
#[derive(clap::Args)]
#[command(
    after_help = "ostree du --repo=repo --depth=0\nostree du --repo=repo --sort=name --bytes exampleos/x86_64/stable exampleos/x86_64/testing"
)]
pub struct Args {
    /// Parents to count behind each commit (default: -1, all)
    #[arg(long, value_name = "DEPTH", value_parser = value::int)]
    depth: Option<i32>,
    /// Print bytes, not rounded
    #[arg(long)]
    bytes: bool,
    /// Count the blocks that objects take of the file system, not their bytes
    #[arg(long)]
    allocated: bool,
    /// Largest first by exclusive (the default), shared, disk, unpacked, objects or commits; or by name
    #[arg(long, value_name = "KEY", value_parser = sort_key)]
    sort: Option<Sort>,
    /// Print JSON, always with both sizes
    #[arg(long)]
    json: bool,
    #[arg(value_name = "REV")]
    revs: Vec<String>,
}

impl UsageLine for Args {
    const POSITIONALS: &'static str = "[REV...]";
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Sort {
    #[default]
    Exclusive,
    Shared,
    Disk,
    Unpacked,
    Objects,
    Commits,
    Name,
}

fn sort_key(text: &str) -> Result<Sort, OptionError> {
    Ok(match text {
        "exclusive" => Sort::Exclusive,
        "shared" => Sort::Shared,
        "disk" => Sort::Disk,
        "unpacked" => Sort::Unpacked,
        "objects" => Sort::Objects,
        "commits" => Sort::Commits,
        "name" => Sort::Name,
        other => {
            return Err(OptionError(format!(
                "Invalid sort key '{other}': expected exclusive, shared, disk, unpacked, objects, commits or name"
            )));
        }
    })
}

/// A revision with what it takes.
struct Row {
    name: String,
    commit: CommitId,
    usage: RevUsage,
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let revs = match self.revs.as_slice() {
            [] => all_refs(repo)?,
            revs => revs
                .iter()
                .map(|rev| Ok((rev.clone(), repo.resolve_rev(rev)?)))
                .collect::<Result<_>>()?,
        };
        let depth = depth_of(self.depth.unwrap_or(-1));
        let bar = Bar::new("Measuring objects");
        let ids: Vec<CommitId> = revs.iter().map(|(_, id)| *id).collect();
        let outcome = du::usage(repo, &ids, depth, &bar, &Cancel::default())?;
        bar.finish();
        let mut rows: Vec<Row> = revs
            .into_iter()
            .zip(&outcome.revs)
            .map(|((name, commit), usage)| Row {
                name,
                commit,
                usage: *usage,
            })
            .collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows.sort_by_key(|row| Reverse(self.weight(&row.usage)));
        if self.json {
            let revs = rows
                .iter()
                .map(|row| (row.name.as_str(), &row.commit, &row.usage));
            json::du::print(&mut cx.out, depth, revs, &outcome, self.revs.is_empty())?;
            return Ok(());
        }
        self.table(&mut cx.out, &rows, &outcome)?;
        cx.out.flush()?;
        if outcome.missing > 0 {
            writeln!(
                std::io::stderr(),
                "note: {} objects are missing and not counted; `ostree fsck` names them",
                outcome.missing
            )?;
        }
        Ok(())
    }
}

/// Every ref that keeps objects. An alias is no ref of its own: it goes with the one it names.
fn all_refs(repo: &Repo) -> Result<Vec<(String, CommitId)>> {
    let aliases = repo.list_aliases()?;
    let mut refs = Vec::new();
    for (key, id) in repo.list_ref_keys(ListRefs::default())? {
        match &key {
            RefKey::Local(name) if aliases.contains_key(name) => {}
            RefKey::Mirror(..) => {}
            key => refs.push((key.display(), id)),
        }
    }
    for ((collection, name), id) in repo.list_collection_refs(true)? {
        refs.push((format!("({collection}, {name})"), id));
    }
    Ok(refs)
}

impl Args {
    /// Bytes on disk.
    fn disk(&self, usage: &Usage) -> u64 {
        match self.allocated {
            true => usage.allocated,
            false => usage.stored,
        }
    }

    fn weight(&self, rev: &RevUsage) -> u64 {
        match self.sort.unwrap_or_default() {
            Sort::Exclusive => self.disk(&rev.exclusive),
            Sort::Shared => self.disk(&rev.all.without(&rev.exclusive)),
            Sort::Disk => self.disk(&rev.all),
            Sort::Unpacked => rev.all.unpacked,
            Sort::Objects => rev.all.objects,
            Sort::Commits => rev.commits,
            Sort::Name => 0,
        }
    }

    fn table(&self, out: &mut dyn Write, rows: &[Row], outcome: &DuOutcome) -> Result<()> {
        let size = |n: u64| match self.bytes {
            true => n.to_string(),
            // The text has a no-break space, which would count as one column and take two bytes.
            false => si(n).replace('\u{a0}', " "),
        };
        let disk = |usage: &Usage| size(self.disk(usage));
        let none = String::new;
        let mut lines = vec![
            [
                "EXCLUSIVE",
                "SHARED",
                "DISK",
                "UNPACKED",
                "OBJECTS",
                "COMMITS",
                "REF",
            ]
            .map(str::to_owned),
        ];
        for Row { name, usage, .. } in rows {
            lines.push([
                disk(&usage.exclusive),
                disk(&usage.all.without(&usage.exclusive)),
                disk(&usage.all),
                size(usage.all.unpacked),
                usage.all.objects.to_string(),
                usage.commits.to_string(),
                name.clone(),
            ]);
        }
        let mut sum = |usage: &Usage, name: &str| {
            lines.push([
                none(),
                none(),
                disk(usage),
                size(usage.unpacked),
                usage.objects.to_string(),
                none(),
                name.to_owned(),
            ]);
        };
        sum(&outcome.total, "total");
        if self.revs.is_empty() {
            sum(&outcome.unreached, "not reached by any ref");
        }
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max();
        let widths: Vec<usize> = (0..6).map(|at| width(at).unwrap_or(0)).collect();
        for line in &lines {
            for (text, width) in line.iter().zip(&widths) {
                write!(out, "{text:>width$}  ")?;
            }
            writeln!(out, "{}", line[6])?;
        }
        Ok(())
    }
}
