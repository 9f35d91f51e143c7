//! Turning what people type (`REF`, `REMOTE:REF`, a checksum or its start, `REV^`) into a commit.

use crate::error::{Error, IoContext, Result};
use crate::read::ReadObjects;
use crate::refs::RefKey;
use crate::repo::Repo;
use osier_object::refs::{is_checksum, parse_refspec};
use osier_object::{CommitId, ObjectType};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

impl Repo {
    /// The commit `rev` names. A full checksum is taken as it is, existing or not.
    ///
    /// # Errors
    /// [`Error::RefNotFound`], [`Error::NotUnique`], [`Error::NoParent`], or an invalid name.
    pub fn resolve_rev(&self, rev: &str) -> Result<CommitId> {
        self.resolve_rev_opt(rev)?
            .ok_or_else(|| Error::RefNotFound(rev.to_owned()))
    }

    /// As [`Repo::resolve_rev`], `None` when a well-formed name is not there.
    ///
    /// # Errors
    /// As [`Repo::resolve_rev`], but for [`Error::RefNotFound`] of the name itself.
    pub fn resolve_rev_opt(&self, rev: &str) -> Result<Option<CommitId>> {
        if is_checksum(rev) {
            return Ok(rev.parse().ok());
        }
        // No digits at all are the start of every checksum: of one, in a repository of a single commit.
        if rev.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            match &self.commits_with_prefix(rev)?[..] {
                [] => {}
                [one] => return Ok(Some(*one)),
                _ => return Err(Error::NotUnique(rev.to_owned())),
            }
        }
        if let Some(child) = rev.strip_suffix('^') {
            let id = self.resolve_rev(child)?;
            let commit = self.load_commit(&id)?;
            return commit.parent.map(Some).ok_or(Error::NoParent(id));
        }
        self.resolve_refspec(rev)
    }

    /// The commit a ref names: with a remote, that remote's; without, the repository's own, then `REMOTE/REF` as a
    /// path below the remotes, then the first remote that has it, then the parent repository.
    fn resolve_refspec(&self, refspec: &str) -> Result<Option<CommitId>> {
        let parsed = parse_refspec(refspec).map_err(|e| Error::InvalidName(e.to_string()))?;
        if let Some(remote) = parsed.remote {
            let key = RefKey::Remote(remote, parsed.name);
            return match self.read_ref(&key)? {
                Some(id) => Ok(Some(id)),
                None => self
                    .parent()
                    .map_or(Ok(None), |p| p.resolve_refspec(refspec)),
            };
        }
        if let Some(id) = self.read_ref(&RefKey::Local(parsed.name.clone()))? {
            return Ok(Some(id));
        }
        if let Some((remote, name)) = parsed.name.split_once('/')
            && let Some(id) = self.read_ref(&RefKey::Remote(remote.to_owned(), name.to_owned()))?
        {
            return Ok(Some(id));
        }
        for key in self.list_ref_keys(Default::default())?.into_iter() {
            if let (RefKey::Remote(_, name), id) = key
                && name == parsed.name
            {
                return Ok(Some(id));
            }
        }
        self.parent()
            .map_or(Ok(None), |p| p.resolve_refspec(refspec))
    }

    /// Commits whose checksum starts with `prefix` (hex digits), here and in the parent repository, sorted.
    pub fn commits_with_prefix(&self, prefix: &str) -> Result<Vec<CommitId>> {
        let mut out = Vec::new();
        let folders: Vec<String> = match prefix.len() {
            0 => (0..=255).map(|n| format!("{n:02x}")).collect(),
            1 => (0..16).map(|n| format!("{prefix}{n:x}")).collect(),
            _ => vec![prefix[..2].to_owned()],
        };
        for folder in folders {
            self.each_object_in(&folder, &mut |name| {
                if name.ty == ObjectType::Commit && name.checksum.to_hex().starts_with(prefix) {
                    out.push(CommitId(name.checksum));
                }
            })?;
        }
        if let Some(parent) = self.parent() {
            out.extend(parent.commits_with_prefix(prefix)?);
        }
        out.sort();
        out.dedup();
        Ok(out)
    }

    /// Calls `each` for every object in one of the 256 folders below `objects/`.
    pub(crate) fn each_object_in(
        &self,
        folder: &str,
        each: &mut dyn FnMut(osier_object::ObjectName),
    ) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(self.objects_dir(), folder, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(()),
            Err(e) => return Err(e).at(|| format!("opendir(objects/{folder})")),
        };
        for entry in rustix::fs::Dir::read_from(&fd).at(|| format!("reading objects/{folder}"))? {
            let entry = entry.at(|| format!("reading objects/{folder}"))?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if let Some((object, archive)) = osier_object::ObjectName::from_loose(folder, name)
                && (object.ty.is_metadata() || archive == self.mode().is_archive())
            {
                each(object);
            }
        }
        Ok(())
    }
}
