//! `ostree refs`.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use osier_object::CommitId;
use osier_object::refs::validate_collection_id;
use osier_store::{ListRefs, RefKey, Repo, TransactionOptions};

use crate::context::Cx;
use crate::json;
use crate::json::refs::Ref;
use crate::table::{RepoCommand, Usage};

/// List, create and delete refs
#[derive(clap::Args)]
#[command(
    after_help = "ostree refs --repo=repo --create=exampleos/x86_64/stable exampleos/x86_64/testing"
)]
pub struct Args {
    /// Delete the refs that match PREFIX
    #[arg(long)]
    delete: bool,
    /// Print whole names: do not cut off PREFIX
    #[arg(long)]
    list: bool,
    /// Print the commit of each ref too
    #[arg(short = 'r', long)]
    revision: bool,
    /// List aliases, or with --create make one
    #[arg(short = 'A', long)]
    alias: bool,
    /// Make a ref for the commit given as argument
    #[arg(long, value_name = "NEWREF")]
    create: Option<String>,
    /// Show collections; PREFIX is a collection ID, NEWREF is COLLECTION-ID:REF
    #[arg(short = 'c', long)]
    collections: bool,
    /// With --create, replace a ref that exists
    #[arg(long)]
    force: bool,
    /// Print JSON: whole names, always with the commit
    #[arg(long)]
    json: bool,
    #[arg(value_name = "PREFIX")]
    prefixes: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "[PREFIX]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        json::alone(
            self.json,
            &[
                ("--create", self.create.is_some()),
                ("--delete", self.delete),
            ],
        )?;
        if let Some(new) = &self.create {
            return self.create(repo, new);
        }
        if self.delete {
            if self.prefixes.is_empty() {
                bail!("At least one PREFIX is required when deleting refs");
            }
            return self.delete(repo);
        }
        if self.json {
            return self.list_json(cx, repo);
        }
        match (self.collections, self.alias) {
            (true, _) => self.list_collections(cx, repo),
            (false, true) if self.prefixes.is_empty() => {
                for (alias, target) in repo.list_aliases()? {
                    writeln!(cx.out, "{alias} -> {target}")?;
                }
                Ok(())
            }
            (false, alias) => self.list_refs(cx, repo, alias),
        }
    }
}

impl Args {
    fn create(&self, repo: &Repo, new: &str) -> Result<()> {
        let [existing] = self.prefixes.as_slice() else {
            bail!(match self.prefixes.len() {
                0 => "You must specify a revision when creating a new ref",
                _ => "You must specify only 1 existing ref when creating a new ref",
            });
        };
        if self.alias && !self.collections {
            return self.create_alias(repo, new, existing);
        }
        // From here on nobody can delete the commit that is found.
        let mut transaction = repo.begin(&TransactionOptions::default())?;
        transaction.hold_refs()?;
        let commit = repo.resolve_rev(existing)?;
        let key = match (self.collections, new.split_once(':')) {
            (false, _) => RefKey::from_refspec(new)?,
            (true, parts) => {
                let (collection, name) = parts.unwrap_or((new, ""));
                validate_collection_id(collection)?;
                // The repository's own collection is its local refs.
                if repo.config().collection_id.as_deref() == Some(collection) {
                    RefKey::from_refspec(name)?
                } else {
                    osier_object::refs::validate_ref_name(name)?;
                    RefKey::Mirror(collection.to_owned(), name.to_owned())
                }
            }
        };
        // Refs of other collections are replaced without asking.
        if !self.force && !matches!(key, RefKey::Mirror(..)) {
            // A name that reads as the start of a checksum means that commit.
            let exists = match &key {
                RefKey::Local(name) if is_hex(name) => repo.resolve_rev_opt(name)?.is_some(),
                key => repo.read_ref(key)?.is_some(),
            };
            if exists {
                bail!("--create specified but ref {new} already exists");
            }
        }
        transaction.set_ref(key, Some(commit));
        transaction.commit()?;
        Ok(())
    }

    fn create_alias(&self, repo: &Repo, new: &str, existing: &str) -> Result<()> {
        if let RefKey::Remote(remote, _) = RefKey::from_refspec(new)? {
            bail!("Cannot create alias to remote ref: {remote}");
        }
        if new == existing {
            bail!("Cannot create alias to itself: {new}");
        }
        if !self.force
            && !repo.list_aliases()?.contains_key(new)
            && repo.resolve_rev_opt(new)?.is_some()
        {
            bail!("--create specified but ref {new} already exists");
        }
        Ok(repo.set_alias(new, existing)?)
    }

    fn delete(&self, repo: &Repo) -> Result<()> {
        let transaction = repo.begin(&TransactionOptions::default())?;
        for prefix in &self.prefixes {
            if self.collections {
                for (collection, name) in collection_refs(repo, Some(prefix))?.into_keys() {
                    transaction.set_collection_ref(&collection, &name, None)?;
                }
            } else {
                for (key, _, _) in matching(repo, prefix, false)? {
                    transaction.set_ref(key, None);
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn list_refs(&self, cx: &mut Cx, repo: &Repo, alias: bool) -> Result<()> {
        if self.prefixes.is_empty() {
            for (name, commit) in repo.list_refs(ListRefs::default())? {
                self.print(cx, &name, &commit, false)?;
            }
        }
        for prefix in &self.prefixes {
            for (key, short, commit) in matching(repo, prefix, alias)? {
                let name = if self.list { key.display() } else { short };
                self.print(cx, &name, &commit, alias)?;
            }
        }
        Ok(())
    }

    /// As the text forms list them.
    fn list_json(&self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let mut found = Vec::new();
        if self.collections {
            for prefix in self.collection_prefixes() {
                for ((collection, name), commit) in collection_refs(repo, prefix)? {
                    found.push(Ref::of_collection(&collection, &name, &commit));
                }
            }
            return Ok(json::refs::print(&mut cx.out, found)?);
        }
        let aliases = repo.list_aliases()?;
        let mut add = |key: &RefKey, commit: &CommitId| {
            found.push(match key {
                RefKey::Remote(remote, name) => Ref::new(Some(remote), name, commit),
                RefKey::Mirror(collection, name) => Ref::of_collection(collection, name, commit),
                RefKey::Local(name) => {
                    Ref::new(None, name, commit).alias_of(aliases.get(name).cloned())
                }
            });
        };
        if self.prefixes.is_empty() {
            let wanted = ListRefs {
                aliases_only: self.alias,
                ..Default::default()
            };
            for (key, commit) in repo.list_ref_keys(wanted)? {
                add(&key, &commit);
            }
        }
        for prefix in &self.prefixes {
            for (key, _, commit) in matching(repo, prefix, self.alias)? {
                add(&key, &commit);
            }
        }
        Ok(json::refs::print(&mut cx.out, found)?)
    }

    fn print(&self, cx: &mut Cx, name: &str, commit: &CommitId, alias: bool) -> Result<()> {
        match (alias, self.revision) {
            (true, _) => writeln!(cx.out, "{name} -> {commit}")?,
            (false, true) => writeln!(cx.out, "{name}\t{commit}")?,
            (false, false) => writeln!(cx.out, "{name}")?,
        }
        Ok(())
    }

    /// The collections asked for; `None` for all.
    fn collection_prefixes(&self) -> Vec<Option<&String>> {
        match self.prefixes.as_slice() {
            [] => vec![None],
            prefixes => prefixes.iter().map(Some).collect(),
        }
    }

    fn list_collections(&self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        for prefix in self.collection_prefixes() {
            for ((collection, name), commit) in collection_refs(repo, prefix)? {
                write!(cx.out, "({collection}, {name})")?;
                if self.revision {
                    write!(cx.out, "\t{commit}")?;
                }
                writeln!(cx.out)?;
            }
        }
        Ok(())
    }
}

/// The refs of one collection, or of all.
fn collection_refs(
    repo: &Repo,
    only: Option<&String>,
) -> Result<BTreeMap<(String, String), CommitId>> {
    let mut refs = repo.list_collection_refs(false)?;
    if let Some(only) = only {
        validate_collection_id(only).context("Listing refs")?;
        refs.retain(|(collection, _), _| collection == only);
    }
    Ok(refs)
}

/// The refs below `prefix` (a ref, a folder of refs, or `REMOTE:` with either)
/// and their names without it.
fn matching(
    repo: &Repo,
    prefix: &str,
    aliases_only: bool,
) -> Result<Vec<(RefKey, String, CommitId)>> {
    // `REMOTE:.` is an older form of `REMOTE:`.
    let whole_remote = prefix
        .strip_suffix(":.")
        .or_else(|| prefix.strip_suffix(':'));
    let (remote, wanted) = match whole_remote {
        Some(remote) => {
            osier_object::refs::validate_remote_name(remote).context("Listing refs")?;
            (Some(remote.to_owned()), String::new())
        }
        None => match RefKey::from_refspec(prefix).context("Listing refs")? {
            RefKey::Remote(remote, name) => (Some(remote), name),
            RefKey::Local(name) | RefKey::Mirror(_, name) => (None, name),
        },
    };
    if remote.is_none() && !wanted.is_empty() {
        // Below a ref there is nothing to list, which is an error.
        repo.read_ref(&RefKey::Local(wanted.clone()))
            .context("Listing refs")?;
    }
    let mut found = Vec::new();
    let mut seen_aliases = None;
    if aliases_only {
        seen_aliases = Some(repo.list_aliases()?);
    }
    for (key, commit) in repo.list_ref_keys(ListRefs::default())? {
        let (key_remote, name) = match &key {
            RefKey::Local(name) | RefKey::Mirror(_, name) => (None, name.as_str()),
            RefKey::Remote(remote, name) => (Some(remote), name.as_str()),
        };
        if key_remote != remote.as_ref()
            // A ref that is named in full is shown whatever it is.
            || seen_aliases
                .as_ref()
                .is_some_and(|a| !a.contains_key(name) && name != wanted)
        {
            continue;
        }
        let Some(short) = below(name, &wanted) else {
            continue;
        };
        let short = match &remote {
            Some(remote) => format!("{remote}:{short}"),
            None => short.to_owned(),
        };
        found.push((key, short, commit));
    }
    Ok(found)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `name` without the folder `wanted`; whole if it is `wanted` itself.
fn below<'a>(name: &'a str, wanted: &str) -> Option<&'a str> {
    if wanted.is_empty() || name == wanted {
        return Some(name);
    }
    name.strip_prefix(wanted)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn prefixes_are_whole_path_components() {
        assert_eq!(below("a/b", "a"), Some("b"));
        assert_eq!(below("a", "a"), Some("a"));
        assert_eq!(below("ab", "a"), None);
        assert_eq!(below("a/b/c", "a/b"), Some("c"));
        assert_eq!(below("a/b", ""), Some("a/b"));
        assert_eq!(below("b", "a"), None);
    }
}
