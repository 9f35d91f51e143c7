//! A delta in a folder, applied as a whole or not at all.

use super::apply_parts;
use crate::error::{Context, Error, Result};
use crate::files::DeltaFiles;
use crate::format::signed;
use crate::format::superblock::Superblock;
use crate::signatures;
use osier_object::{CommitId, ObjectType};
use osier_sign::api::TrustedKeys;
use osier_store::parallel::Cancel;
use osier_store::static_deltas::DeltaName;
use osier_store::traverse::{self, Reached, TreeWalk};
use osier_store::{ReadObjects, Repo, Transaction, TransactionOptions};
use rayon::prelude::*;
use std::path::Path;

/// How to apply.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// Keys of which one must have signed the delta; none for no demand of that kind.
    pub trusted: Option<TrustedKeys>,
}

/// Applies the delta in a folder, or of a superblock file whose parts lie beside it. No ref is changed.
///
/// # Errors
/// When the commit it starts from is not there, objects would have to be fetched, bytes are not what the superblock says,
/// the commit would not be whole afterwards, or a signature is demanded and none counts. Nothing is published then.
pub fn apply_offline(
    repo: &Repo,
    path: &Path,
    options: &ApplyOptions,
    cancel: &Cancel,
) -> Result<DeltaName> {
    let files = DeltaFiles::open(path)?;
    let (plain, found) = signed::unwrap(files.superblock()?)?;
    match &options.trusted {
        Some(keys) => {
            signatures::verify(&plain, found.as_ref(), std::slice::from_ref(keys))?;
        }
        None if repo.config().sign_verify_deltas()? => {
            return Err(Error::refused("Key is mandatory to check delta signature"));
        }
        None => {}
    }
    let superblock = Superblock::decode(plain)?;
    let name = superblock.name;
    if let Some(from) = &name.from
        && !repo.has_object(&from.object_name())?
    {
        return Err(Error::refused(format!(
            "Commit {from}, which is the delta source, is not in repository"
        )));
    }
    if !superblock.fallbacks.is_empty() {
        return Err(Error::refused(
            "Cannot execute delta offline: contains nonempty http fallback entries",
        ));
    }
    let tx = repo.begin(&TransactionOptions::default())?;
    apply_parts(&tx, &files, &superblock, cancel)?;
    let target = name.to.object_name();
    if !repo.has_object(&target)? {
        if let Some(meta) = superblock.commitmeta()? {
            tx.write_commitmeta_bytes(&name.to, meta)?;
        }
        tx.write_metadata(ObjectType::Commit, Some(&name.to.0), superblock.commit())?;
    }
    check_whole(&tx, &name.to, cancel)?;
    tx.commit()?;
    Ok(name)
}

/// The superblock only claims that the parts make all that is missing.
fn check_whole(tx: &Transaction<'_>, commit: &CommitId, cancel: &Cancel) -> Result<()> {
    let incomplete = || format!("commit {commit} would not be whole");
    let node = traverse::load_node(tx, commit)?
        .ok_or_else(|| Error::refused(format!("commit {commit} is not there")))?;
    let reached = Reached::new();
    TreeWalk::new(tx, &reached, cancel)
        .commits(&[node])
        .map_err(Error::from)
        .at(incomplete)?;
    let names = reached.into_sorted();
    let missing = osier_store::parallel::run(|| {
        names.par_iter().try_for_each(|name| {
            cancel.check()?;
            match tx.has_object(name)? {
                true => Ok(()),
                false => Err(osier_store::Error::MissingObject(*name)),
            }
        })
    });
    missing.map_err(Error::from).at(incomplete)
}
