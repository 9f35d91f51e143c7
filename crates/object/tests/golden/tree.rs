//! A directory tree in memory and the objects it makes.

use osier_object::{
    Commit, ContentId, Dirmeta, DirmetaId, Dirtree, DirtreeId, FileHeader, Xattrs, hash,
};

#[derive(Clone)]
pub struct Dir {
    pub meta: Dirmeta,
    pub files: Vec<(&'static str, FileHeader, &'static [u8])>,
    pub dirs: Vec<(&'static str, Dir)>,
}

pub fn xattrs(pairs: &[(&str, &[u8])]) -> Xattrs {
    Xattrs::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()))
            .collect(),
    )
}

pub fn content_id(header: &FileHeader, payload: &[u8]) -> ContentId {
    let mut stream = header.hash_framing();
    stream.extend_from_slice(payload);
    ContentId(hash(&stream))
}

impl Dir {
    pub fn new(mode: u32) -> Dir {
        Dir {
            meta: Dirmeta::new(0, 0, mode),
            files: Vec::new(),
            dirs: Vec::new(),
        }
    }

    pub fn file(mut self, name: &'static str, mode: u32, payload: &'static [u8]) -> Dir {
        self.files
            .push((name, FileHeader::regular(0, 0, mode), payload));
        self
    }

    pub fn dir(mut self, name: &'static str, dir: Dir) -> Dir {
        self.dirs.push((name, dir));
        self
    }

    pub fn dirtree(&self) -> Dirtree {
        Dirtree {
            files: self
                .files
                .iter()
                .map(|(name, header, payload)| ((*name).into(), content_id(header, payload)))
                .collect(),
            dirs: self
                .dirs
                .iter()
                .map(|(name, dir)| {
                    let (tree, meta) = dir.ids();
                    ((*name).into(), tree, meta)
                })
                .collect(),
        }
    }

    pub fn ids(&self) -> (DirtreeId, DirmetaId) {
        (self.dirtree().id(), self.meta.id())
    }

    /// A commit of the tree at 2023-11-14T22:13:20Z.
    pub fn commit(&self) -> Commit {
        let (tree, meta) = self.ids();
        Commit::new(tree, meta, 1_700_000_000)
    }

    /// Applies a change to every file and directory.
    pub fn modify(
        mut self,
        file: &impl Fn(&'static str, &mut FileHeader),
        dir: &impl Fn(&mut Dirmeta),
    ) -> Dir {
        dir(&mut self.meta);
        for (name, header, _) in &mut self.files {
            file(name, header);
        }
        self.dirs = self
            .dirs
            .into_iter()
            .map(|(name, sub)| (name, sub.modify(file, dir)))
            .collect();
        self
    }
}

/// The tree that most vectors use: modes, owners, xattrs, a symlink, a subdirectory.
pub fn sample() -> Dir {
    let mut tree = Dir::new(0o755)
        .file("hello.txt", 0o644, b"hello world\n")
        .file("empty", 0o644, b"")
        .file("exec", 0o755, b"#!/bin/sh\n")
        .file("suid", 0o4755, b"S")
        .file("ro", 0o444, b"ro")
        .file("wo", 0o200, b"wo")
        .file("gw", 0o664, b"gw")
        .file("ww", 0o666, b"ww");
    let mut owned = FileHeader::regular(1000, 1001, 0o644);
    tree.files.push(("owned", owned.clone(), b"o"));
    owned = FileHeader::regular(0, 0, 0o644);
    owned.xattrs = xattrs(&[("user.zed", b"last"), ("user.alpha", &[0, 1, 2])]);
    tree.files.push(("xa", owned, b"xa"));
    tree.files
        .push(("link", FileHeader::symlink(0, 0, "hello.txt"), b""));
    let mut sub = Dir::new(0o700).file("nested", 0o644, b"x");
    sub.meta.xattrs = xattrs(&[("user.dirx", b"d")]);
    tree.dir("sub", sub)
}
