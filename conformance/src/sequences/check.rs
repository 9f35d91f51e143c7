//! Running a sequence in both worlds, and everything that may differ.

use super::prose;
use super::step::Step;
use super::world::{Memory, World, remove};
use osier_testkit::repo;
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::{Outcome, Tool};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Where and how the tools differ.
#[derive(Debug)]
pub struct Difference {
    /// The number of the step after which it showed.
    pub after: usize,
    /// What kind of difference: shrinking keeps it.
    pub kind: String,
    /// The differences, a line each.
    pub lines: Vec<String>,
}

/// The two tools and where their folders lie.
pub struct Pair<'a> {
    ours: &'a Tool,
    c: &'a Tool,
    scratch: &'a Path,
}

impl<'a> Pair<'a> {
    /// The tools, and a folder of one's own.
    pub fn new(ours: &'a Tool, c: &'a Tool, scratch: &'a Path) -> Self {
        Pair { ours, c, scratch }
    }

    /// Runs the steps in both worlds and gives the first difference.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn run(&self, steps: &[Step]) -> io::Result<Option<Difference>> {
        let [one, two] = ["ours", "c"].map(|name| self.scratch.join(name));
        let found = self.both(&one, &two, steps);
        remove(&one)?;
        remove(&two)?;
        found
    }

    /// Runs the steps once more and leaves both worlds below `to`, to look at.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn leave(&self, steps: &[Step], to: &Path) -> io::Result<()> {
        remove(to)?;
        self.both(&to.join("ours"), &to.join("c"), steps).map(drop)
    }

    fn both(&self, one: &Path, two: &Path, steps: &[Step]) -> io::Result<Option<Difference>> {
        let ours = World::new(self.ours, one)?;
        let c = World::new(self.c, two)?;
        let mut memory = Memory::default();
        let mut spoilt = false;
        for (after, step) in steps.iter().enumerate() {
            let step = &c.settle(step, &memory);
            let theirs = c.step(step)?;
            let mine = ours.step(step)?;
            spoilt |= step.spoils_metadata();
            let (Some(mine), Some(theirs)) = (mine, theirs) else {
                continue;
            };
            if (theirs.code >= 128 || theirs.stderr.contains("-CRITICAL **")) && mine.code == 1 {
                // It crashed, or passed over a failed assertion, where ours reports an error. What it left is nobody's
                // model.
                return Ok(None);
            }
            if (mine.code, theirs.code) == (1, 0) && refused_alone(step, &mine) {
                return Ok(None);
            }
            let loose = Loose::of(step, &theirs, two);
            let mut lines = outcomes(step, loose, &mine, &theirs);
            if spoilt {
                // What an unreadable listing says is guesswork; that it was seen counts.
                lines.clear();
                if mine.code == theirs.code {
                    return Ok(None);
                }
                lines.push(format!(
                    "a damaged object: exit code {} != {}",
                    mine.code, theirs.code
                ));
            }
            if !lines.is_empty() {
                let kind = format!("{:?} {}", step.command(), mine.code == theirs.code);
                return Ok(Some(Difference { after, kind, lines }));
            }
            if mine.code != 0 {
                clear(step, one)?;
                clear(step, two)?;
                forgive_tombstones(step, one, two)?;
            }
            if step.command() == Some("commit") {
                let printed = theirs.stdout.lines().next().unwrap_or_default();
                let id = printed.strip_prefix("Commit: ").unwrap_or(printed);
                if id.len() == 64 {
                    memory.commits.push(id.to_owned());
                }
            }
        }
        let lines = disks(one, two).map_err(io::Error::other)?;
        if lines.is_empty() {
            return Ok(None);
        }
        let after = steps.len().saturating_sub(1);
        let kind = "disk".to_owned();
        Ok(Some(Difference { after, kind, lines }))
    }
}

/// What only ours refuses (docs/differences.md): a reset to a commit that is not stored; a commit that is pulled for two
/// refs and bound to one.
fn refused_alone(step: &Step, ours: &Outcome) -> bool {
    match step.command() {
        Some("reset") => true,
        Some("pull-local") => ours.stderr.contains("in ref binding metadata"),
        _ => false,
    }
}

/// Removes what a failed command may leave behind, which is each tool's own affair: staged objects, half an archive or
/// checkout, what is left of a tree to consume.
fn clear(step: &Step, world: &Path) -> io::Result<()> {
    remove(&world.join("export.tar"))?;
    if let Step::Run { args, .. } = step {
        match (step.command(), args.last()) {
            (Some("checkout"), Some(to)) if !to.is_empty() => remove(&world.join(to))?,
            (Some("commit"), _) if args.iter().any(|arg| arg == "--consume") => {
                for tree in args
                    .iter()
                    .filter_map(|arg| arg.strip_prefix("--tree=dir="))
                {
                    remove(&world.join(tree))?;
                }
            }
            _ => {}
        }
    }
    for repo in std::fs::read_dir(world)? {
        let Ok(entries) = std::fs::read_dir(repo?.path().join("tmp")) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("staging-") {
                remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// A commit that could not be deleted has switched tombstones on in the C tool's repository (docs/differences.md).
fn forgive_tombstones(step: &Step, ours: &Path, c: &Path) -> io::Result<()> {
    let Step::Run { args, .. } = step else {
        return Ok(());
    };
    let repo = args.iter().find_map(|arg| arg.strip_prefix("--repo="));
    match repo {
        Some(repo) if args.iter().any(|arg| arg.starts_with("--delete-commit")) => {
            let config = Path::new(repo).join("config");
            match c.join(&config).exists() {
                true => std::fs::copy(c.join(&config), ours.join(&config)).map(drop),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// What of an output need not be the same.
#[derive(Clone, Copy)]
enum Loose {
    /// Nothing.
    Nothing,
    /// All of it: half an archive that failed.
    Everything,
    /// How many bytes there are or were freed: objects are compressed differently.
    Freed,
}

impl Loose {
    fn of(step: &Step, outcome: &Outcome, world: &Path) -> Loose {
        let Step::Run { args, .. } = step else {
            return Loose::Nothing;
        };
        let is_archive = || {
            let repo = args.iter().find_map(|arg| arg.strip_prefix("--repo="));
            let config = world.join(repo.unwrap_or_default()).join("config");
            std::fs::read_to_string(config).is_ok_and(|text| text.contains("mode=archive"))
        };
        match step.command() {
            Some("export") if outcome.code != 0 => Loose::Everything,
            Some("prune" | "diff") if is_archive() => Loose::Freed,
            _ => Loose::Nothing,
        }
    }
}

fn outcomes(step: &Step, loose: Loose, ours: &Outcome, c: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    if ours.code != c.code {
        lines.push(format!("exit code: {} != {}", ours.code, c.code));
    }
    let (a, b) = (said(step, loose, ours), said(step, loose, c));
    if a != b {
        let extra = |these: &[String], those: &[String], sign: &str| -> Vec<String> {
            these
                .iter()
                .filter(|line| !those.contains(line))
                .map(|line| format!("{sign} {line}"))
                .collect()
        };
        lines.push("standard output (< ours, > the C tool's):".to_owned());
        lines.extend(extra(&a, &b, "<"));
        lines.extend(extra(&b, &a, ">"));
        if lines.len() == 1 {
            lines.push(format!("in another order: {a:?} != {b:?}"));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, format!("$ {}", prose::line(step)));
        for outcome in [ours, c] {
            for line in outcome.stderr.lines() {
                lines.push(format!(
                    "{}: {line}",
                    outcome.line.split(' ').next().unwrap_or_default()
                ));
            }
        }
    }
    lines
}

/// The lines of an output without what depends on the time of day or on the order of a hash table.
fn said(step: &Step, loose: Loose, outcome: &Outcome) -> Vec<String> {
    if let Loose::Everything = loose {
        return Vec::new();
    }
    let mut lines: Vec<String> = outcome
        .stdout
        .lines()
        // How far a check came is said every so often, and before it fails.
        .filter(|line| !line.contains("Last-Modified") && !line.starts_with("fsck objects ("))
        // An older C tool does not say so.
        .filter(|line| *line != "Summary is unsigned")
        .map(|line| match loose {
            Loose::Freed if line.starts_with("Common Object Size") => String::new(),
            Loose::Freed => line.split(", ").next().unwrap_or_default().to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    if let Some("refs" | "prune" | "fsck" | "pull-local" | "diff" | "summary") = step.command() {
        lines.sort();
    }
    lines
}

/// Everything that differs between two folders of trees, checkouts and repositories.
///
/// # Errors
/// When one cannot be read.
pub fn disks(one: &Path, two: &Path) -> anyhow::Result<Vec<String>> {
    let (a, b) = (picture(one)?, picture(two)?);
    let mut lines = a.differences(&b);
    for (path, entry) in &a.entries {
        let Some(other) = b.entries.get(path) else {
            continue;
        };
        // Objects and checkouts have a time of 0 or 1; anything else is the time of day.
        if entry.mtime != other.mtime && (entry.mtime < 2 || other.mtime < 2) {
            lines.push(format!(
                "{}: time: {} != {}",
                path.display(),
                entry.mtime,
                other.mtime
            ));
        }
    }
    let (links, others) = (links(&a), links(&b));
    for (path, first) in &links {
        match others.get(path) {
            Some(other) if other != first => lines.push(format!(
                "{}: the same file as {} != {}",
                path.display(),
                first.display(),
                other.display()
            )),
            _ => {}
        }
    }
    Ok(lines)
}

fn picture(root: &Path) -> anyhow::Result<Snapshot> {
    let mut whole = Snapshot::filtered(root, |path| {
        let name = path.file_name().unwrap_or_default();
        // Trees have neither of them.
        name != "tmp" && name != ".lock"
    })?;
    drop_empty_folders(&mut whole);
    repo::unpack(root, &mut whole)?;
    drop_marks_of_nothing(&mut whole);
    for (path, entry) in &mut whole.entries {
        if path.file_name() == Some(OsStr::new("summary")) {
            entry.kind = repo::undated_summary(&root.join(path))?;
        }
    }
    Ok(whole)
}

/// Forgets folders of objects that hold none: they say nothing.
fn drop_empty_folders(whole: &mut Snapshot) {
    let used: BTreeSet<PathBuf> = whole
        .entries
        .keys()
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect();
    whole.entries.retain(|path, _| {
        let of_objects = path
            .parent()
            .is_some_and(|parent| parent.file_name() == Some(OsStr::new("objects")));
        !of_objects || used.contains(path)
    });
}

/// Forgets marks of commits that are not there: the C tool leaves some for parents that it did not find.
fn drop_marks_of_nothing(whole: &mut Snapshot) {
    let stored: BTreeSet<String> = whole
        .entries
        .keys()
        .filter(|path| path.extension() == Some(OsStr::new("commit")))
        .map(|path| {
            let name = path.to_string_lossy();
            let mut parts = name.trim_end_matches(".commit").rsplit('/');
            let rest = parts.next().unwrap_or_default();
            format!("{}{rest}", parts.next().unwrap_or_default())
        })
        .collect();
    whole.entries.retain(|path, _| {
        path.extension() != Some(OsStr::new("commitpartial"))
            || path
                .file_stem()
                .is_some_and(|name| stored.contains(&*name.to_string_lossy()))
    });
}

/// For each file the first name of it.
fn links(whole: &Snapshot) -> BTreeMap<PathBuf, PathBuf> {
    let mut first = BTreeMap::new();
    let mut links = BTreeMap::new();
    for (path, entry) in &whole.entries {
        let name = first.entry(entry.inode).or_insert_with(|| path.clone());
        links.insert(path.clone(), name.clone());
    }
    links
}
