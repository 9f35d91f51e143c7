//! composefs images: the bytes that `ostree checkout --composefs` of 2026.4 writes.
//!
//! Older builds of the C tool have no composefs, so each image's digest is pinned as well; where the C tool at hand
//! writes images, the bytes are compared.

use osier_conformance::{MODES, Scratch, TIMESTAMP, commit, root_or_skip, text};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{golden, random, skip, trees};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The C tool, if it writes composefs images.
fn c() -> Option<Tool> {
    let version = Command::new(
        std::env::var_os("OSIER_C_OSTREE").unwrap_or_else(|| "/usr/bin/ostree".into()),
    )
    .arg("--version")
    .output()
    .ok()?;
    match String::from_utf8_lossy(&version.stdout).contains("- composefs") {
        true => Tool::c(),
        false => None,
    }
}

/// The image of branch `main`.
#[track_caller]
fn image(tool: &Tool, repo: &Path, option: &str) -> Vec<u8> {
    let file = repo.with_extension(format!("{}.cfs", tool.name()));
    let tool = tool.repo(repo);
    // The C tool makes its temporary file in the current folder, which must be of the same file system.
    let mut command = tool.command(["checkout", option, "main", text(&file)]);
    tool.finish(command.current_dir(repo)).expect_ok();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    fs::read(&file).unwrap()
}

/// Commits a tree and compares its image with what is pinned, and with the C tool's.
#[track_caller]
fn check(scratch: &Scratch, label: &str, tree: &Path, digest: Option<&str>) {
    let ours = Tool::ours();
    let repo = scratch.init(&ours, &format!("repo-{label}"), "bare");
    commit(
        &ours,
        &repo,
        "main",
        tree,
        &["--generate-composefs-metadata"],
    );
    let key = "--print-metadata-key=ostree.composefs.digest.v0";
    let recorded = ours.repo(&repo).ok(["show", "--print-hex", key, "main"]);
    if let Some(c) = c() {
        for option in ["--composefs", "--composefs-noverity"] {
            assert!(
                image(&ours, &repo, option) == image(&c, &repo, option),
                "{label}: {option}: the images differ"
            );
        }
        let theirs = commit(&c, &repo, "c", tree, &["--generate-composefs-metadata"]);
        let shown = c.repo(&repo).ok(["show", "--print-hex", key, &theirs]);
        assert_eq!(recorded, shown, "{label}");
    }
    if let Some(digest) = digest {
        assert_eq!(recorded, digest, "{label}");
    }
}

/// Everything that decides where an inode comes to lie, and attributes that overlayfs would obey.
fn odd(root: &Path) -> Tree {
    let tree = Tree::create(root).unwrap();
    let build = || -> Result<(), Box<dyn std::error::Error>> {
        // Each length near a block's end; over 4063 the C library crashes.
        for length in [1900, 1905, 1950, 2000, 2047, 2048, 2049, 3000, 4000, 4063] {
            tree.symlink(&format!("links/{length}"), &"x".repeat(length))?;
        }
        for count in [0, 1, 7, 8, 9, 16, 300] {
            for index in 0..count {
                tree.file(&format!("dirs/{count}/{index}{}", "n".repeat(200)), "")?;
            }
        }
        for size in [2200, 2500, 3500, 3700] {
            let dir = format!("heavy/{size}");
            for index in 0..7 {
                tree.file(&format!("{dir}/{index}{}", "n".repeat(200)), "")?;
            }
            tree.xattr(&dir, "user.p", "v".repeat(size))?;
        }
        // One name with several values, each used more than once: the order of what is shared.
        for (index, value) in ["a", "b", "aa", "ab", "", "b", "aa", "a", "ab", "c"]
            .iter()
            .enumerate()
        {
            let name = format!("shared/{index}");
            tree.file(&name, format!("{index}"))?
                .xattr(&name, "user.v", value)?
                .xattr(&name, "user.w", "w")?
                .xattr(&name, "security.selinux", "system_u:object_r:usr_t:s0\0")?
                .xattr(&name, "trusted.overlay.opaque", "y")?
                .xattr(&name, "trusted.overlay.overlay.x", "y")?
                .xattr(&name, "user.overlay.opaque", "y")?;
        }
        // Names that the top directory hides from overlayfs, but for this.
        tree.dir("00", 0o755)?.file("ff", "mine")?;
        tree.file("owned", "o")?
            .owner("owned", 65_535, 65_536)?
            .dir("etc", 0o700)?
            .owner("etc", 4_000_000_000, 7)?;
        tree.symlink("boot", "sysroot/boot")?;
        tree.xattr("", "security.selinux", "system_u:object_r:root_t:s0\0")?
            .xattr("", "user.top", "x")?
            .owner("", 3, 70_000)?;
        Ok(())
    };
    build().unwrap();
    tree
}

#[test]
fn images_of_special_trees() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    for ((name, build), (pinned, digest)) in trees::SPECIAL.into_iter().zip(PINNED) {
        assert_eq!(name, pinned);
        let tree = build(&scratch.path(name)).unwrap();
        check(&scratch, name, tree.path(), Some(digest));
    }
    let tree = odd(&scratch.path("odd"));
    check(&scratch, "odd", tree.path(), Some(ODD));
}

/// Digests of the images of the C tool 2026.4.
const PINNED: [(&str, &str); 9] = [
    (
        "symlinks",
        "0d02dda669a2c83fa57b9e34d5bf2fc444dceac43672f876fa73f341834d102d",
    ),
    (
        "modes",
        "75ec23b7695b7e81668a9bbbb4811866350cfcdd071df590544b9cb7ad7eb250",
    ),
    (
        "xattrs",
        "6358fbc53475ed935df6ac5cdd8860cbeb54929e6be0ff08bc404618aeedd2fc",
    ),
    (
        "empty",
        "8f52c3b310a287d352b2eded6b04187a8c1af576c1e0ac29c3fd47c9bc239b83",
    ),
    (
        "hard-links",
        "13d08fa4793fe44359e4ef40a062a51149093af07b341c15298709591ed3b3f0",
    ),
    (
        "names",
        "ca8672690a2934027a2e01141af6a07f5909883a528d9234a5bb9c93b00cfa3d",
    ),
    (
        "deep",
        "56331a6d8285ad5043c833327cc0bf9e010b1421e730ab9111fe75d5c14a3606",
    ),
    (
        "wide",
        "842e35c4362e595fc2fd0ce654d3cd9eb4374c7d2dc3dfe27fe6babf6b494823",
    ),
    (
        "sizes",
        "d0c175e9ed0840412f21a787ec2acf504c56456777e1f4abe9400a22ceede4c9",
    ),
];
const ODD: &str = "11212032657ca6276f517a72bd00a0039a40947183a1cb21b7c4114abf18e8e7";

#[test]
fn images_of_random_trees() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    for seed in 1..=3 {
        let tree = scratch.path(format!("tree-{seed}"));
        let shape = random::Shape {
            files: 400,
            dirs: 60,
            max_size: 800_000,
        };
        random::tree(&tree, seed, shape).unwrap();
        check(&scratch, &format!("seed-{seed}"), &tree, None);
    }
}

/// The golden vector of the format specification.
#[test]
fn recorded_digest_of_tree_k_in_every_mode() {
    let scratch = Scratch::new();
    let tree = golden::tree_k(&scratch.path("k")).unwrap();
    for tool in std::iter::once(Tool::ours()).chain(c()) {
        let tool = tool.env("SOURCE_DATE_EPOCH", golden::EPOCH);
        for mode in MODES {
            if mode == "bare" && !skip::is_root() {
                continue;
            }
            let repo = scratch.init(&tool, &format!("{}-{mode}", tool.name()), mode);
            let id = tool.repo(&repo).ok([
                "commit",
                "--parent=none",
                "-b",
                "zz",
                "--owner-uid=0",
                "--owner-gid=0",
                "--add-metadata-string=version=1.0",
                "--bootable",
                "--generate-composefs-metadata",
                text(tree.path()),
            ]);
            assert_eq!(
                id,
                "5174afef5f36f094f2a6391ea774835b6d132c33c038f30b67f0f0dc6823da39",
                "{} in {mode}",
                tool.name()
            );
        }
    }
}

/// What is in an archive, and what is unpacked: the same image.
#[test]
fn the_mode_of_the_repository_does_not_matter() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let ours = Tool::ours();
    let tree = trees::everything(&scratch.path("tree")).unwrap();
    let images = ["archive", "bare", "bare-user"].map(|mode| {
        let repo = scratch.init(&ours, mode, mode);
        commit(&ours, &repo, "main", tree.path(), &[]);
        image(&ours, &repo, "--composefs")
    });
    assert!(images[0] == images[1] && images[0] == images[2]);
}

#[test]
fn options_beside_composefs() {
    let scratch = Scratch::new();
    let tree = golden::tree_k(&scratch.path("k")).unwrap();
    for tool in std::iter::once(Tool::ours()).chain(c()) {
        let repo = scratch.init(&tool, &format!("repo-{}", tool.name()), "bare-user");
        commit(&tool, &repo, "main", tree.path(), &[]);
        let dir = repo.clone();
        let repo = tool.repo(&repo);
        let ok = |args: &[&str]| {
            let mut command = repo.command(args);
            repo.finish(command.current_dir(&dir)).expect_ok();
        };
        let out = scratch.path(format!("out-{}", tool.name()));
        let out = text(&out);
        for option in [
            "--whiteouts",
            "--process-passthrough-whiteouts",
            "--skip-list=/dev/null",
            "-H",
            "-C",
            "-M",
            "-z",
            "--disable-cache",
            "--union-add",
            "--selinux-policy=/",
        ] {
            let error = repo.fail(["checkout", "--composefs", option, "main", out]);
            assert!(
                error.contains("Specified options are incompatible with --composefs"),
                "{}: {option}: {error}",
                tool.name()
            );
            assert!(!Path::new(out).exists());
        }
        ok(&["checkout", "--composefs", "main", out]);
        let first = fs::read(out).unwrap();
        // A file in the way is replaced; what is written is always the whole tree.
        fs::write(out, "old").unwrap();
        for options in [
            &["-U"][..],
            &["--subpath=/usr"],
            &["--union"],
            &["--fsync=1"],
        ] {
            ok(&[&["checkout", "--composefs"], options, &["main", out]].concat());
            assert!(fs::read(out).unwrap() == first, "{options:?}");
        }
        repo.fail(["checkout", "--composefs", "main", &format!("{out}.d/x")]);
        fs::create_dir(format!("{out}.d")).unwrap();
        repo.fail(["checkout", "--composefs", "main", &format!("{out}.d")]);
        let left = fs::read_dir(format!("{out}.d")).unwrap().count();
        assert_eq!(left, 0);
        let beside = fs::read_dir(scratch.path("")).unwrap();
        let names: Vec<_> = beside.map(|e| e.unwrap().file_name()).collect();
        assert!(
            !names.iter().any(|n| n.to_string_lossy().starts_with('.')),
            "{names:?}"
        );
    }
}

/// The kernel shows the tree that a checkout writes.
#[test]
fn a_mounted_image_is_the_tree() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let ours = Tool::ours();
    let tree = trees::everything(&scratch.path("tree")).unwrap();
    for name in ["usr", "etc", "boot", "var", "sysroot"] {
        tree.dir(name, 0o755).unwrap();
    }
    // Longer than the C library can write: these targets have blocks of their own.
    for length in [4064, 4090, 4095] {
        tree.symlink(&format!("links/{length}"), &"x".repeat(length))
            .unwrap();
    }
    let repo = scratch.init(&ours, "repo", "bare");
    commit(&ours, &repo, "main", tree.path(), &[]);
    ours.repo(&repo)
        .ok(["checkout", "main", text(&scratch.path("plain"))]);
    ours.repo(&repo).ok([
        "checkout",
        "--composefs",
        "main",
        text(&scratch.path("image")),
    ]);
    for dir in ["erofs", "merged"] {
        fs::create_dir(scratch.path(dir)).unwrap();
    }
    let script = |body: &str| {
        Command::new("unshare")
            .args(["--mount", "sh", "-ec", body])
            .current_dir(scratch.path(""))
            .output()
            .unwrap()
    };
    let mount = "mount -t erofs -o loop,ro image erofs
        mount -t overlay -o ro,metacopy=on,redirect_dir=on,lowerdir=erofs::repo/objects overlay merged";
    let works = script(mount);
    if !works.status.success() {
        let why = String::from_utf8_lossy(&works.stderr).into_owned();
        skip::because(&format!("needs erofs and overlayfs: {why}"));
        return;
    }
    let list = r"find . -printf '%p\t%y\t%m\t%U\t%G\t%l\0' | sort -z | tr '\0' '\n'
        find . -type f -print0 | sort -z | xargs -0 sha256sum";
    let merged = script(&format!("{mount}\ncd merged\n{list}"));
    let plain = script(&format!("cd plain\n{list}"));
    assert!(merged.status.success() && plain.status.success());
    assert!(!plain.stdout.is_empty());
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(str::to_owned).collect()
    };
    let (merged, plain) = (lines(&merged.stdout), lines(&plain.stdout));
    for (a, b) in merged.iter().zip(&plain) {
        assert_eq!(a, b);
    }
    assert_eq!(merged.len(), plain.len());
}

/// A damaged repository is named, and no image is left behind.
#[test]
fn a_missing_object_is_named() {
    let scratch = Scratch::new();
    let ours = Tool::ours();
    let tree = golden::tree_k(&scratch.path("k")).unwrap();
    let repo = scratch.init(&ours, "repo", "bare-user");
    commit(&ours, &repo, "main", tree.path(), &[]);
    let object: PathBuf = osier_testkit::repo::first_object(&repo, "file").unwrap();
    fs::remove_file(&object).unwrap();
    let out = scratch.path("out");
    let error = ours
        .repo(&repo)
        .fail(["checkout", "--composefs", "main", text(&out)]);
    osier_conformance::assert_names(&error, &osier_conformance::object_checksum(&object));
    assert!(!out.exists());
    let error = ours.repo(&repo).fail([
        "commit",
        TIMESTAMP,
        "-b",
        "x",
        "--generate-composefs-metadata",
        "--tree=ref=main",
    ]);
    osier_conformance::assert_names(&error, &osier_conformance::object_checksum(&object));
}
