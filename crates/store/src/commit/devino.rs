//! Knowing a file's checksum from where it lies: a hard link to an object needs no hashing.

use crate::error::{IoContext, Result};
use crate::repo::Repo;
use osier_object::{ContentId, ObjectType};
use rayon::prelude::*;
use rustix::fs::AtFlags;
use std::collections::{HashMap, HashSet};

/// Device and inode of every content object, with its checksum.
#[derive(Debug, Default)]
pub struct DevinoCache {
    map: HashMap<(u64, u64), ContentId>,
}

impl DevinoCache {
    /// Looks at every content object of the repository. A transaction must be open already: it keeps what is found from
    /// being deleted.
    pub fn scan(repo: &Repo) -> Result<DevinoCache> {
        let parts = crate::parallel::run(|| {
            (0..256u32)
                .into_par_iter()
                .map(|n| {
                    let mut found = Vec::new();
                    repo.each_object_in(&format!("{n:02x}"), &mut |name| {
                        if name.ty == ObjectType::File {
                            found.push(name);
                        }
                    })?;
                    found
                        .into_iter()
                        .map(|name| {
                            let path = name.loose_path(repo.mode().is_archive());
                            let st = rustix::fs::statat(
                                repo.objects_dir(),
                                &path,
                                AtFlags::SYMLINK_NOFOLLOW,
                            )
                            .at(|| format!("stat objects/{path}"))?;
                            Ok(((st.st_dev, st.st_ino), ContentId(name.checksum)))
                        })
                        .collect::<Result<Vec<_>>>()
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let mut map: HashMap<_, _> = parts.into_iter().flatten().collect();
        let unpacked = crate::checkout::uncompressed_cache_entries(repo)?;
        if !unpacked.is_empty() {
            // The cache outlives the objects.
            let stored: HashSet<ContentId> = map.values().copied().collect();
            map.extend(unpacked.into_iter().filter(|(_, id)| stored.contains(id)));
        }
        Ok(DevinoCache { map })
    }

    /// The object that a file is a name of.
    pub fn get(&self, dev: u64, ino: u64) -> Option<ContentId> {
        self.map.get(&(dev, ino)).copied()
    }
}
