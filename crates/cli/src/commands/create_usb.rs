//! `ostree create-usb`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use osier_object::refs::{validate_collection_id, validate_ref_name};
use osier_object::{Commit, CommitId, ObjectType};
use osier_store::ReadObjects;
use osier_store::local_pull::{LocalPullOptions, pull_local};
use osier_store::parallel::Cancel;
use osier_store::summary;
use osier_store::{CreateOptions, Repo, RepoMode, TransactionOptions, bindings};

use crate::context::Cx;
use crate::error::usage;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};

/// Where repositories are found without a link to them.
const FOUND: [&str; 2] = [".ostree/repo", "ostree/repo"];
const LINKS: &str = ".ostree/repos.d";

/// Copy refs of collections to a USB stick
#[derive(clap::Args)]
#[command(
    after_help = "ostree create-usb --repo=repo /media/stick org.example.Os exampleos/x86_64/stable"
)]
pub struct Args {
    /// Do not sync to disk
    #[arg(long)]
    disable_fsync: bool,
    /// Write to this repository on the stick (default: .ostree/repo)
    #[arg(long, value_name = "DEST")]
    destination_repo: Option<String>,
    /// Copy this commit of the ref, of which there must be one only
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((mount, pairs)) = self.args.split_first() else {
            return Err(usage("A MOUNT-PATH must be specified"));
        };
        if pairs.len() < 2 {
            return Err(usage(
                "At least one COLLECTION-ID REF pair must be specified",
            ));
        }
        if !pairs.len().is_multiple_of(2) {
            return Err(usage(
                "Only complete COLLECTION-ID REF pairs may be specified",
            ));
        }
        if self.commit.is_some() && pairs.len() > 2 {
            return Err(usage(
                "The --commit option can only be used when a single COLLECTION-ID REF pair is specified",
            ));
        }
        let destination = self.destination_repo.as_deref().unwrap_or(FOUND[0]);
        // The C tool lets `..` lead out of the stick.
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if destination.is_empty() || !Path::new(destination).components().all(plain) {
            return Err(usage(
                "--destination-repo must be a descendent of MOUNT-PATH",
            ));
        }
        for pair in pairs.chunks(2) {
            if validate_collection_id(&pair[0]).is_err() {
                bail!("Invalid collection ID {}", pair[0]);
            }
            if validate_ref_name(&pair[1]).is_err() {
                bail!("Invalid ref name {}", pair[1]);
            }
        }
        let root = mounted(mount)?;
        let wanted = self.wanted(repo, pairs)?;
        let path = folder(&root, destination)?;
        let stick = Repo::create(
            &path,
            &CreateOptions {
                mode: RepoMode::Archive,
                collection_id: None,
            },
        )?;
        self.copy(repo, &stick, &wanted)?;
        link(&root, destination)?;
        let (count, source) = (pairs.len() / 2, fs::canonicalize(repo.path())?);
        writeln!(
            cx.out,
            "Copied {count}/{count} refs successfully from ‘{}’ to ‘{destination}’ repository in ‘{mount}’.",
            source.display()
        )?;
        Ok(())
    }
}

type Wanted = BTreeMap<(String, String), CommitId>;

impl Args {
    /// The commits of the refs. Each must have been made for its ref: finders on other machines refuse it otherwise.
    fn wanted(&self, repo: &Repo, pairs: &[String]) -> Result<Wanted> {
        let known = repo.list_collection_refs(false)?;
        let mut wanted = Wanted::new();
        for pair in pairs.chunks(2) {
            let name = (pair[0].clone(), pair[1].clone());
            let id = match &self.commit {
                Some(given) => given
                    .parse()
                    .map_err(|_| anyhow!("Invalid commit checksum {given}"))?,
                None => match known.get(&name) {
                    Some(tip) => *tip,
                    None => bail!("Collection–ref ({}, {}) not found", name.0, name.1),
                },
            };
            let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
            let commit = Commit::decode(&bytes).with_context(|| format!("reading commit {id}"))?;
            let own = repo.config().collection_id.as_ref() == Some(&name.0);
            let bound = commit.metadata.contains_key("ostree.collection-binding");
            let collection = (own || bound).then_some(name.0.as_str());
            bindings::verify(&id, &commit, collection, Some(&name.1))?;
            wanted.insert(name, id);
        }
        Ok(wanted)
    }

    /// Copies the commits, then sets the refs, then lists them in the summary: nobody finds a ref without its objects.
    fn copy(&self, repo: &Repo, stick: &Repo, wanted: &Wanted) -> Result<()> {
        let fsync = self.disable_fsync.then_some(false);
        let commits: Vec<String> = wanted.values().map(CommitId::to_string).collect();
        let options = LocalPullOptions {
            refs: &commits,
            fsync,
            disable_verify_bindings: true,
            ..LocalPullOptions::default()
        };
        let bar = Bar::new("Importing objects");
        pull_local(stick, repo, &options, &bar, &Cancel::default())?;
        bar.finish();
        let tx = stick.begin(&TransactionOptions {
            fsync,
            per_object_fsync: None,
        })?;
        for ((collection, name), id) in wanted {
            tx.set_collection_ref(collection, name, Some(*id))?;
        }
        tx.commit()?;
        Ok(summary::refresh(stick)?)
    }
}

/// The stick's root, in the words of the C tool where it cannot be opened.
fn mounted(mount: &str) -> Result<PathBuf> {
    let opened = fs::read_dir(mount).and_then(|_| fs::canonicalize(mount));
    opened.map_err(|e| {
        let cause = match e.kind() {
            ErrorKind::NotFound => "No such file or directory".to_owned(),
            ErrorKind::NotADirectory => "Not a directory".to_owned(),
            _ => e.to_string(),
        };
        anyhow!("opendir({mount}): {cause}")
    })
}

/// Makes a folder on the stick. Links that are there already must not lead elsewhere: who filled the stick before may
/// want other files of this machine overwritten.
fn folder(root: &Path, below: &str) -> Result<PathBuf> {
    let mut path = root.to_owned();
    for part in Path::new(below).components() {
        path.push(part);
        match fs::create_dir(&path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("creating {}", path.display()));
            }
            _ => {}
        }
        path = fs::canonicalize(&path).with_context(|| format!("following {}", path.display()))?;
        if !path.starts_with(root) {
            bail!("{below} in {} leads out of it", root.display());
        }
    }
    Ok(path)
}

/// Links a repository where finders look, unless they find it anyway or by a link of an earlier run.
fn link(root: &Path, destination: &str) -> Result<()> {
    let destination: PathBuf = Path::new(destination).components().collect();
    if FOUND.iter().any(|found| destination == Path::new(found)) || destination.starts_with(LINKS) {
        return Ok(());
    }
    let links = folder(root, LINKS)?;
    let target = Path::new("../..").join(destination);
    for number in 0..100 {
        let link = links.join(format!("{number:02}-generated"));
        match std::os::unix::fs::symlink(&target, &link) {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                if fs::read_link(&link).is_ok_and(|there| there == target) {
                    return Ok(());
                }
            }
            Err(e) => return Err(e).with_context(|| format!("linking {}", link.display())),
        }
    }
    bail!(
        "linking the repository: no number is free in {}",
        links.display()
    )
}
