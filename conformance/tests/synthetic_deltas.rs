//! Deltas that no generator makes, put together operation by operation: what the format allows is applied by both tools
//! with the same result, everything else is refused and changes nothing.

use osier_conformance::{Scratch, commit, ours_is_c, pair, root_or_skip, text};
use osier_delta::format::ops::Op;
use osier_delta::format::signed;
use osier_gv::{Dict, Value};
use osier_object::Checksum;
use osier_testkit::httpd::Server;
use osier_testkit::repo;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "synthetic_deltas/builder.rs"]
mod builder;
use builder::{Form, Order, Packing, PartBuilder, write};

/// The old version's only file.
const OLD: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

const OWNED: [&str; 3] = ["--owner-uid=0", "--owner-gid=0", "--no-xattrs"];

/// A repository with two commits, the trees behind them, and what the new one adds.
struct Site {
    scratch: Scratch,
    repo: PathBuf,
    old: String,
    new: String,
}

/// The new version has these files beside the old one's, all of mode 0644, and perhaps a link.
fn site(c: &Tool, files: &[(&str, &str)], link: Option<&str>) -> Site {
    let scratch = Scratch::new();
    let repo = scratch.init(c, "site", "archive");
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("old", OLD).unwrap();
    let old = commit(c, &repo, "main", tree.path(), &OWNED);
    for (name, content) in files {
        tree.file(name, content).unwrap();
    }
    if let Some(target) = link {
        tree.symlink("link", target).unwrap();
    }
    let new = commit(c, &repo, "main", tree.path(), &OWNED);
    Site {
        scratch,
        repo,
        old,
        new,
    }
}

impl Site {
    fn client(&self, tool: &Tool, c: &Tool, name: &str, mode: &str) -> (Tool, PathBuf) {
        let path = self.scratch.init(c, name, mode);
        c.repo(&path)
            .ok(["pull-local", text(&self.repo), &self.old]);
        (tool.repo(&path), path)
    }

    /// A part that begins with the metadata of the new version; files are still to come.
    fn part(&self) -> PartBuilder {
        PartBuilder::new(&self.repo, &self.old, &self.new)
    }

    fn delta(&self, name: &str, part: &PartBuilder, form: &Form) -> PathBuf {
        let dir = self.scratch.path(name);
        fs::create_dir(&dir).unwrap();
        write(&self.repo, &self.old, &self.new, part, form, &dir);
        dir
    }
}

const MODES: [&str; 4] = ["bare-user", "bare-user-only", "bare", "archive"];

/// Applies the delta with both tools in every mode; the C tool has no archives for anything but `S`.
fn both_apply(site: &Site, ours: &Tool, c: &Tool, delta: &Path, plain: bool) {
    for mode in MODES {
        if mode == "bare" && !root_or_skip() {
            continue;
        }
        let label = format!("{} {mode}", delta.file_name().unwrap().to_str().unwrap());
        let paths = [ours, c].map(|tool| {
            if mode == "archive" && !plain && (tool.name() == c.name() || ours_is_c()) {
                return None;
            }
            let name = format!("{}-{label}", tool.name());
            let (client, path) = site.client(tool, c, &name, mode);
            let outcome = client.run(["static-delta", "apply-offline", text(delta)]);
            assert_eq!(outcome.code, 0, "{label}: {outcome}");
            for checker in [ours, c] {
                checker.repo(&path).ok(["fsck", "-q"]);
                let shown = checker.repo(&path).ok(["ls", "-RC", &site.new]);
                assert_eq!(
                    shown,
                    c.repo(&site.repo).ok(["ls", "-RC", &site.new]),
                    "{label}"
                );
            }
            Some(path)
        });
        if let [Some(our), Some(their)] = paths {
            let differences = repo::differences(&our, &their).unwrap();
            assert!(
                differences.is_empty(),
                "{label}: {}",
                differences.join("\n")
            );
        }
    }
}

#[test]
fn every_operation_does_the_same_with_both_tools() {
    let Some((ours, c)) = pair() else { return };
    let files = [
        ("spliced", "spliced from the blob"),
        ("written", "written in two"),
        ("copied", "cdefliteral89yz"),
        ("patched", "0123456789ABCDEFghijklmnopqrstuvwxyz!"),
        ("none", ""),
        ("nothing", "\n"),
    ];
    let site = site(&c, &files, Some("../elsewhere"));
    let mut part = site.part();
    let old = part.source();
    part.splice("spliced from the blob");
    part.link("../elsewhere");

    let (from, _) = part.put(b"written in two");
    part.open("written in two");
    // Nothing, then the rest, then nothing again.
    part.op(Op::Write {
        size: 0,
        offset: from,
    });
    part.op(Op::Write {
        size: 8,
        offset: from,
    });
    part.op(Op::Write {
        size: 6,
        offset: from + 8,
    });
    part.op(Op::Write { size: 0, offset: 0 });
    part.op(Op::Close);

    let (literal, _) = part.put(b"literal");
    // A source set twice, and before the object.
    part.op(Op::SetReadSource { offset: old });
    part.op(Op::SetReadSource { offset: old });
    part.open("cdefliteral89yz");
    part.op(Op::Write {
        size: 4,
        offset: 12,
    });
    part.op(Op::UnsetReadSource);
    part.op(Op::UnsetReadSource);
    part.op(Op::Write {
        size: 7,
        offset: literal,
    });
    part.op(Op::SetReadSource { offset: old });
    part.op(Op::Write { size: 2, offset: 8 });
    part.op(Op::Write {
        size: 2,
        offset: 34,
    });
    part.op(Op::Close);

    let mut patch = Vec::new();
    for n in [36u64, 1, 0] {
        patch.extend_from_slice(&n.to_le_bytes());
    }
    let new = &files[3].1.as_bytes()[..36];
    patch.extend(
        new.iter()
            .zip(OLD.bytes())
            .map(|(new, old)| new.wrapping_sub(old)),
    );
    patch.extend_from_slice(b"!behind it there is no more to read");
    let (offset, size) = part.put(&patch);
    part.op(Op::SetReadSource { offset: old });
    part.open(files[3].1);
    part.op(Op::BsPatch { offset, size });
    part.op(Op::Close);

    part.splice("");
    // The source goes with its object.
    let (from, _) = part.put(b"\n");
    part.open("\n");
    part.op(Op::Write {
        size: 1,
        offset: from,
    });
    part.op(Op::Close);
    part.op(Op::UnsetReadSource);

    for form in [
        Form::default(),
        Form {
            packing: Packing::Stored,
            ..Form::default()
        },
        Form {
            order: Order::Big,
            ..Form::default()
        },
        Form {
            order: Order::None,
            ..Form::default()
        },
        Form {
            order: Order::BigUnstated,
            ..Form::default()
        },
        Form {
            inline: true,
            ..Form::default()
        },
    ] {
        let delta = site.delta(&format!("{form:?}"), &part, &form);
        both_apply(&site, &ours, &c, &delta, false);
    }
    let overlong = site.delta("overlong", &part.overlong(), &Form::default());
    both_apply(&site, &ours, &c, &overlong, false);
}

#[test]
fn splices_alone_go_into_an_archive_with_both_tools() {
    let Some((ours, c)) = pair() else { return };
    let site = site(&c, &[("file", "content")], Some("old"));
    let mut part = site.part();
    part.splice("content");
    part.link("old");
    let delta = site.delta("delta", &part, &Form::default());
    both_apply(&site, &ours, &c, &delta, true);
}

/// What both pull over HTTP, whatever the form.
#[test]
fn every_form_is_pulled_by_both_tools() {
    let Some((ours, c)) = pair() else { return };
    // With tiny objects the guess at the order would be wrong.
    let content = "content".repeat(400);
    for form in [
        Form::default(),
        Form {
            packing: Packing::Stored,
            ..Form::default()
        },
        Form {
            order: Order::Big,
            ..Form::default()
        },
        Form {
            order: Order::BigUnstated,
            ..Form::default()
        },
        Form {
            order: Order::None,
            ..Form::default()
        },
        Form {
            inline: true,
            ..Form::default()
        },
    ] {
        let site = site(&c, &[("file", &content), ("copied", "456789abc")], None);
        let mut part = site.part();
        let old = part.source();
        part.splice(&content);
        part.op(Op::SetReadSource { offset: old });
        part.open("456789abc");
        part.op(Op::Write { size: 9, offset: 4 });
        part.op(Op::Close);
        builder::publish(&site.repo, &site.old, &site.new, &part, &form);
        c.repo(&site.repo).ok(["summary", "-u"]);
        let server = Server::serve(&site.repo).unwrap();
        let paths = [&ours, &c].map(|tool| {
            let (client, path) = site.client(tool, &c, tool.name(), "bare-user");
            client.ok(["remote", "add", "--no-gpg-verify", "o", &server.url()]);
            // What a ref's value is decides which deltas are considered.
            client.ok(["refs", "--create=o:main", &site.old]);
            server.clear_log();
            let outcome = client.run(["pull", "--require-static-deltas", "o", "main"]);
            assert_eq!(outcome.code, 0, "{form:?}: {outcome}");
            let asked = server.paths();
            assert!(
                !asked.iter().any(|path| path.ends_with(".filez")),
                "{form:?}: {asked:?}"
            );
            for checker in [&ours, &c] {
                checker.repo(&path).ok(["fsck", "-q"]);
            }
            path
        });
        let differences = repo::differences(&paths[0], &paths[1]).unwrap();
        assert!(
            differences.is_empty(),
            "{form:?}: {}",
            differences.join("\n")
        );
    }
}

/// The C tool aborts on it.
#[test]
fn an_empty_file_in_a_part_with_an_empty_blob() {
    let Some((ours, c)) = pair() else { return };
    if ours_is_c() {
        return;
    }
    let site = site(&c, &[("empty", "")], None);
    let first = site.part();
    let mut second = PartBuilder::empty();
    second.splice("");
    let dir = site.scratch.path("delta");
    fs::create_dir(&dir).unwrap();
    builder::write_parts(
        &site.repo,
        &site.old,
        &site.new,
        &[&first, &second],
        &Form::default(),
        &dir,
    );
    for mode in ["bare-user", "archive"] {
        let (client, path) = site.client(&ours, &c, mode, mode);
        client.ok(["static-delta", "apply-offline", text(&dir)]);
        client.ok(["ls", "-R", &site.new]);
        c.repo(&path).ok(["fsck", "-q"]);
    }
}

/// A part copies from what another one makes, whichever is looked at first.
#[test]
fn parts_copy_from_each_other() {
    let Some((ours, c)) = pair() else { return };
    let site = site(&c, &[("a", "made first"), ("b", "first")], None);
    let mut first = site.part();
    first.splice("made first");
    let mut second = PartBuilder::empty();
    let source = second.checksum_of("made first");
    second.op(Op::SetReadSource { offset: source });
    second.open("first");
    second.op(Op::Write { size: 5, offset: 5 });
    second.op(Op::Close);
    let dir = site.scratch.path("delta");
    fs::create_dir(&dir).unwrap();
    let orders: &[[&PartBuilder; 2]] = &[[&first, &second], [&second, &first]];
    for (n, parts) in orders.iter().enumerate() {
        builder::write_parts(
            &site.repo,
            &site.old,
            &site.new,
            parts,
            &Form::default(),
            &dir,
        );
        // The C tool takes them one after another.
        let tools = if n == 0 { vec![&ours, &c] } else { vec![&ours] };
        for tool in tools {
            if n > 0 && ours_is_c() {
                continue;
            }
            let name = format!("{n}-{}", tool.name());
            let (client, path) = site.client(tool, &c, &name, "bare-user");
            client.ok(["static-delta", "apply-offline", text(&dir)]);
            c.repo(&path).ok(["fsck", "-q"]);
        }
    }
}

/// One change of a part that was good.
type Change = fn(&mut PartBuilder);

#[test]
fn what_is_wrong_in_a_part_is_refused_and_changes_nothing() {
    let Some((ours, c)) = pair() else { return };
    if ours_is_c() {
        return;
    }
    let cases: &[(&str, Change, &str)] = &[
        (
            "operations end early",
            |p| p.drop_last(),
            "ends inside an object",
        ),
        (
            "an object less",
            |p| {
                p.drop_last();
                p.drop_last();
                p.drop_last()
            },
            "objects of",
        ),
        (
            "an object more",
            |p| p.splice_op(0, 0, 1, 0),
            "more objects than the part announces",
        ),
        (
            "an object is begun behind the end",
            |p| {
                p.op(Op::Open {
                    mode: 0,
                    xattrs: 0,
                    size: 0,
                })
            },
            "more objects",
        ),
        (
            "a write behind the end",
            |p| p.op(Op::Write { size: 1, offset: 0 }),
            "no object is open",
        ),
        (
            "a close behind the end",
            |p| p.op(Op::Close),
            "no object is open",
        ),
        (
            "a patch behind the end",
            |p| p.op(Op::BsPatch { offset: 0, size: 1 }),
            "no object is open",
        ),
        (
            "a source behind the end",
            |p| p.op(Op::SetReadSource { offset: u64::MAX }),
            "Invalid offset/length",
        ),
        (
            "open while open",
            |p| {
                p.before_close(&[Op::Open {
                    mode: 0,
                    xattrs: 0,
                    size: 0,
                }])
            },
            "another object is open",
        ),
        (
            "splice while open",
            |p| {
                p.before_close(&[Op::SpliceFile {
                    mode: 0,
                    xattrs: 0,
                    size: 0,
                    offset: 0,
                }])
            },
            "another object is open",
        ),
        (
            "written past the size",
            |p| p.before_close(&[Op::Write { size: 1, offset: 0 }]),
            "more than its",
        ),
        (
            "an offset that wraps",
            |p| {
                p.before_close(&[Op::Write {
                    size: 2,
                    offset: u64::MAX,
                }])
            },
            "Invalid offset/length",
        ),
        (
            "a size that wraps",
            |p| {
                p.before_close(&[Op::Write {
                    size: u64::MAX,
                    offset: 2,
                }])
            },
            "Invalid offset/length",
        ),
        (
            "a size of 4 GiB and nothing",
            |p| {
                p.before_close(&[Op::Write {
                    size: 1 << 32,
                    offset: 0,
                }])
            },
            "Invalid offset/length",
        ),
        (
            "a patch of 4 GiB and one",
            |p| {
                let source = p.source;
                p.before_close(&[
                    Op::SetReadSource { offset: source },
                    Op::BsPatch {
                        offset: 0,
                        size: (1 << 32) + 1,
                    },
                ])
            },
            "Invalid offset/length",
        ),
        (
            "a patch without a source",
            |p| p.before_close(&[Op::BsPatch { offset: 0, size: 1 }]),
            "no read source",
        ),
        ("an unknown code", |p| p.raw(b"z"), "Unknown opcode 122"),
        (
            "a number without an end",
            |p| p.raw(b"w\xff\xff"),
            "Unexpected EOF reading varint",
        ),
        (
            "a number of eleven bytes",
            |p| p.raw(b"w\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x00"),
            "varint",
        ),
        (
            "a mode outside its list",
            |p| p.change_open(|mode, _, _| *mode = 9),
            "Invalid mode index 9",
        ),
        (
            "attributes outside their list",
            |p| p.change_open(|_, xattrs, _| *xattrs = u64::MAX),
            "Invalid xattr index",
        ),
        (
            "more announced than written",
            |p| p.change_open(|_, _, size| *size += 1 << 32),
            "bytes of",
        ),
        (
            "a checksum that is another's",
            |p| p.change_objects(),
            "Corrupted file object; checksum expected=",
        ),
    ];
    let site = site(&c, &[("file", "written")], None);
    // What a failed run staged would be there for the next.
    let clients = |n: &str| {
        ["bare-user", "archive"].map(|mode| site.client(&ours, &ours, &format!("{mode} {n}"), mode))
    };
    let good = || {
        let mut part = site.part();
        part.source();
        let (offset, size) = part.put(b"written");
        part.open("written");
        part.op(Op::Write { size, offset });
        part.op(Op::Close);
        part
    };
    for (n, (name, change, words)) in cases.iter().enumerate() {
        let mut part = good();
        change(&mut part);
        let delta = site.delta(&n.to_string(), &part, &Form::default());
        for (client, path) in clients(name) {
            let outcome = client.run(["static-delta", "apply-offline", text(&delta)]);
            assert_eq!(outcome.code, 1, "{name}: {outcome}");
            assert!(outcome.stderr.contains(words), "{name}: {outcome}");
            client.fail(["show", &site.new]);
            c.repo(&path).ok(["fsck", "-q"]);
        }
    }
    let delta = site.delta("good", &good(), &Form::default());
    for (client, _) in clients("good") {
        client.ok(["static-delta", "apply-offline", text(&delta)]);
        client.ok(["fsck", "-q"]);
    }
}

/// Bytes that are no delta although they look like one: what has been used against other programs, or could be.
#[test]
fn hostile_files_are_refused_and_change_nothing() {
    let Some((ours, c)) = pair() else { return };
    if ours_is_c() {
        return;
    }
    let site = site(&c, &[("file", "content")], None);
    let (client, path) = site.client(&ours, &c, "client", "bare-user");
    let part = || {
        let mut part = site.part();
        part.splice("content");
        part
    };
    let refused = |name: &str, delta: &Path, words: &str| {
        let outcome = client.run(["static-delta", "apply-offline", text(delta)]);
        assert_eq!(outcome.code, 1, "{name}: {outcome}");
        assert!(outcome.stderr.contains(words), "{name}: {outcome}");
        client.fail(["show", &site.new]);
        c.repo(&path).ok(["fsck", "-q"]);
        let left = fs::read_dir(path.join("tmp")).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            !name.to_string_lossy().starts_with("staging-") && name != "cache"
        });
        assert_eq!(left.count(), 0, "{name}");
    };

    // A payload that unpacks to far more than what it makes.
    let mut bomb = part();
    bomb.put(&vec![0; 80 << 20]);
    refused(
        "bomb",
        &site.delta("bomb", &bomb, &Form::default()),
        "bytes it may have",
    );

    // Superblocks in envelopes in envelopes, with and without signatures.
    let plain = site.delta("plain", &part(), &Form::default());
    let superblock = plain.join("superblock");
    let bytes = fs::read(&superblock).unwrap();
    let mut signatures = Dict::new();
    for signed in [false, true] {
        if signed {
            signatures.push(
                "ostree.sign.dummy",
                Value::bytes_list(vec![b"foo".to_vec()]),
            );
        }
        let once = signed::seal(bytes.clone(), &signatures);
        fs::write(&superblock, signed::seal(once.clone(), &signatures)).unwrap();
        refused("wrapped twice", &plain, "superblock");
        // Cut anywhere it is nothing.
        for end in [8, 9, 16, once.len() / 2, once.len() - 1] {
            fs::write(&superblock, &once[..end]).unwrap();
            refused("cut", &plain, "");
        }
    }
    // An envelope whose magic number is the other way round is none.
    let mut turned = signed::seal(bytes.clone(), &signatures);
    turned[..8].reverse();
    fs::write(&superblock, turned).unwrap();
    refused("turned", &plain, "superblock");
    fs::write(&superblock, &bytes).unwrap();

    // A superblock that is another delta's, or says that it leads to another commit.
    let at = |id: &str| {
        let id: Checksum = id.parse().unwrap();
        let place = bytes.windows(32).position(|w| w == id.as_bytes());
        place.unwrap()
    };
    for id in [&site.new, &site.old] {
        let mut changed = bytes.clone();
        changed[at(id)] ^= 1;
        fs::write(&superblock, changed).unwrap();
        refused("another commit", &plain, "");
    }
    fs::write(&superblock, &bytes).unwrap();

    // A pipe, a folder, a link to nowhere in a part's place.
    let file = plain.join("0");
    let good = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        0o644.into(),
        0,
    )
    .unwrap();
    refused("a pipe", &plain, "is no file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused("a folder", &plain, "is no file");
    fs::remove_dir(&file).unwrap();
    std::os::unix::fs::symlink("/nowhere", &file).unwrap();
    refused("a link", &plain, "No such file or directory");
    fs::remove_file(&file).unwrap();
    fs::write(&file, good).unwrap();
    client.ok(["static-delta", "apply-offline", text(&plain)]);
    client.ok(["fsck", "-q"]);
}

#[test]
fn names_that_lead_elsewhere_are_no_deltas() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&c, "repo", "archive");
    let kept = scratch.file("superblock", "kept");
    let id = "0".repeat(64);
    let names = [
        "..".to_owned(),
        "".to_owned(),
        "-".to_owned(),
        format!("{id}-"),
        format!("-{id}"),
        format!("{id}-{id}-{id}"),
        format!("{id}-..%2f"),
        "0".repeat(63),
    ];
    for name in &names {
        for command in ["show", "delete", "verify"] {
            let error = ours.repo(&repo).fail(["static-delta", command, name]);
            assert!(!error.contains("panicked"), "{error}");
        }
        for option in ["--from", "--to"] {
            let option = format!("{option}={name}");
            ours.repo(&repo).fail(["static-delta", "generate", &option]);
        }
    }
    ours.repo(&repo)
        .fail(["static-delta", "delete", "../../superblock"]);
    ours.repo(&repo)
        .fail(["static-delta", "reindex", "--to=../../x"]);
    assert_eq!(fs::read(kept).unwrap(), b"kept");
}
