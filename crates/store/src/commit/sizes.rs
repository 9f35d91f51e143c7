//! What a commit weighs: the sizes of all its objects, for the metadata key `ostree.sizes`.

use super::Root;
use crate::error::Result;
use crate::read::ReadObjects;
use osier_object::sizes::SizeEntry;
use osier_object::{ContentId, DirmetaId, Dirtree, DirtreeId, ObjectName, ObjectType};
use rayon::prelude::*;
use std::collections::HashSet;

/// The objects of an archive repository's tree with their sizes, each once. Metadata counts as large as it is; a file
/// as what is served and as what it unpacks to (a symbolic link: the length of its target).
///
/// # Errors
/// When an object cannot be read.
pub fn of_tree(objects: &dyn ReadObjects, root: Root) -> Result<Vec<SizeEntry>> {
    let mut found = Found::default();
    found.dirmetas.insert(root.dirmeta);
    let mut todo = vec![root.dirtree];
    while let Some(id) = todo.pop() {
        if !found.dirtrees.insert(id) {
            continue;
        }
        let Dirtree { files, dirs } = objects.load_dirtree(&id)?;
        found.files.extend(files.into_iter().map(|(_, id)| id));
        for (_, tree, meta) in dirs {
            found.dirmetas.insert(meta);
            todo.push(tree);
        }
    }
    let metadata = found
        .dirtrees
        .into_iter()
        .map(|id| ObjectName {
            checksum: id.0,
            ty: ObjectType::Dirtree,
        })
        .chain(found.dirmetas.into_iter().map(|id| ObjectName {
            checksum: id.0,
            ty: ObjectType::Dirmeta,
        }));
    let mut entries = metadata
        .map(|name| {
            let size = objects.stored_size(&name)?;
            Ok(SizeEntry {
                name,
                archived: size,
                unpacked: size,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let files: Vec<ContentId> = found.files.into_iter().collect();
    let files = crate::parallel::run(|| {
        files
            .into_par_iter()
            .map(|id| {
                let name = ObjectName {
                    checksum: id.0,
                    ty: ObjectType::File,
                };
                let content = objects.open_content(&id)?;
                let unpacked = match &content.header.symlink_target {
                    Some(target) => target.len() as u64,
                    None => content.size,
                };
                Ok(SizeEntry {
                    name,
                    archived: objects.stored_size(&name)?,
                    unpacked,
                })
            })
            .collect::<Result<Vec<_>>>()
    })?;
    entries.extend(files);
    Ok(entries)
}

#[derive(Default)]
struct Found {
    dirtrees: HashSet<DirtreeId>,
    dirmetas: HashSet<DirmetaId>,
    files: HashSet<ContentId>,
}
