//! Trees with everything in them that has ever broken a tool like this.

use crate::random;
use crate::skip::is_root;
use crate::tree::Tree;
use crate::xattr;
use anyhow::Result;
use std::path::Path;

/// Makes a tree at a path that does not exist yet.
pub type Build = fn(&Path) -> Result<Tree>;

/// Every small special tree by name. As an ordinary user, entries that only root can make are left out.
pub const SPECIAL: [(&str, Build); 9] = [
    ("symlinks", symlinks),
    ("modes", modes),
    ("xattrs", xattrs),
    ("empty", empty),
    ("hard-links", hard_links),
    ("names", names),
    ("deep", deep),
    ("wide", wide),
    ("sizes", sizes),
];

/// Symbolic links: relative, absolute, dangling, to a directory, to itself, upwards, with odd targets.
pub fn symlinks(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    tree.file("dir/file", "content\n")?;
    let long = "long/".repeat(400);
    for (name, target) in [
        ("relative", "dir/file"),
        ("absolute", "/usr/bin/env"),
        ("dangling", "no-such-file"),
        ("directory", "dir"),
        ("itself", "itself"),
        ("dir/upwards", "../../../../etc/passwd"),
        ("slash", "dir/"),
        ("spaces", "a target with spaces"),
        ("utf8", "zażółć/gęślą"),
        ("newline", "a\nb"),
        ("dot", "."),
        ("long", &long),
    ] {
        tree.symlink(name, target)?;
    }
    if is_root() {
        tree.owner("dangling", 1000, 1001)?;
    }
    Ok(tree)
}

/// Permission bits of files and directories, setuid, setgid, sticky, and as root foreign owners.
pub fn modes(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    // Same content, other mode: other objects.
    for mode in [
        0o644, 0o600, 0o755, 0o775, 0o664, 0o666, 0o777, 0o444, 0o555, 0o4755, 0o2755, 0o6711,
        0o1644,
    ] {
        let name = format!("file-{mode:04o}");
        tree.file(&name, "same content\n")?.mode(&name, mode)?;
    }
    for mode in [0o755, 0o700, 0o775, 0o777, 0o1777, 0o2775, 0o555] {
        let name = format!("dir-{mode:04o}");
        tree.dir(&name, 0o755)?
            .file(&format!("{name}/file"), "x")?
            .dir(&name, mode)?;
    }
    if is_root() {
        // Unreadable for an ordinary user, so only root can commit them.
        for mode in [0o000, 0o200, 0o111] {
            let name = format!("file-{mode:04o}");
            tree.file(&name, "secret\n")?.mode(&name, mode)?;
        }
        tree.file("owned", "owned\n")?
            .owner("owned", 1000, 1001)?
            .mode("owned", 0o4755)?;
        tree.file("high", "high ids\n")?
            .owner("high", 4_000_000_000, 3_999_999_999)?;
        tree.dir("owned-dir", 0o755)?
            .owner("owned-dir", 12, 34)?
            .mode("owned-dir", 0o2750)?;
    }
    Ok(tree)
}

/// Extended attributes on files, directories and, as root, in the `trusted` and `security` namespaces.
pub fn xattrs(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    tree.file("plain", "plain\n")?;
    if !xattr::supported(root) {
        return Ok(tree);
    }
    tree.file("many", "many\n")?;
    // Set in another order than the canonical one.
    for name in [
        "user.zed",
        "user.alpha",
        "user.Upper",
        "user.alpha.beta",
        "user.a",
    ] {
        tree.xattr("many", name, name.as_bytes())?;
    }
    tree.file("binary", "")?
        .xattr("binary", "user.binary", (0..=255).collect::<Vec<u8>>())?;
    tree.file("large", "large\n")?
        .xattr("large", "user.large", vec![b'x'; 3000])?;
    // The C tool drops attributes with an empty value.
    tree.file("void", "void\n")?
        .xattr("void", "user.void", "")?
        .xattr("void", "user.full", "1")?;
    tree.dir("dir", 0o755)?.xattr("dir", "user.dir", "d")?;
    if is_root() {
        // cap_net_raw=ep in the format of the running kernel's version 2.
        let mut capability = vec![0x01, 0, 0, 0x02, 0, 0x20, 0, 0];
        capability.extend([0; 12]);
        tree.file("capable", "\x7fELF")?
            .mode("capable", 0o755)?
            .xattr("capable", "security.capability", capability)?;
        tree.symlink("link", "many")?
            .xattr("link", "trusted.link", "on the link itself")?;
    }
    Ok(tree)
}

/// Nothing but the top directory.
pub fn empty(root: &Path) -> Result<Tree> {
    Tree::create(root)
}

/// Several names for one file, in one directory and across directories; empty files, which share one object.
pub fn hard_links(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    tree.file("one", "linked\n")?.hardlink("two", "one")?;
    tree.dir("sub", 0o755)?.hardlink("sub/three", "one")?;
    tree.file("copy", "linked\n")?;
    tree.file("empty-1", "")?
        .file("empty-2", "")?
        .hardlink("empty-3", "empty-2")?;
    tree.dir("hollow/inner", 0o755)?;
    Ok(tree)
}

/// Names that shells, parsers and sort orders trip over.
pub fn names(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    let longest = "n".repeat(255);
    let odd = [
        " ",
        "with space",
        "trailing ",
        "new\nline",
        "tab\there",
        "quote'single",
        "quote\"double",
        "back\\slash",
        "-dash",
        "--repo=x",
        ".hidden",
        "...",
        "..a",
        "a..",
        "~",
        "*",
        "?",
        "%41",
        "%",
        "#",
        "&",
        ";",
        "$HOME",
        "`x`",
        "ż",
        "é",
        "e\u{301}",
        "日本語",
        "🌿",
        "Z",
        "a",
        "B",
        "_",
        "\u{7f}",
        "\u{1}",
        &longest,
    ];
    for name in odd {
        tree.file(name, name)?;
        tree.file(&format!("dirs/{name}/inner"), "x")?;
    }
    Ok(tree)
}

/// Directories in directories, a hundred levels down.
pub fn deep(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    let mut path = String::new();
    for level in 0..100 {
        path.push_str(&format!("level-{level}/"));
        tree.file(&format!("{path}file"), format!("{level}\n"))?;
    }
    Ok(tree)
}

/// A directory with thousands of files, another with hundreds of directories.
pub fn wide(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    for index in 0..3000 {
        tree.file(&format!("files/file-{index}"), format!("{index}\n"))?;
    }
    for index in 0..300 {
        tree.dir(&format!("dirs/dir-{index}"), 0o755)?;
    }
    Ok(tree)
}

/// File sizes around what buffers and offset widths turn at.
pub fn sizes(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    for size in [
        0, 1, 2, 255, 256, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 1_048_577,
    ] {
        random::write_file(&tree.join(format!("size-{size}")), size, size)?;
        tree.mode(&format!("size-{size}"), 0o644)?;
        tree.file(&format!("zeros-{size}"), vec![0; size as usize])?;
    }
    Ok(tree)
}

/// The special trees as directories of one, but for the widest, whose thousands of files only cost time when the
/// question is not its width.
pub fn everything(root: &Path) -> Result<Tree> {
    let tree = Tree::create(root)?;
    for (name, build) in SPECIAL.into_iter().filter(|(name, _)| *name != "wide") {
        build(&tree.join(name))?;
    }
    Ok(tree)
}

/// A small operating-system tree with everything a deployment needs: `/usr/etc`, a kernel and an initramfs,
/// `os-release`, the top-level links. `version` goes into files, so that two versions differ.
pub fn os(root: &Path, version: &str, kernel: &str) -> Result<Tree> {
    let tree = Tree::create(root)?;
    for dir in [
        "boot",
        "dev",
        "proc",
        "run",
        "sys",
        "sysroot",
        "var",
        "usr/bin",
        "usr/lib/tmpfiles.d",
    ] {
        tree.dir(dir, 0o755)?;
    }
    for (name, target) in [
        ("bin", "usr/bin"),
        ("lib", "usr/lib"),
        ("ostree", "sysroot/ostree"),
        ("home", "var/home"),
        ("root", "var/roothome"),
        ("tmp", "sysroot/tmp"),
    ] {
        tree.symlink(name, target)?;
    }
    let modules = format!("usr/lib/modules/{kernel}");
    tree.file(&format!("{modules}/vmlinuz"), format!("kernel {kernel}\n"))?;
    tree.file(
        &format!("{modules}/initramfs.img"),
        format!("initramfs for {kernel}\n"),
    )?;
    tree.file("usr/bin/sh", format!("#!shell {version}\n"))?
        .mode("usr/bin/sh", 0o755)?;
    tree.file(
        "usr/lib/os-release",
        format!("NAME=Willow\nID=willow\nVERSION={version}\nPRETTY_NAME=\"Willow {version}\"\n"),
    )?;
    tree.symlink("usr/etc/os-release", "../lib/os-release")?;
    tree.file("usr/etc/hosts", "127.0.0.1 localhost\n")?;
    tree.file("usr/etc/hostname", "willow\n")?;
    tree.file("usr/etc/motd", format!("Welcome to Willow {version}\n"))?;
    tree.file("usr/etc/ssh/sshd_config", "Port 22\n")?
        .mode("usr/etc/ssh", 0o700)?;
    tree.file("usr/etc/shadow", "root:*:19000::::::\n")?
        .mode("usr/etc/shadow", 0o600)?;
    tree.file("usr/etc/only-default", format!("default of {version}\n"))?;
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;

    #[test]
    fn each_special_tree_is_built_twice_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for (name, build) in SPECIAL {
            let (one, two) = (
                dir.path().join(format!("{name}-1")),
                dir.path().join(format!("{name}-2")),
            );
            build(&one).unwrap();
            build(&two).unwrap();
            let (one, two) = (Snapshot::of(&one).unwrap(), Snapshot::of(&two).unwrap());
            assert_eq!(one.differences(&two), [""; 0], "{name}");
        }
    }
}
