//! The tree that an image is made of.

use crate::attributes::{S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG};
use crate::{Attributes, Digest, Error};
use std::collections::HashSet;
use std::mem;

/// A directory of a [`Tree`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DirId(u32);

/// A file tree to make an image of.
///
/// Entries may come in any order. Kept flat, so that no depth of nesting is too much.
#[derive(Debug)]
pub struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) dirs: Vec<Vec<u32>>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: Box<[u8]>,
    pub(crate) attributes: Attributes,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// The index of its entries in `Tree::dirs`.
    Directory(u32),
    File {
        size: u64,
    },
    Symlink(Box<[u8]>),
    /// Character device 0:0, which says "nothing here" to overlayfs.
    Whiteout,
}

/// Prefix of what overlayfs takes as its own.
const OVERLAY: &[u8] = b"trusted.overlay.";

impl Tree {
    /// The top directory.
    pub const ROOT: DirId = DirId(0);

    /// An empty tree whose top directory has these attributes.
    pub fn new(root: Attributes) -> Self {
        Self {
            nodes: vec![Node {
                name: Box::default(),
                attributes: escaped(root.typed(S_IFDIR)),
                kind: Kind::Directory(0),
            }],
            dirs: vec![Vec::new()],
        }
    }

    /// Adds a directory.
    ///
    /// # Errors
    /// A name that no file can have.
    pub fn directory(
        &mut self,
        parent: DirId,
        name: &[u8],
        attributes: Attributes,
    ) -> Result<DirId, Error> {
        let id = u32::try_from(self.dirs.len()).map_err(|_| Error::TooLarge)?;
        self.add(
            parent,
            name,
            escaped(attributes.typed(S_IFDIR)),
            Kind::Directory(id),
        )?;
        self.dirs.push(Vec::new());
        Ok(DirId(id))
    }

    /// Adds a regular file of `size` bytes, found at `payload` below the folder of contents; `payload` begins with a
    /// slash. With the content's digest, overlayfs can be asked to accept no other content. Of an empty file there is
    /// no content to find: both are ignored.
    ///
    /// # Errors
    /// A name that no file can have.
    pub fn file(
        &mut self,
        parent: DirId,
        name: &[u8],
        attributes: Attributes,
        size: u64,
        payload: &[u8],
        digest: Option<Digest>,
    ) -> Result<(), Error> {
        let mut attributes = escaped(attributes.typed(S_IFREG));
        if size > 0 {
            attributes
                .xattrs
                .push((b"trusted.overlay.redirect".to_vec(), payload.to_vec()));
            attributes.xattrs.push((
                b"trusted.overlay.metacopy".to_vec(),
                digest.map(metacopy).unwrap_or_default(),
            ));
        }
        self.add(parent, name, attributes, Kind::File { size })
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// A name that no file can have, or a target that no link can have.
    pub fn symlink(
        &mut self,
        parent: DirId,
        name: &[u8],
        attributes: Attributes,
        target: &[u8],
    ) -> Result<(), Error> {
        if target.is_empty() || target.len() > 4095 {
            return Err(Error::InvalidTarget {
                name: shown(name),
                length: target.len(),
            });
        }
        let attributes = escaped(attributes.typed(S_IFLNK));
        self.add(parent, name, attributes, Kind::Symlink(target.into()))
    }

    fn add(
        &mut self,
        parent: DirId,
        name: &[u8],
        attributes: Attributes,
        kind: Kind,
    ) -> Result<(), Error> {
        if matches!(name, b"" | b"." | b"..") || name.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(Error::InvalidName(shown(name)));
        }
        if name.len() > 255 {
            return Err(Error::NameTooLong {
                name: shown(&name[..60]),
                length: name.len(),
            });
        }
        let index = u32::try_from(self.nodes.len()).map_err(|_| Error::TooLarge)?;
        self.nodes.push(Node {
            name: name.into(),
            attributes,
            kind,
        });
        self.dirs[parent.0 as usize].push(index);
        Ok(())
    }

    /// Makes the tree one that overlayfs can take for its lowest layer.
    ///
    /// The folder of contents is a layer too, its files lying in `00` to `ff`: the top directory hides them with
    /// whiteouts of these names, and says that nothing below it shines through.
    pub(crate) fn hide_contents(&mut self) -> Result<(), Error> {
        let root = &mut self.nodes[0].attributes;
        let mut attributes = Attributes {
            mode: S_IFCHR | 0o644,
            uid: root.uid,
            gid: root.gid,
            xattrs: Vec::new(),
        };
        attributes.xattrs.extend(
            root.xattrs
                .iter()
                .filter(|(name, _)| name == b"security.selinux")
                .cloned(),
        );
        root.xattrs
            .push((b"trusted.overlay.opaque".to_vec(), b"y".to_vec()));

        let taken: HashSet<Box<[u8]>> = self.dirs[0]
            .iter()
            .map(|node| self.nodes[*node as usize].name.clone())
            .collect();
        for byte in 0..=u8::MAX {
            let name = format!("{byte:02x}");
            if !taken.contains(name.as_bytes()) {
                self.add(
                    Self::ROOT,
                    name.as_bytes(),
                    attributes.clone(),
                    Kind::Whiteout,
                )?;
            }
        }
        Ok(())
    }

    /// Sorts every directory by name.
    pub(crate) fn sort(&mut self) -> Result<(), Error> {
        for entries in &mut self.dirs {
            let nodes = &self.nodes;
            let name = |node: &u32| &nodes[*node as usize].name;
            entries.sort_unstable_by(|a, b| name(a).cmp(name(b)));
            if let Some(twice) = entries.windows(2).find(|w| name(&w[0]) == name(&w[1])) {
                return Err(Error::DuplicateName(shown(name(&twice[0]))));
            }
        }
        for node in &mut self.nodes {
            node.attributes.xattrs.sort();
        }
        Ok(())
    }

    /// Takes a node's attributes out, once they are in the image's table.
    pub(crate) fn take_xattrs(&mut self, node: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        mem::take(&mut self.nodes[node as usize].attributes.xattrs)
    }
}

/// What overlayfs would take as instructions gets a name that it passes on as the original one.
fn escaped(mut attributes: Attributes) -> Attributes {
    for (name, _) in &mut attributes.xattrs {
        if let Some(rest) = name.strip_prefix(OVERLAY) {
            *name = [OVERLAY, b"overlay.", rest].concat();
        }
    }
    attributes
}

/// overlayfs's `struct ovl_metacopy`: version, length, flags, algorithm (1 is SHA-256), digest.
fn metacopy(digest: Digest) -> Vec<u8> {
    let mut value = vec![0, 4 + digest.len() as u8, 0, 1];
    value.extend_from_slice(&digest);
    value
}

pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
