//! The tree T and its checksums, produced once with libostree 2026.4 and pinned in the format specification.

use crate::tree::Tree;
use anyhow::Result;
use std::path::Path;

/// `SOURCE_DATE_EPOCH` of every pinned commit.
pub const EPOCH: &str = "1700000000";

/// Checksums of tree T.
pub mod t {
    /// The root dirtree, in every mode that keeps owners and modes.
    pub const DIRTREE: &str = "cd9d14484997acd6e27c43fb7e5fe53593c1a0f5392557faea6804390be39fbf";
    /// `commit -b main -s subj --body='b line'` in archive, bare and bare-user.
    pub const COMMIT: &str = "d80ecf345763173db0153db1df089d57d74a1a6a350e363e06c9093541817289";
    /// The same in bare-user-only.
    pub const COMMIT_USER_ONLY: &str =
        "281489d9caa2d5141541b76ed1215b6a982af236befead8b988b87276edd1ef8";
    /// `ContentChecksum` that `show` prints for [`COMMIT`].
    pub const CONTENT: &str = "c1ebe2be8dcb277834b20b1b324ca42398866f5ab386019b99ec3307881e0408";
    /// `commit --orphan --canonical-permissions --no-bindings`.
    pub const CANONICAL: &str = "def924b4963e5009ba4694222227be2b2606b067518a0aa35794c6183e5ca860";
    /// `commit --orphan --no-bindings --owner-uid=7`, statoverride `2048 /hello.txt` and `=448 /exec`, skip list
    /// `/sub` and `/xa`.
    pub const FILTERED: &str = "0949503f5add477a15f282dacb5a60075b5bd563f2af477960900d1477358979";
}

/// Content objects of tree T: file name and checksum.
pub const FILES: [(&str, &str); 5] = [
    (
        "hello.txt",
        "81381808c56d4f3d643ec12f6a18fcf2993af8daba7c2a1b2cbfc315b39424c6",
    ),
    (
        "empty",
        "cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e",
    ),
    (
        "owned",
        "5613f5f62d3aa45ff0c5e06f09f7ed009d3767c19ed898b6e1f934b7de340fbb",
    ),
    (
        "link",
        "f66efa496a72379413c44593de510dc344beb045294f1a543da87b2b6118db35",
    ),
    (
        "xa",
        "6ac3de2d90a1d2b6079f300191584778a8726c6388f7159b3abb827203bd110f",
    ),
];

/// The parents' chain of a directory with the one file `f`: `1`, `2`, `3`, a day apart, `commit -b m`.
pub const CHAIN: [&str; 3] = [
    "348a80ae7a37e66c869e4a9a37088e01328f8df26cf75193eeab51b16f4f7485",
    "c110621ad0bb3bb242eddc3207a1e39a139f899ddcd0e758ba0c4074e8bc49d0",
    "882da54d309976101af5ddcea9a213071767eba4e9cb035572b0d81476826343",
];

/// Checksums of tree K, each with `--parent=none`.
pub mod k {
    /// `commit --orphan`.
    pub const ORPHAN: &str = "b3d9c8248f44e55fb8bd677cc3363e49b947bf0335d96bd53e54e9f42e44d3e1";
    /// `commit -b zz --bind-ref=b --bind-ref=a --add-metadata-string=version=1.0 --add-metadata=k1='uint64 5'
    /// --add-metadata-string=a=b`.
    pub const METADATA: &str = "263415d41da2400d07ea86989d1e62e0665d5cac21da489285f6c9d7c2133ed4";
    /// `commit -b zz --add-metadata-string=version=1.0 --bootable`.
    pub const BOOTABLE: &str = "67e43dc9e150f38ea573458badfb6fde3f0f6341f442a44a5a8f88a677e333be";
    /// `commit -b zz --add-metadata-string=version=1.0 --generate-sizes` in archive mode.
    pub const SIZES: &str = "24b91d6eaa2c31c00f9facf499b5a036798154ee5ac0bee02a969cecb7333fde";
}

/// `commit --orphan --no-bindings --tree=dir=O1 --tree=dir=O2` of the trees of [`overlay`].
pub const OVERLAY: &str = "76d81ff5efae7224ca988ef31a9d3d93c169a057b02f48e30cfe8180200d87d0";

/// Builds tree T. Needs root and a file system with `user.` attributes.
pub fn tree_t(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    tree.file("hello.txt", "hello world\n")?.file("empty", "")?;
    tree.file("exec", "#!/bin/sh\n")?.mode("exec", 0o755)?;
    for (name, content, mode) in [
        ("suid", "S", 0o4755),
        ("ro", "ro", 0o444),
        ("wo", "wo", 0o200),
        ("gw", "gw", 0o664),
        ("ww", "ww", 0o666),
    ] {
        tree.file(name, content)?.mode(name, mode)?;
    }
    tree.file("owned", "o")?.owner("owned", 1000, 1001)?;
    tree.file("xa", "xa")?;
    tree.xattr("xa", "user.zed", "last")?
        .xattr("xa", "user.alpha", [0, 1, 2])?;
    tree.symlink("link", "hello.txt")?;
    tree.dir("sub", 0o700)?
        .xattr("sub", "user.dirx", "d")?
        .file("sub/nested", "x")?;
    Ok(tree)
}

/// Builds tree K: a kernel and nothing else.
pub fn tree_k(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    tree.file("usr/lib/modules/6.1.0-test/vmlinuz", "kernel")?;
    Ok(tree)
}

/// Builds the trees O1 and O2 of [`OVERLAY`].
pub fn overlay(first: &Path, second: &Path) -> Result<(Tree, Tree)> {
    let (one, two) = (Tree::create(first)?, Tree::create(second)?);
    one.file("x/one", "1")?;
    two.file("two", "2")?.mode("", 0o700)?;
    Ok((one, two))
}
