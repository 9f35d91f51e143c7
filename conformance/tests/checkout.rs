//! Checking out what either tool wrote gives the same files, owners, times and links.

use osier_conformance::{
    MODES, Scratch, assert_names, both_ways, commit, object_checksum, pair, root_or_skip, text,
};
use osier_testkit::snapshot::{Kind, Snapshot};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use osier_testkit::{repo, skip, trees};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a checkout left: the files, which of them are links into the repository, and the directories' times.
#[derive(Debug, PartialEq)]
struct Result {
    code: i32,
    snapshot: Option<Snapshot>,
    linked: BTreeSet<PathBuf>,
    old: BTreeSet<PathBuf>,
}

fn look(outcome: &Outcome, repo: &Path, copy: &Path) -> Result {
    let mut inodes = BTreeSet::new();
    for folder in ["objects", "uncompressed-objects-cache"] {
        if repo.join(folder).exists() {
            let snapshot = Snapshot::of(&repo.join(folder)).unwrap();
            inodes.extend(
                snapshot
                    .entries
                    .values()
                    .filter(|entry| entry.kind != Kind::Dir)
                    .map(|entry| entry.inode),
            );
        }
    }
    let snapshot = copy.exists().then(|| Snapshot::of(copy).unwrap());
    let entries = || snapshot.iter().flat_map(|snapshot| snapshot.entries.iter());
    let linked = entries()
        .filter(|(_, entry)| inodes.contains(&entry.inode))
        .map(|(path, _)| path.clone())
        .collect();
    let old = entries()
        .filter(|(_, entry)| entry.mtime == 0)
        .map(|(path, _)| path.clone())
        .collect();
    Result {
        code: outcome.code,
        snapshot,
        linked,
        old,
    }
}

/// Checks `rev` out of `repo` with both tools, each into a copy of what `prepare` makes, and compares.
fn same(scratch: &Scratch, repo: &Path, args: &[&str], rev: &str, prepare: impl Fn(&Path)) {
    let Some((ours, c)) = pair() else { return };
    let run = |tool: &Tool| {
        let copy = scratch.path(format!("checkout-{}", tool.name()));
        prepare(&copy);
        let outcome = tool.repo(repo).run(
            ["checkout"]
                .iter()
                .chain(args)
                .copied()
                .chain([rev, text(&copy)]),
        );
        let result = look(&outcome, repo, &copy);
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        (outcome, result)
    };
    let ((our, our_result), (c, c_result)) = (run(&ours), run(&c));
    let label = format!("{}\n{our}{c}", repo.display());
    assert_eq!(our_result.code, c_result.code, "exit codes differ: {label}");
    if our_result.code != 0 {
        // How far a failed checkout came is no promise.
        return;
    }
    match (&our_result.snapshot, &c_result.snapshot) {
        (Some(a), Some(b)) => {
            let differences = a.differences(b);
            assert!(differences.is_empty(), "{label}{}", differences.join("\n"));
        }
        (a, b) => assert_eq!(a.is_some(), b.is_some(), "{label}"),
    }
    assert_eq!(
        our_result.linked, c_result.linked,
        "links into the repository differ: {label}"
    );
    assert_eq!(
        our_result.old, c_result.old,
        "entries with time 0 differ: {label}"
    );
}

fn nothing(_: &Path) {}

#[test]
fn every_mode_with_every_way_to_copy() {
    if !root_or_skip() {
        return;
    }
    for (writer, _) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        for mode in MODES {
            let path = scratch.init(&writer, mode, mode);
            commit(&writer, &path, "main", tree.path(), &[]);
            for args in [
                &[][..],
                &["-U"],
                &["-H"],
                &["-U", "-H"],
                &["-C"],
                &["-U", "-C"],
                &["-U", "--disable-cache"],
                &["-M", "-U"],
                &["--fsync=false"],
            ] {
                same(&scratch, &path, args, "main", nothing);
            }
        }
    }
}

#[test]
fn a_checkout_is_the_tree_that_was_committed() {
    if !root_or_skip() {
        return;
    }
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        // The format knows no attributes with an empty value.
        let mut source = Snapshot::of(tree.path()).unwrap();
        for entry in source.entries.values_mut() {
            entry.xattrs.retain(|_, value| !value.is_empty());
        }
        for mode in ["archive", "bare", "bare-user"] {
            let path = scratch.init(&writer, mode, mode);
            commit(&writer, &path, "main", tree.path(), &[]);
            let copy = scratch.path(format!("copy-{mode}"));
            reader.repo(&path).ok(["checkout", "main", text(&copy)]);
            let differences = source.differences(&Snapshot::of(&copy).unwrap());
            assert!(
                differences.is_empty(),
                "{mode} by {}:\n{}",
                writer.name(),
                differences.join("\n")
            );
        }
    }
}

#[test]
fn subpaths() {
    let Some((_, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let path = scratch.init(&c, "repo", "bare-user");
    commit(&c, &path, "main", tree.path(), &[]);
    for subpath in [
        "/usr",
        "usr/etc",
        "/usr/bin/sh",
        "/usr/etc/os-release",
        "/",
        "/no/such/path",
        "/usr/bin/sh/x",
    ] {
        let subpath = format!("--subpath={subpath}");
        same(&scratch, &path, &["-U", &subpath], "main", nothing);
        same(
            &scratch,
            &path,
            &["-U", "--allow-noent", &subpath],
            "main",
            nothing,
        );
    }
}

#[test]
fn over_what_is_there() {
    let Some((_, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("same", "same\n")
        .unwrap()
        .file("differs", "new\n")
        .unwrap()
        .file("dir/new", "new\n")
        .unwrap();
    tree.symlink("link", "new-target")
        .unwrap()
        .file("becomes-file", "file\n")
        .unwrap();
    tree.dir("becomes-dir", 0o700)
        .unwrap()
        .dir("kept-dir", 0o711)
        .unwrap();
    for mode in ["archive", "bare-user", "bare-user-only"] {
        let path = scratch.init(&c, mode, mode);
        commit(&c, &path, "main", tree.path(), &[]);
        let plain = |copy: &Path| {
            let there = Tree::create(copy).unwrap();
            there
                .file("same", "same\n")
                .unwrap()
                .file("differs", "old\n")
                .unwrap()
                .file("dir/old", "old\n")
                .unwrap();
            there
                .symlink("link", "old-target")
                .unwrap()
                .dir("kept-dir", 0o755)
                .unwrap();
        };
        let clash_one = |copy: &Path| {
            Tree::create(copy)
                .unwrap()
                .dir("becomes-file", 0o755)
                .unwrap();
        };
        let clash_two = |copy: &Path| {
            Tree::create(copy)
                .unwrap()
                .file("becomes-dir", "file\n")
                .unwrap();
        };
        let identical = |copy: &Path| {
            Tree::create(copy)
                .unwrap()
                .file("same", "same\n")
                .unwrap()
                .symlink("link", "new-target")
                .unwrap();
        };
        for args in [
            &["-U"][..],
            &["-U", "--union"],
            &["-U", "--union-add"],
            &["-U", "-H", "--union-identical"],
        ] {
            same(&scratch, &path, args, "main", plain);
            same(&scratch, &path, args, "main", clash_one);
            same(&scratch, &path, args, "main", clash_two);
            same(&scratch, &path, args, "main", identical);
        }
    }
}

#[test]
fn skip_lists_and_whiteouts() {
    let Some((_, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("a/b", "b\n")
        .unwrap()
        .file("a/c", "c\n")
        .unwrap()
        .file("d/e", "e\n")
        .unwrap();
    tree.file("a/.wh.gone", "")
        .unwrap()
        .file("opaque/.wh..wh..opq", "")
        .unwrap()
        .file("opaque/new", "new\n")
        .unwrap();
    let path = scratch.init(&c, "repo", "bare-user");
    commit(&c, &path, "main", tree.path(), &[]);
    let skips = scratch.file("skips", "/a/b\n/d/\n");
    let skips = format!("--skip-list={}", text(&skips));
    same(&scratch, &path, &["-U", &skips], "main", nothing);
    let there = |copy: &Path| {
        let there = Tree::create(copy).unwrap();
        there
            .file("a/gone", "x")
            .unwrap()
            .file("a/kept", "x")
            .unwrap()
            .file("opaque/old", "x")
            .unwrap();
    };
    same(
        &scratch,
        &path,
        &["-U", "--union", "--whiteouts"],
        "main",
        there,
    );
    same(&scratch, &path, &["-U", "--union"], "main", there);
}

#[test]
fn many_from_a_file() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let path = scratch.init(&c, "repo", "bare-user");
    commit(&c, &path, "main", tree.path(), &[]);
    let list = scratch.file("list", "main\0/usr/bin\0main\0/usr/etc\0");
    let from = format!("--from-file={}", text(&list));
    let copies = [&ours, &c].map(|tool| {
        let copy = scratch.path(format!("copy-{}", tool.name()));
        tool.repo(&path)
            .ok(["checkout", "-U", "--union", &from, text(&copy)]);
        Snapshot::of(&copy).unwrap()
    });
    assert_eq!(copies[0].differences(&copies[1]), [""; 0]);
}

#[test]
fn revisions_of_every_kind() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    let path = scratch.init(&c, "repo", "bare-user");
    tree.file("f", "1").unwrap();
    let first = commit(&c, &path, "main", tree.path(), &[]);
    tree.file("f", "2").unwrap();
    commit(&c, &path, "main", tree.path(), &[]);
    for (number, rev) in [first.as_str(), &first[..8], "main^"]
        .into_iter()
        .enumerate()
    {
        let copy = scratch.path(number.to_string());
        ours.repo(&path).ok(["checkout", "-U", rev, text(&copy)]);
        assert_eq!(fs::read_to_string(copy.join("f")).unwrap(), "1");
    }
    for rev in [
        "nosuch",
        "main^^",
        &"0".repeat(64),
        "bad..name",
        "main^x",
        "",
    ] {
        let [our, c] = [&ours, &c].map(|tool| {
            let copy = scratch.path(format!("bad-{}", tool.name()));
            let outcome = tool.repo(&path).run(["checkout", "-U", rev, text(&copy)]);
            if copy.exists() {
                fs::remove_dir_all(copy).unwrap();
            }
            outcome
        });
        assert_eq!(our.code, c.code, "{rev:?}\n{our}{c}");
    }
}

#[test]
fn a_lost_object_is_named_and_nothing_but_the_destination_is_touched() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let path = scratch.init(&ours, "repo", "archive");
    commit(&ours, &path, "main", tree.path(), &[]);
    let object = repo::first_object(&path, "filez").unwrap();
    fs::remove_file(&object).unwrap();
    let checksum = object_checksum(&object);
    let before = Snapshot::of(&path).unwrap();
    let copy = scratch.path("copy");
    let stderr = ours
        .repo(&path)
        .fail(["checkout", "-U", "--disable-cache", "main", text(&copy)]);
    assert_names(&stderr, &checksum);
    assert_eq!(before.differences(&Snapshot::of(&path).unwrap()), [""; 0]);
}

#[test]
fn an_existing_destination_is_not_overwritten() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let path = scratch.init(&c, "repo", "bare-user");
    commit(&c, &path, "main", tree.path(), &[]);
    let there = Tree::create(scratch.path("there")).unwrap();
    there.file("mine", "mine\n").unwrap();
    for tool in [ours, c] {
        tool.repo(&path)
            .fail(["checkout", "-U", "main", text(there.path())]);
        assert_eq!(fs::read_to_string(there.join("mine")).unwrap(), "mine\n");
        assert_eq!(fs::metadata(there.path()).unwrap().mode() & 0o7777, 0o755);
    }
}

/// Another file system, unmounted when dropped.
struct OtherDevice(PathBuf);

impl Drop for OtherDevice {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn links_across_devices_are_refused_and_copies_made() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let place = scratch.path("other");
    fs::create_dir(&place).unwrap();
    rustix::mount::mount(
        "other",
        &place,
        "tmpfs",
        rustix::mount::MountFlags::empty(),
        None,
    )
    .unwrap();
    let other = OtherDevice(place);
    c.repo(other.0.join("seen")).ok(["init"]);
    if !other.0.join("seen").is_dir() {
        skip::because("the C tool runs in a root folder that does not see this test's mounts");
        return;
    }
    for mode in MODES {
        let path = scratch.init(&ours, mode, mode);
        commit(&ours, &path, "main", tree.path(), &[]);
        for args in [
            &["-H"][..],
            &["-U", "-H"],
            &["-H", "--union-identical"],
            &["-U"],
            &[],
        ] {
            let told = [&ours, &c].map(|tool| {
                let dest = other.0.join(format!("{mode}-{}", tool.name()));
                let outcome = tool
                    .repo(&path)
                    .run([&["checkout"], args, &["main", text(&dest)]].concat());
                let made = fs::read_dir(&dest).map_or(0, Iterator::count);
                let _ = fs::remove_dir_all(&dest);
                (outcome.code, outcome.stderr, made)
            });
            assert_eq!(told[0], told[1], "{mode} {args:?}");
            assert_eq!(told[0].0 == 0, !args.contains(&"-H"), "{mode} {args:?}");
        }
    }
}

/// `-H` where objects cannot be links: the same answer as the C tool's for each kind of file, and nothing half done.
#[test]
fn hard_links_that_cannot_be_had() {
    let Some((ours, c)) = pair() else { return };
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let trees = ["empty", "link", "file"].map(|kind| {
        let tree = Tree::create(scratch.path(kind)).unwrap();
        tree.dir("d", 0o755).unwrap().dir("d/e", 0o755).unwrap();
        tree.file("d/e/empty", "").unwrap();
        match kind {
            "link" => drop(tree.symlink("d/e/link", "x").unwrap()),
            "file" => drop(tree.file("d/e/file", "x").unwrap()),
            _ => {}
        }
        (kind, tree)
    });
    for mode in MODES {
        let path = scratch.init(&c, mode, mode);
        for (kind, tree) in &trees {
            commit(&c, &path, kind, tree.path(), &[]);
            for options in [&["-H"][..], &["-H", "-U"]] {
                let [our, theirs] = [&ours, &c].map(|tool| {
                    let dest = scratch.path(format!(
                        "out-{mode}-{kind}-{}-{}",
                        options.len(),
                        tool.name()
                    ));
                    let mut args = vec!["checkout"];
                    args.extend(options);
                    args.extend([*kind, text(&dest)]);
                    (tool.repo(&path).run(&args), dest)
                });
                let context = format!("{mode} {kind} {options:?}\n{}\n{}", our.0, theirs.0);
                assert_eq!(our.0.code, theirs.0.code, "{context}");
                if our.0.code != 0 {
                    let cause = theirs.0.stderr.trim_start_matches("error: ");
                    assert!(our.0.stderr.ends_with(cause), "{context}");
                    let made = fs::read_dir(&our.1).map_or(0, Iterator::count);
                    assert!(made == 0 || osier_conformance::ours_is_c(), "{context}");
                }
            }
        }
    }
}

#[test]
fn links_with_names_of_whiteouts_are_links() {
    use std::os::unix::fs::symlink;
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    std::fs::create_dir_all(tree.join("d")).unwrap();
    symlink("a", tree.join(".wh.x")).unwrap();
    symlink("b", tree.join(".ostree-wh.y")).unwrap();
    symlink("c", tree.join("d/.wh..wh..opq")).unwrap();
    let path = scratch.init(&c, "repo", "archive");
    commit(&c, &path, "main", &tree, &[]);
    for option in ["--whiteouts", "--process-passthrough-whiteouts"] {
        let listings = [&ours, &c].map(|tool| {
            let out = scratch.path(format!("out{option}-{}", tool.name()));
            std::fs::create_dir_all(out.join("d")).unwrap();
            for name in ["x", "y", "d/f"] {
                std::fs::write(out.join(name), "before").unwrap();
            }
            let args = ["checkout", "-U", "--union", option, "main", text(&out)];
            tool.repo(&path).ok(args);
            let mut names: Vec<_> = ["", "d"]
                .iter()
                .flat_map(|sub| std::fs::read_dir(out.join(sub)).unwrap())
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names
        });
        assert_eq!(listings[0], listings[1], "{option}");
    }
}
