//! What no delta may say.

use super::builder::{Form, PartBuilder};
use super::site::site;
use osier_conformance::{Scratch, ours_is_c, pair, text};
use osier_delta::format::ops::Op;
use osier_delta::format::signed;
use osier_gv::{Dict, Value};
use osier_object::Checksum;
use std::fs;
use std::path::Path;

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
