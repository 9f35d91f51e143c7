//! Deltas that no generator makes, put together operation by operation: what the format allows is applied by both tools
//! with the same result, everything else is refused and changes nothing.

use osier_conformance::{ours_is_c, pair, root_or_skip, text};
use osier_delta::format::ops::Op;
use osier_testkit::httpd::Server;
use osier_testkit::repo;
use osier_testkit::tool::Tool;
use std::fs;
use std::path::Path;

#[path = "synthetic_deltas/builder.rs"]
mod builder;
#[path = "synthetic_deltas/hostile.rs"]
mod hostile;
#[path = "synthetic_deltas/site.rs"]
mod site;
use builder::{Form, Order, Packing, PartBuilder};
use site::{OLD, Site, site};

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
