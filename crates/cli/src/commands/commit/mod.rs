//! `ostree commit`.

mod message;
mod metadata;
mod selinux;
mod trees;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use osier_object::refs::is_checksum;
use osier_object::{CommitId, ObjectType};
use osier_store::commit::{self, CommitOptions, DevinoCache, Modifier, SkipList, StatOverrides};
use osier_store::{ReadObjects, RefKey, Repo, Stats, TransactionOptions};

use crate::context::Cx;
use crate::progress::Bar;
use crate::render::date;
use crate::signing::SigningArgs;
use crate::table::{RepoCommand, Usage};
use crate::{clock, value};

/// Record a tree of files as a new commit
#[derive(clap::Args)]
#[command(
    after_help = "ostree commit --repo=repo -b exampleos/x86_64/stable -s 'Version 1.2' --tree=dir=rootfs"
)]
pub struct Args {
    /// Checksum of the parent commit, or "none"
    #[arg(long, value_name = "COMMIT")]
    parent: Option<String>,
    #[command(flatten)]
    message: message::MessageArgs,
    /// Ref to write
    #[arg(short, long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Write no ref
    #[arg(long)]
    orphan: bool,
    #[command(flatten)]
    metadata: metadata::MetadataArgs,
    /// Start from this commit's tree, which no option modifies
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Lay this tree over those before it
    #[arg(long = "tree", value_name = "dir=PATH or tar=TARFILE or ref=COMMIT")]
    trees: Vec<String>,
    #[command(flatten)]
    modify: ModifyArgs,
    /// If the tree is that of the parent, write nothing and print the parent
    #[arg(long)]
    skip_if_unchanged: bool,
    /// Delete the files of local directories once they are in the repository
    #[arg(long)]
    consume: bool,
    /// Print what was written as lines KEY: VALUE
    #[arg(long)]
    table_output: bool,
    #[command(flatten)]
    signing: SigningArgs,
    /// Sign with the secret keys in this file
    #[arg(long, value_name = "PATH")]
    sign_from_file: Vec<PathBuf>,
    /// Whether to sync written data to disk (a boolean; default: true)
    #[arg(long, value_name = "POLICY", value_parser = value::boolean)]
    fsync: Option<bool>,
    /// Date of the commit, as GNU date reads it
    #[arg(long, value_name = "TIMESTAMP")]
    timestamp: Option<String>,
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Options that change entries on their way in.
#[derive(clap::Args)]
struct ModifyArgs {
    /// Owner of every file
    #[arg(long, value_name = "UID", value_parser = value::int)]
    owner_uid: Option<i32>,
    /// Group of every file
    #[arg(long, value_name = "GID", value_parser = value::int)]
    owner_gid: Option<i32>,
    /// Owner root:root, modes within 0755, no extended attributes
    #[arg(long)]
    canonical_permissions: bool,
    /// Clear the write bits of executables
    #[arg(long)]
    mode_ro_executables: bool,
    /// Drop extended attributes
    #[arg(long)]
    no_xattrs: bool,
    /// Label files by the SELinux policy of the root file system PATH
    #[arg(long, value_name = "PATH")]
    selinux_policy: Option<PathBuf>,
    /// Label files by the SELinux policy of --base or the first --tree
    #[arg(short = 'P', long)]
    selinux_policy_from_base: bool,
    /// Labelling rules: 0, or 1 to label /usr/etc as /etc
    #[arg(long, value_name = "EPOCH")]
    selinux_labeling_epoch: Option<String>,
    /// Know files hard-linked from the repository by their inode
    #[arg(long)]
    link_checkout_speedup: bool,
    /// Trust that such files are unmodified (implies --link-checkout-speedup)
    #[arg(short = 'I', long)]
    devino_canonical: bool,
    /// Make missing parent directories of a tar archive
    #[arg(long)]
    tar_autocreate_parents: bool,
    /// Rewrite the paths in a tar archive
    #[arg(long, value_name = "REGEX,REPLACEMENT")]
    tar_pathname_filter: Option<String>,
    /// File with lines [=]MODE /PATH: modes to add or to set
    #[arg(long, value_name = "PATH")]
    statoverride: Option<PathBuf>,
    /// File with paths to leave out
    #[arg(long, value_name = "PATH")]
    skip_list: Option<PathBuf>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "[PATH]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        if self.branch.is_none() && !self.orphan {
            bail!("A branch must be specified with --branch, or use --orphan");
        }
        let target = self
            .branch
            .as_deref()
            .map(RefKey::from_refspec)
            .transpose()?;
        let (subject, body) = self.message.read(self.branch.as_deref())?;
        let timestamp = self.timestamp()?;
        let signing = self.signing.signing(&self.sign_from_file)?;
        let detached = self.metadata.detached()?;
        let mut modifier = self.modifier()?;
        modifier.selinux = self.selinux(repo)?;

        let options = TransactionOptions {
            fsync: if self.fsync == Some(false) {
                Some(false)
            } else {
                None
            },
            ..Default::default()
        };
        let mut transaction = repo.begin(&options)?;
        // From here on nobody deletes what is found. The parent is looked for again at the end; what is wrong with it is
        // best known before the work.
        let mut parent = self.parent(repo)?;
        let build = |parent: &Option<CommitId>| {
            self.metadata
                .build(repo, self.branch.as_deref(), parent.as_ref())
        };
        let mut metadata = build(&parent)?;
        if self.modify.link_checkout_speedup || self.modify.devino_canonical {
            modifier.devino = Some(DevinoCache::scan(repo)?);
        }
        let so_far = || {
            let stats = transaction.stats();
            let files = stats.content_total + stats.devino_cache_hits;
            (files, stats.content_bytes_written)
        };
        let root = Bar::new("Committing files")
            .watch(so_far, || self.tree(repo, &transaction, &modifier))?;
        // From here on nobody else moves the branch. Another commit may have done so while the tree was read: it becomes
        // the parent, or it would be lost.
        transaction.hold_refs()?;
        let now = self.parent(repo)?;
        if now != parent {
            parent = now;
            metadata = build(&parent)?;
        }
        if let (true, Some(parent)) = (self.skip_if_unchanged, parent) {
            let old = repo.load_commit(&parent)?;
            if (old.root_dirtree, old.root_dirmeta) == (root.dirtree, root.dirmeta) {
                if self.consume {
                    // It is all stored: what was to be moved in can go.
                    transaction.commit()?;
                    self.remove_roots()?;
                }
                return self.report(cx, &parent, &Stats::default());
            }
        }
        let metadata = self.metadata.with_tree(&transaction, root, metadata)?;
        let id = commit::write(
            &transaction,
            root,
            &CommitOptions {
                parent,
                subject,
                body,
                timestamp,
                metadata,
            },
        )?;
        if detached.is_some() || !signing.is_empty() {
            let mut detached = detached.unwrap_or_default();
            let bytes = transaction.read_metadata(ObjectType::Commit, &id.0)?;
            signing.add_to(&mut detached, &bytes, "commit file")?;
            transaction.write_commitmeta(&id, &detached)?;
        }
        if let Some(target) = target {
            transaction.set_ref(target, Some(id));
        }
        fail_on_request()?;
        let stats_before = transaction.stats();
        let stats = Bar::new("Syncing to disk; new files").watch(
            || (stats_before.content_written, 0),
            || transaction.commit(),
        )?;
        if self.consume {
            self.remove_roots()?;
        }
        self.report(cx, &id, &stats)
    }
}

impl Args {
    /// `--parent`, else where the branch is now.
    fn parent(&self, repo: &Repo) -> Result<Option<CommitId>> {
        match (self.parent.as_deref(), &self.branch) {
            (Some("none"), _) => Ok(None),
            (Some(rev), _) if !is_checksum(rev) => bail!("Invalid rev {rev}"),
            (Some(rev), _) => Ok(Some(rev.parse()?)),
            (None, Some(branch)) if !self.orphan => Ok(repo.resolve_rev_opt(branch)?),
            (None, _) => Ok(None),
        }
    }

    fn timestamp(&self) -> Result<u64> {
        match &self.timestamp {
            Some(text) => date::parse(text),
            None => clock::commit_time(),
        }
    }

    fn modifier(&self) -> Result<Modifier> {
        let m = &self.modify;
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("openat({})", path.display()))
        };
        let owner = |id: Option<i32>| id.and_then(|id| u32::try_from(id).ok());
        for (id, option) in [(m.owner_uid, "--owner-uid"), (m.owner_gid, "--owner-gid")] {
            if m.canonical_permissions && owner(id).is_some_and(|id| id != 0) {
                bail!("Cannot specify both --canonical-permissions and non-zero {option}");
            }
        }
        Ok(Modifier {
            owner_uid: owner(m.owner_uid),
            owner_gid: owner(m.owner_gid),
            mode_ro_executables: m.mode_ro_executables,
            stat_overrides: match &m.statoverride {
                Some(path) => StatOverrides::parse(&read(path)?)?,
                None => StatOverrides::default(),
            },
            skip: match &m.skip_list {
                Some(path) => SkipList::parse(&read(path)?),
                None => SkipList::default(),
            },
            canonical_permissions: m.canonical_permissions,
            no_xattrs: m.no_xattrs,
            selinux: None,
            devino: None,
            devino_canonical: m.devino_canonical,
            consume: self.consume,
        })
    }

    /// The directories that were consumed are empty now, but for what was left out.
    fn remove_roots(&self) -> Result<()> {
        let paths: Vec<&Path> = match self.trees.is_empty() {
            true => vec![self.paths.first().map_or(Path::new("."), PathBuf::as_path)],
            false => self
                .trees
                .iter()
                .filter_map(|tree| tree.strip_prefix("dir="))
                .map(Path::new)
                .collect(),
        };
        for path in paths {
            match std::fs::remove_dir(path) {
                Err(e)
                    if !matches!(
                        e.kind(),
                        ErrorKind::DirectoryNotEmpty | ErrorKind::InvalidInput
                    ) =>
                {
                    return Err(e).with_context(|| format!("unlinkat({})", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn report(&self, cx: &mut Cx, id: &CommitId, stats: &Stats) -> Result<()> {
        if !self.table_output {
            writeln!(cx.out, "{id}")?;
            return Ok(());
        }
        writeln!(cx.out, "Commit: {id}")?;
        for (label, number) in [
            ("Metadata Total", stats.metadata_total),
            ("Metadata Written", stats.metadata_written),
            ("Content Total", stats.content_total),
            ("Content Written", stats.content_written),
            ("Content Cache Hits", stats.devino_cache_hits),
            ("Content Bytes Written", stats.content_bytes_written),
        ] {
            writeln!(cx.out, "{label}: {number}")?;
        }
        Ok(())
    }
}

/// Fails with everything staged and nothing published, if the environment asks
/// for it: the suite of the C project looks what such an end leaves behind.
fn fail_on_request() -> Result<()> {
    match std::env::var("OSTREE_REPO_TEST_ERROR").as_deref() {
        Ok("pre-commit") => bail!("OSTREE_REPO_TEST_ERROR_PRE_COMMIT"),
        _ => Ok(()),
    }
}
