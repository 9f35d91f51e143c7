//! `static-delta`: what either tool makes, lists and shows, the other applies, lists and shows.

use osier_conformance::{Scratch, both_ways, commit, ours_is_c, pair, root_or_skip, text};
use osier_testkit::httpd::Server;
use osier_testkit::random::Random;
use osier_testkit::repo;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

/// Text that the old and the new version of a file share in part.
fn words(seed: u64, length: usize) -> String {
    Random::new(seed).text(length)
}

/// An archive with two commits of `main` between which files were changed in every way deltas tell apart.
struct Versions {
    repo: PathBuf,
    old: String,
    new: String,
}

fn versions(scratch: &Scratch, tool: &Tool, name: &str) -> Versions {
    let repo = scratch.init(tool, name, "archive");
    let tree = Tree::create(scratch.path(format!("{name}-tree"))).unwrap();
    let long = words(1, 300_000);
    tree.dir("usr/bin", 0o755).unwrap();
    tree.dir("etc", 0o755).unwrap();
    tree.file("usr/bin/patched", words(2, 50_000)).unwrap();
    tree.file("usr/bin/lib.so.1", words(3, 20_000)).unwrap();
    tree.file("usr/bin/copied", &long).unwrap();
    tree.file("etc/same", "same").unwrap();
    tree.file("etc/gone", "gone").unwrap();
    tree.symlink("etc/link", "../usr").unwrap();
    let old = commit(tool, &repo, "main", tree.path(), &[]);

    let mut patched = words(2, 50_000);
    patched.replace_range(20_000..20_010, "changed");
    patched.insert_str(0, "new start\n");
    tree.file("usr/bin/patched", patched).unwrap();
    tree.remove("usr/bin/lib.so.1").unwrap();
    tree.file("usr/bin/lib.so.2", format!("2{}", words(3, 20_000)))
        .unwrap();
    let mut copied = long.clone();
    copied.replace_range(200_000..200_001, "!");
    tree.file("usr/bin/copied", copied).unwrap();
    tree.mode("usr/bin/copied", 0o755).unwrap();
    tree.file("etc/new", "new").unwrap();
    tree.file("etc/empty", "").unwrap();
    tree.file("etc/large", words(4, 1_200_000)).unwrap();
    tree.remove("etc/gone").unwrap();
    tree.symlink("etc/link2", "../usr/bin/é").unwrap();
    let new = commit(tool, &repo, "main", tree.path(), &[]);
    Versions { repo, old, new }
}

/// The files of a delta's folder, by name; the time in the superblock is the same in all.
fn files(dir: &Path, superblock: &str) -> Vec<(String, Vec<u8>)> {
    let mut out: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            (name, bytes)
        })
        .collect();
    for (name, bytes) in &mut out {
        if name == superblock {
            // Behind the metadata, whose end is the last of the offsets.
            let metadata = match bytes.len() {
                0..=0xff => usize::from(bytes[bytes.len() - 1]),
                0x100..=0xffff => usize::from(u16::from_le_bytes(
                    bytes[bytes.len() - 2..].try_into().unwrap(),
                )),
                _ => u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) as usize,
            };
            let at = metadata.next_multiple_of(8);
            bytes[at..at + 8].fill(0);
        }
    }
    out.sort();
    out
}

#[test]
fn says_the_same_and_is_no_larger() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&c, "repo", "archive");
    let tree = Tree::create(scratch.path("tree")).unwrap();
    let long = words(7, 200_000);
    let mut inserted = long.clone();
    inserted.insert_str(100_000, "inserted");
    let mut front = long.clone();
    front.insert(0, '!');
    for (i, content) in [long.as_str(), &inserted, &front, "short", ""]
        .iter()
        .enumerate()
    {
        tree.file("file.bin", content).unwrap();
        commit(
            &c,
            &repo,
            "main",
            tree.path(),
            &["--timestamp", &format!("@{}", 1_700_000_000 + i)],
        );
    }
    let mut made = 0;
    for to in ["main", "main^", "main^^", "main^^^", "main^^^^"] {
        for options in [
            &["--empty"][..],
            &["--empty", "--inline"],
            &["--empty", "--set-endianness=B"],
            &["--empty", "--min-fallback-size=0", "--max-chunk-size=0"],
            &[],
            &["--disable-bsdiff"],
            &["--max-bsdiff-size=0", "--inline"],
            &["--swap-endianness"],
        ] {
            let first = to == "main^^^^" && !options.contains(&"--empty");
            // A part with an empty file alone stops the C tool's own client; ours joins it to another part.
            let alone = to == "main" && options.contains(&"--max-chunk-size=0");
            if first || alone {
                continue;
            }
            let generate = |tool: &Tool| {
                let dir = scratch.path(format!("{}-{made}", tool.name()));
                fs::create_dir(&dir).unwrap();
                let file = format!("--filename={}/delta", dir.display());
                let out = tool.repo(&repo).ok(["static-delta", "generate", &file, to]
                    .iter()
                    .chain(options));
                (out, files(&dir, "delta"))
            };
            let (our_text, our_files) = generate(&ours);
            let (text, files) = generate(&c);
            assert_eq!(our_text, text, "{to} {options:?}");
            let size = |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.1.len()).sum::<usize>();
            // From nothing there is nothing to choose but the order of metadata, which gives or takes a few bytes.
            assert!(
                size(&our_files) <= size(&files) + 16,
                "{to} {options:?}: {} against {}",
                size(&our_files),
                size(&files)
            );
            made += 1;
        }
    }
}

/// Ways to make deltas that lead to the same commit.
const KINDS: [&[&str]; 6] = [
    &["--min-fallback-size=0"],
    &["--min-fallback-size=0", "--inline"],
    &["--swap-endianness"],
    &["--disable-bsdiff"],
    &["--max-chunk-size=0"],
    &["--max-chunk-size=1", "--max-bsdiff-size=0"],
];

#[test]
fn what_one_makes_the_other_applies() {
    if !root_or_skip() {
        return;
    }
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let Versions { repo, old, new } = versions(&scratch, &writer, "site");
        let delta = |name: &str, to: &str, options: &[&str]| {
            let dir = scratch.path(name);
            fs::create_dir(&dir).unwrap();
            let file = format!("--filename={}/superblock", dir.display());
            let args = ["static-delta", "generate", &file, to];
            writer.repo(&repo).ok(args.iter().chain(options));
            dir
        };
        let first = delta("first", &old, &["--empty"]);
        for (i, kind) in KINDS.iter().enumerate() {
            let second = delta(&format!("delta-{i}"), "main", kind);
            for mode in ["archive", "bare", "bare-user"] {
                // The C tool cannot read an archive's files at random, and an empty file that is a whole part stops it.
                let for_us = mode == "archive" || kind.contains(&"--max-chunk-size=0");
                if for_us && reader.name() == "C" {
                    continue;
                }
                let path = scratch.init(&reader, &format!("{mode}-{i}"), mode);
                let target = reader.repo(&path);
                for delta in [&first, &second] {
                    assert_eq!(
                        target.ok(["static-delta", "apply-offline", text(delta)]),
                        ""
                    );
                }
                assert_eq!(target.ok(["refs"]), "", "applying a delta moved a ref");
                target.ok(["refs", "--create=main", &new]);
                writer.repo(&path).ok(["fsck", "-q"]);
                reader.repo(&path).ok(["fsck", "-q"]);
                let twin = scratch.init(&writer, &format!("twin-{mode}-{i}"), mode);
                writer
                    .repo(&twin)
                    .ok(["pull-local", "--depth=1", text(&repo), "main"]);
                let objects = |repo: &Path| repo::object_names(repo).unwrap();
                assert_eq!(objects(&path), objects(&twin), "{mode} {kind:?}");
            }
        }
    }
}

#[test]
fn the_c_tool_pulls_through_our_deltas() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let Versions { repo, old, new } = versions(&scratch, &ours, "site");
    for args in [&["--empty", "main^"][..], &["main"]] {
        ours.repo(&repo)
            .ok(["static-delta", "generate"].iter().chain(args));
    }
    ours.repo(&repo).ok(["summary", "-u"]);
    let server = Server::serve(&repo).unwrap();
    let client = scratch.init(&c, "client", "bare-user");
    let c = c.repo(&client);
    c.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
    let pull = |rev: &str| {
        c.ok(["pull", "--require-static-deltas", "origin", rev]);
    };
    pull(&old);
    // The ref says from which commit on; the second delta is used from there.
    c.ok(["refs", "--create=origin:main", &old]);
    server.clear_log();
    pull("main");
    assert_eq!(c.ok(["rev-parse", "origin:main"]), new);
    let paths = server.paths();
    // Objects may be asked for as well: the C tool walks the commit while it applies the part, and which is first varies.
    for file in ["/superblock", "/0"] {
        assert!(paths.iter().any(|p| p.ends_with(file)), "{paths:?}");
    }
    c.ok(["fsck", "-q"]);
}

#[test]
fn lists_and_shows_are_the_same() {
    let Some((ours, c)) = pair() else { return };
    for maker in [&ours, &c] {
        let scratch = Scratch::new();
        let Versions { repo, old, new } = versions(&scratch, maker, "site");
        let same = |args: &[&str]| {
            let (ours, c) = (ours.repo(&repo).run(args), c.repo(&repo).run(args));
            assert_eq!((ours.code, &ours.stdout), (c.code, &c.stdout), "{args:?}");
            assert_eq!(ours.stderr, c.stderr, "{args:?}");
        };
        let both = format!("{old}-{new}");
        same(&["static-delta", "list"]);
        same(&["static-delta", "indexes"]);
        maker.repo(&repo).ok(["static-delta", "generate", "main"]);
        maker.repo(&repo).ok([
            "static-delta",
            "generate",
            "--empty",
            "--min-fallback-size=1",
            "main",
        ]);
        maker.repo(&repo).ok([
            "static-delta",
            "generate",
            "--empty",
            "--swap-endianness",
            "main^",
        ]);
        same(&["static-delta", "list"]);
        for delta in [&both, &new, &old] {
            same(&["static-delta", "show", delta]);
        }
        same(&["static-delta", "generate", "-n", "main"]);
        same(&["static-delta", "reindex"]);
        same(&["static-delta", "indexes"]);
        same(&["static-delta", "reindex", &format!("--to={new}")]);
        for args in [
            &["static-delta", "show"][..],
            &["static-delta", "show", "GARBAGE"],
            &["static-delta", "show", &format!("{new}-{old}")],
            &["static-delta", "show", "/no/such"],
            &["static-delta", "delete"],
            &["static-delta", "delete", "GARBAGE"],
            &["static-delta", "delete", &format!("{new}-{old}")],
            &["static-delta", "reindex", "--to=main"],
            &["static-delta", "apply-offline"],
            &["static-delta", "verify"],
            &["static-delta", "verify", "--sign-type=none", &new],
            &["static-delta", "generate"],
            &["static-delta", "generate", "no-such-ref"],
            &["static-delta", "generate", "main^"],
            &["static-delta", "generate", "--empty", "--from=main", "main"],
            &[
                "static-delta",
                "generate",
                "--empty",
                "--set-endianness=x",
                "main",
            ],
        ] {
            same(args);
        }
        // What prune and delete leave is the same, too.
        ours.repo(&repo).ok(["static-delta", "delete", &new]);
        same(&["static-delta", "list"]);
        c.repo(&repo).ok(["static-delta", "delete", &both]);
        same(&["static-delta", "list"]);
        ours.repo(&repo).ok(["static-delta", "reindex"]);
        same(&["static-delta", "indexes"]);
    }
}

#[test]
fn a_delta_to_an_unchanged_tree_has_one_empty_part() {
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let repo = scratch.init(&writer, "repo", "archive");
        let tree = Tree::create(scratch.path("tree")).unwrap();
        tree.file("file", "content").unwrap();
        let old = commit(&writer, &repo, "main", tree.path(), &[]);
        let new = commit(
            &writer,
            &repo,
            "main",
            tree.path(),
            &["--timestamp=@1700000001"],
        );
        let dir = scratch.path("delta");
        fs::create_dir(&dir).unwrap();
        let file = format!("--filename={}/superblock", dir.display());
        writer
            .repo(&repo)
            .ok(["static-delta", "generate", &file, "main"]);
        assert_eq!(fs::read(dir.join("0")).unwrap().len(), 61);
        let target = scratch.init(&reader, "target", "bare-user");
        writer.repo(&target).ok(["pull-local", text(&repo), &old]);
        let target = reader.repo(&target);
        target.ok(["static-delta", "apply-offline", text(&dir)]);
        assert!(target.ok(["show", &new]).contains(&new));
    }
}

#[test]
fn bad_deltas_change_nothing() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let Versions { repo, old, new } = versions(&scratch, &c, "site");
    let dir = scratch.path("delta");
    let fresh = || {
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        let file = format!("--filename={}/superblock", dir.display());
        c.repo(&repo)
            .ok(["static-delta", "generate", &file, "main"]);
    };
    let target = scratch.init(&c, "target", "bare-user");
    let refused = |words: &str| {
        let tool = ours.repo(&target);
        let error = tool.fail(["static-delta", "apply-offline", text(&dir)]);
        assert!(error.contains(words), "{error}");
        tool.fail(["show", &new]);
        // The C tool, too, sees nothing of it.
        c.repo(&target).ok(["fsck", "-q"]);
    };
    fresh();
    refused(&format!(
        "Commit {old}, which is the delta source, is not in repository"
    ));
    c.repo(&target).ok(["pull-local", text(&repo), &old]);
    let part = fs::read(dir.join("0")).unwrap();
    let mut changed = part.clone();
    let last = changed.len() - 40;
    changed[last] ^= 1;
    fs::write(dir.join("0"), changed).unwrap();
    refused("Checksum mismatch in static delta part; expected=");
    fs::remove_file(dir.join("0")).unwrap();
    refused("No such file or directory");
    fs::write(dir.join("0"), &part).unwrap();
    let superblock = fs::read(dir.join("superblock")).unwrap();
    fs::write(dir.join("superblock"), &superblock[..superblock.len() - 1]).unwrap();
    if !ours_is_c() {
        refused("superblock");
    }
    // A size that is not the part's.
    let size = (part.len() as u64).to_le_bytes();
    let at = superblock.windows(8).position(|w| w == size).unwrap();
    let mut changed = superblock.clone();
    changed[at] ^= 1;
    fs::write(dir.join("superblock"), changed).unwrap();
    if !ours_is_c() {
        refused("its superblock says");
    }
    fs::write(dir.join("superblock"), superblock).unwrap();
    ours.repo(&target)
        .ok(["static-delta", "apply-offline", text(&dir)]);
    ours.repo(&target).ok(["show", &new]);

    // Files to be fetched by themselves cannot come from a folder.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir(&dir).unwrap();
    let file = format!("--filename={}/superblock", dir.display());
    ours.repo(&repo).ok([
        "static-delta",
        "generate",
        &file,
        "--min-fallback-size=1",
        "--empty",
        "main",
    ]);
    let other = scratch.init(&ours, "other", "archive");
    let args = ["static-delta", "apply-offline", text(&dir)];
    let words = "Cannot execute delta offline: contains nonempty http fallback entries";
    for tool in [&ours, &c] {
        let error = tool.repo(&other).fail(args);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn prune_keeps_deltas_to_commits_that_stay() {
    let Some((ours, c)) = pair() else { return };
    for (maker, pruner) in [(&ours, &c), (&c, &ours)] {
        let scratch = Scratch::new();
        let Versions { repo, old, new } = versions(&scratch, maker, "site");
        maker.repo(&repo).ok(["static-delta", "generate", "main"]);
        maker
            .repo(&repo)
            .ok(["static-delta", "generate", "--empty", "main^"]);
        let list = || maker.repo(&repo).ok(["static-delta", "list"]);
        pruner.repo(&repo).ok(["prune"]);
        assert_eq!(list().lines().count(), 2);
        pruner.repo(&repo).ok(["prune", "--refs-only", "--depth=0"]);
        assert_eq!(list(), format!("{old}-{new}"));
        pruner.repo(&repo).ok(["refs", "--delete", "main"]);
        pruner.repo(&repo).ok(["prune", "--refs-only"]);
        assert_eq!(list(), "(No static deltas)");
    }
}

#[test]
fn pull_local_takes_deltas() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let Versions { repo, old, new } = versions(&scratch, &ours, "site");
    let twins: Vec<Tool> = [&ours, &c]
        .iter()
        .map(|tool| tool.repo(scratch.init(tool, tool.name(), "bare-user")))
        .collect();
    // Versions count differently what is loose, and what it takes.
    let parts = |text: &str| {
        text.split_inclusive("delta parts")
            .next()
            .map(str::to_owned)
    };
    let same = |args: &[&str]| {
        let pull = ["pull-local", "--require-static-deltas"];
        let [ours, c] = [0, 1].map(|i| twins[i].run(pull.iter().chain(args)));
        assert_eq!((ours.code, &ours.stderr), (c.code, &c.stderr), "{args:?}");
        if ours.stdout.contains("delta parts") {
            assert_eq!(parts(&ours.stdout), parts(&c.stdout), "{args:?}");
        }
        let [ours, c] = [0, 1].map(|i| twins[i].ok(["refs"]));
        assert_eq!(ours, c, "{args:?}");
    };
    let site = text(&repo);
    // None are there, then none are listed.
    same(&[site, "main"]);
    ours.repo(&repo)
        .ok(["static-delta", "generate", "--empty", "main^"]);
    ours.repo(&repo)
        .ok(["static-delta", "generate", "--min-fallback-size=1", "main"]);
    same(&[site, "main"]);
    ours.repo(&repo).ok(["summary", "-u"]);
    same(&[site, "main"]);
    same(&[site, &old]);
    same(&[site, &old]);
    same(&[site, "main"]);
    same(&[site, "no-such-ref"]);
    for tool in &twins {
        assert_eq!(tool.ok(["rev-parse", "main"]), new);
        tool.ok(["fsck", "-q"]);
    }
    let archive = scratch.init(&ours, "archive", "archive");
    for tool in [&ours, &c] {
        let error =
            tool.repo(&archive)
                .fail(["pull-local", "--require-static-deltas", site, "main"]);
        assert!(error.contains("Can't use static deltas in an archive repo"));
    }
}
