//! Servers that mean harm: whatever they send, nothing outside the repository changes, nothing wrong is published, and
//! memory is not theirs to spend.

mod common;

use common::{Site, assert_nothing_half, options, snapshot, stored};
use osier_gv::frame::{ArrayWriter, TupleWriter};
use osier_object::{Checksum, Commit, CommitId, Dirmeta, FileHeader, ObjectName, ObjectType, hash};
use osier_store::{ReadObjects, Repo, RepoMode};
use osier_testkit::httpd::{Action, Rule};
use std::io::Write;

/// Puts a metadata object into the served repository, whatever it holds.
fn plant(site: &Site, ty: ObjectType, bytes: &[u8]) -> Checksum {
    let checksum = hash(bytes);
    let file = site.object_file(&ObjectName { checksum, ty });
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
    checksum
}

fn plant_commit(site: &Site, tree: Checksum) -> CommitId {
    let meta = plant(
        site,
        ObjectType::Dirmeta,
        &Dirmeta::new(common::uid(), common::gid(), 0o755).encode(),
    );
    let commit = Commit::new(
        osier_object::DirtreeId(tree),
        osier_object::DirmetaId(meta),
        1,
    );
    CommitId(plant(site, ObjectType::Commit, &commit.encode()))
}

/// Pulls a planted commit; it must fail, leaving all else as it was.
fn refused(site: &Site, dest: &Repo, commit: CommitId) -> String {
    let outside = site.path("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("file"), "mine").unwrap();
    let source = snapshot(site.source.path());
    let before = snapshot(&outside);
    let refs = snapshot(&dest.path().join("refs"));
    let error = site
        .pull(dest, &options(&format!("main@{commit}")))
        .unwrap_err()
        .to_string();
    assert_eq!(snapshot(&outside), before);
    assert_eq!(snapshot(site.source.path()), source);
    assert_eq!(snapshot(&dest.path().join("refs")), refs);
    assert!(stored(dest).is_empty());
    assert_nothing_half(dest);
    error
}

/// A dirtree as its bytes would be with any names, valid or not: encoders refuse to write them.
fn raw_dirtree(files: &[(&str, Checksum)], dirs: &[(&str, Checksum, Checksum)]) -> Vec<u8> {
    let entry = |name: &str, sums: &[&Checksum]| {
        let mut text = name.as_bytes().to_vec();
        text.push(0);
        let mut tuple = TupleWriter::new();
        tuple.variable(1, &text);
        for sum in sums {
            tuple.variable(1, &sum.0);
        }
        tuple.finish()
    };
    let (mut file_array, mut dir_array) = (ArrayWriter::new(1), ArrayWriter::new(1));
    for (name, sum) in files {
        file_array.push(&entry(name, &[sum]));
    }
    for (name, tree, meta) in dirs {
        dir_array.push(&entry(name, &[tree, meta]));
    }
    let mut out = TupleWriter::new();
    out.variable(1, &file_array.finish())
        .variable(1, &dir_array.finish());
    out.finish()
}

fn filez(header: &FileHeader, content: &[u8], claimed: u64) -> Vec<u8> {
    let mut out = header.archive_framing(claimed);
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(content).unwrap();
    out.extend(deflate.finish().unwrap());
    out
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let site = Site::new();
    let file = site
        .objects(&site.tip())
        .into_iter()
        .find(|o| o.ty == ObjectType::File)
        .unwrap()
        .checksum;
    let empty = plant(&site, ObjectType::Dirtree, &[0]);
    let meta = plant(
        &site,
        ObjectType::Dirmeta,
        &Dirmeta::new(0, 0, 0o755).encode(),
    );
    for (n, name) in ["..", ".", "a/b", "/etc/passwd", "../../outside/file"]
        .into_iter()
        .enumerate()
    {
        for (kind, bytes) in [
            ("file", raw_dirtree(&[(name, file)], &[])),
            ("dir", raw_dirtree(&[], &[(name, empty, meta)])),
        ] {
            let dest = site.dest(&format!("dest-{n}-{kind}"), RepoMode::BareUser);
            let tree = plant(&site, ObjectType::Dirtree, &bytes);
            let commit = plant_commit(&site, tree);
            let error = refused(&site, &dest, commit);
            assert!(
                error.contains(&tree.to_string()[2..]) && error.contains(".dirtree"),
                "{name:?}: {error}"
            );
        }
    }
}

/// Some content of the site's, so that nothing else is wrong.
fn any_file(site: &Site) -> Checksum {
    let objects = site.objects(&site.tip());
    let file = objects.iter().find(|o| o.ty == ObjectType::File).unwrap();
    file.checksum
}

#[test]
fn names_twice_and_out_of_order_are_refused() {
    let site = Site::new();
    let file = any_file(&site);
    let empty = plant(&site, ObjectType::Dirtree, &[0]);
    let meta = plant(
        &site,
        ObjectType::Dirmeta,
        &Dirmeta::new(0, 0, 0o755).encode(),
    );
    let (dir, twice) = ([("a", empty, meta)], "Filename \"a\" occurs twice");
    for (n, (bytes, message)) in [
        (raw_dirtree(&[("a", file), ("a", file)], &[]), twice),
        (raw_dirtree(&[], &[dir[0], dir[0]]), twice),
        (raw_dirtree(&[("a", file)], &dir), twice),
        (
            raw_dirtree(&[("_", file), ("a", file)], &[("Z", empty, meta), dir[0]]),
            twice,
        ),
        (
            raw_dirtree(&[("b", file), ("a", file)], &[]),
            "Filename \"a\" is out of order",
        ),
        (
            raw_dirtree(
                &[],
                &[
                    ("\u{1b}[2J", empty, meta),
                    ("B", empty, meta),
                    dir[0],
                    ("B", empty, meta),
                ],
            ),
            "Filename \"B\" is out of order",
        ),
        (raw_dirtree(&[("", file)], &[]), "Empty filename"),
        (raw_dirtree(&[], &[("", empty, meta)]), "Empty filename"),
    ]
    .into_iter()
    .enumerate()
    {
        let dest = site.dest(&format!("dest-{n}"), RepoMode::BareUser);
        let tree = plant(&site, ObjectType::Dirtree, &bytes);
        let error = refused(&site, &dest, plant_commit(&site, tree));
        assert!(error.contains(message), "{n}: {error}");
        assert!(
            error.contains(&tree.to_string()[2..]) && error.contains(".dirtree"),
            "{n}: {error}"
        );
    }
}

/// Bytes that hash to their name, but are another type of object.
#[test]
fn objects_of_another_type_are_refused() {
    let site = Site::new();
    let dirmeta = Dirmeta::new(0, 0, 0o755).encode();
    let dirtree = raw_dirtree(&[("a", any_file(&site))], &[]);
    let empty = plant(&site, ObjectType::Dirtree, &[0]);
    let meta = plant(&site, ObjectType::Dirmeta, &dirmeta);
    let commit = Commit::new(
        osier_object::DirtreeId(empty),
        osier_object::DirmetaId(meta),
        1,
    )
    .encode();
    let in_tree = |tree: Vec<u8>| plant_commit(&site, plant(&site, ObjectType::Dirtree, &tree));
    let mut cases = Vec::new();
    for (name, bytes) in [("dirmeta", &dirmeta), ("commit", &commit)] {
        let id = plant(&site, ObjectType::Dirtree, bytes);
        cases.push((
            format!("{name} as root dirtree"),
            id,
            ".dirtree",
            plant_commit(&site, id),
        ));
        let tree = in_tree(raw_dirtree(&[], &[("d", id, meta)]));
        cases.push((format!("{name} as dirtree"), id, ".dirtree", tree));
    }
    for (name, bytes) in [("dirtree", &dirtree), ("commit", &commit)] {
        let id = plant(&site, ObjectType::Dirmeta, bytes);
        let tree = in_tree(raw_dirtree(&[], &[("d", empty, id)]));
        cases.push((format!("{name} as dirmeta"), id, ".dirmeta", tree));
    }
    for (name, bytes) in [("dirtree", &dirtree), ("dirmeta", &dirmeta)] {
        let id = plant(&site, ObjectType::Commit, bytes);
        cases.push((format!("{name} as commit"), id, ".commit", CommitId(id)));
    }
    for (name, bytes) in [
        ("dirtree", &dirtree),
        ("dirmeta", &dirmeta),
        ("commit", &commit),
    ] {
        let id = hash(bytes);
        let object = ObjectName {
            checksum: id,
            ty: ObjectType::File,
        };
        std::fs::create_dir_all(site.object_file(&object).parent().unwrap()).unwrap();
        std::fs::write(site.object_file(&object), bytes).unwrap();
        let tree = in_tree(raw_dirtree(&[("f", id)], &[]));
        cases.push((format!("{name} as file"), id, ".filez", tree));
    }
    for (name, id, end, commit) in cases {
        let dest = site.dest(&name, RepoMode::BareUser);
        let error = refused(&site, &dest, commit);
        assert!(
            error.contains(&id.to_string()[2..]) && error.contains(end),
            "{name}: {error}"
        );
    }
}

/// Only who breaks the hash can make a circle; so it is the hash that stops him.
#[test]
fn circles_are_refused() {
    let site = Site::new();
    let good = Commit::decode(
        &std::fs::read(site.object_file(&ObjectName {
            checksum: site.tip().0,
            ty: ObjectType::Commit,
        }))
        .unwrap(),
    )
    .unwrap();
    let put = |ty, checksum, bytes: &[u8]| {
        let file = site.object_file(&ObjectName { checksum, ty });
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    };
    let with_parent = |id| {
        Commit {
            parent: Some(CommitId(id)),
            ..good.clone()
        }
        .encode()
    };
    let (a, b) = (hash(b"a"), hash(b"b"));
    put(ObjectType::Commit, a, &with_parent(b));
    put(ObjectType::Commit, b, &with_parent(a));
    // One that is right leads into the circle.
    let tip = CommitId(plant(&site, ObjectType::Commit, &with_parent(a)));
    let dest = site.dest("dest", RepoMode::BareUser);
    for (commit, named) in [(CommitId(a), a), (tip, a)] {
        let deep = osier_pull::PullOptions {
            depth: -1,
            ..options(&format!("main@{commit}"))
        };
        let error = site.pull(&dest, &deep).unwrap_err().to_string();
        assert!(
            error.contains(&format!(
                "Corrupted commit object; checksum expected='{named}'"
            )),
            "{error}"
        );
        assert!(stored(&dest).is_empty());
        assert_eq!(common::origin(&dest, "main"), None);
    }
    let meta = plant(
        &site,
        ObjectType::Dirmeta,
        &Dirmeta::new(0, 0, 0o755).encode(),
    );
    put(
        ObjectType::Dirtree,
        a,
        &raw_dirtree(&[], &[("again", a, meta)]),
    );
    let error = refused(&site, &dest, plant_commit(&site, a));
    assert!(
        error.contains(&format!(
            "Corrupted dirtree object; checksum expected='{a}'"
        )),
        "{error}"
    );
}

/// A tree of few listings that has more paths than anyone can count, and one that is deeper than any stack.
#[test]
fn a_tree_costs_its_objects_not_its_paths() {
    let site = Site::new();
    let meta = plant(
        &site,
        ObjectType::Dirmeta,
        &Dirmeta::new(common::uid(), common::gid(), 0o755).encode(),
    );
    let names: Vec<String> = (0..8).map(|n| format!("d{n}")).collect();
    for (width, depth) in [(8, 60), (1, 600)] {
        let mut tree = plant(
            &site,
            ObjectType::Dirtree,
            &raw_dirtree(&[("f", any_file(&site))], &[]),
        );
        for _ in 0..depth {
            let dirs: Vec<_> = names[..width]
                .iter()
                .map(|n| (n.as_str(), tree, meta))
                .collect();
            tree = plant(&site, ObjectType::Dirtree, &raw_dirtree(&[], &dirs));
        }
        let commit = plant_commit(&site, tree);
        for subpath in [None, Some("/d0/d0")] {
            let dest = site.dest(
                &format!("dest-{width}-{}", subpath.is_some()),
                RepoMode::BareUser,
            );
            site.server.clear_log();
            let some = osier_pull::PullOptions {
                subpaths: subpath.into_iter().map(str::to_owned).collect(),
                ..options(&commit.to_string())
            };
            site.pull(&dest, &some).unwrap();
            let asked = site
                .server
                .paths()
                .iter()
                .filter(|p| p.ends_with(".dirtree"))
                .count();
            assert_eq!(asked, depth + 1);
        }
    }
}

#[test]
fn objects_under_the_wrong_name_are_refused() {
    let site = Site::new();
    let objects = site.objects(&site.tip());
    for ty in [
        ObjectType::Commit,
        ObjectType::Dirtree,
        ObjectType::Dirmeta,
        ObjectType::File,
    ] {
        let victim = objects.iter().find(|o| o.ty == ty).unwrap();
        let file = site.object_file(victim);
        let good = std::fs::read(&file).unwrap();
        // A valid object of the same type, but another one.
        let other = match ty {
            ObjectType::Commit => {
                let mut commit = Commit::decode(&good).unwrap();
                commit.subject.push('x');
                commit.encode()
            }
            ObjectType::Dirtree => raw_dirtree(&[("evil", victim.checksum)], &[]),
            ObjectType::Dirmeta => Dirmeta::new(0, 0, 0o777).encode(),
            _ => filez(&FileHeader::regular(0, 0, 0o644), b"evil", 4),
        };
        let dest = site.dest(&format!("dest-{}", ty.name()), RepoMode::BareUser);
        std::fs::write(&file, other).unwrap();
        let error = refused(&site, &dest, site.tip());
        assert!(
            error.contains(&format!(
                "Corrupted {} object; checksum expected='{}'",
                ty.name(),
                victim.checksum
            )),
            "{error}"
        );
        assert!(error.contains(&victim.loose_path(true)), "{error}");
        std::fs::write(&file, good).unwrap();
    }
}

#[test]
fn well_named_garbage_is_refused() {
    let site = Site::new();
    for (n, bytes) in [&b"garbage"[..], &[0xff; 100], b""].into_iter().enumerate() {
        let dest = site.dest(&format!("dest{n}"), RepoMode::BareUser);
        let commit = CommitId(plant(&site, ObjectType::Commit, bytes));
        let error = refused(&site, &dest, commit);
        assert!(error.contains(".commit: "), "{error}");
        let tree = plant(&site, ObjectType::Dirtree, bytes);
        // Nothing at all is an empty array to some, but no dirtree.
        let dest = site.dest(&format!("dest{n}tree"), RepoMode::BareUser);
        let error = refused(&site, &dest, plant_commit(&site, tree));
        assert!(error.contains(".dirtree: "), "{error}");
    }
}

#[test]
fn content_with_a_strange_header_is_refused() {
    let site = Site::new();
    let regular = |mode| FileHeader {
        mode,
        ..FileHeader::regular(0, 0, 0o644)
    };
    let mut cases = vec![
        ("device", filez(&regular(0o020_644), b"", 0)),
        ("folder", filez(&regular(0o040_755), b"", 0)),
        (
            "longer than claimed",
            filez(&regular(0o100_644), b"four", 3),
        ),
        (
            "shorter than claimed",
            filez(&regular(0o100_644), b"four", 5),
        ),
        (
            "a claim of an exabyte",
            filez(&regular(0o100_644), b"four", 1 << 60),
        ),
        (
            "a claim of everything",
            filez(&regular(0o100_644), b"four", u64::MAX),
        ),
        ("empty", vec![]),
        ("a header of 4 GiB", [&[0xff; 8][..], &[0; 64]].concat()),
        ("no header", vec![0; 8]),
        (
            "no deflate data",
            FileHeader::regular(0, 0, 0o644).archive_framing(4),
        ),
    ];
    let mut damaged = filez(
        &regular(0o100_644),
        b"some content that compresses a little",
        37,
    );
    let at = damaged.len() - 10;
    damaged[at..].fill(0xff);
    cases.push(("damaged deflate data", damaged));
    for (name, bytes) in cases {
        let dest = site.dest(&format!("dest {name}"), RepoMode::BareUser);
        // Whatever it is named, it does not hash to that.
        let id = hash(name.as_bytes());
        let file = site.object_file(&ObjectName {
            checksum: id,
            ty: ObjectType::File,
        });
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let tree = plant(&site, ObjectType::Dirtree, &raw_dirtree(&[("f", id)], &[]));
        let error = refused(&site, &dest, plant_commit(&site, tree));
        assert!(
            error.contains(&id.to_string()[2..]) || error.starts_with("min-free-space"),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_bomb_is_stopped_by_its_own_claim() {
    let site = Site::new();
    // 64 MiB of zeros in 64 KiB, said to be 10 bytes.
    let id = hash(b"bomb");
    let file = site.object_file(&ObjectName {
        checksum: id,
        ty: ObjectType::File,
    });
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        filez(&FileHeader::regular(0, 0, 0o644), &vec![0; 64 << 20], 10),
    )
    .unwrap();
    let tree = plant(&site, ObjectType::Dirtree, &raw_dirtree(&[("f", id)], &[]));
    let dest = site.dest("dest", RepoMode::BareUser);
    let error = refused(&site, &dest, plant_commit(&site, tree));
    assert!(error.contains(&id.to_string()[2..]), "{error}");
}

/// A quarter of a GiB in a quarter of a MiB, declared as compressed on the way.
#[test]
fn a_bomb_in_the_transfer_is_stopped_by_the_limit() {
    let site = Site::new();
    let mut body = flate2::write::GzEncoder::new(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec(),
        flate2::Compression::fast(),
    );
    for _ in 0..256 {
        body.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = body.finish().unwrap();
    for path in ["summary", "refs/heads/main", ".commit", ".dirtree"] {
        let dest = site.dest(&path.replace('/', "-"), RepoMode::BareUser);
        site.server.clear_faults();
        site.server
            .fault(Rule::ending(path).always(Action::Raw(bomb.clone())));
        let error = site.pull_main(&dest).unwrap_err().to_string();
        assert!(
            error.starts_with("URI ")
                && error.contains(path)
                && error.ends_with("exceeded maximum size of 134217728 bytes"),
            "{path}: {error}"
        );
        assert!(stored(&dest).is_empty());
    }
}

#[test]
fn endless_bodies_end() {
    let site = Site::new();
    for path in [
        "summary.sig",
        "summary",
        "refs/heads/main",
        ".commitmeta",
        ".commit",
        ".dirtree",
        ".dirmeta",
    ] {
        let dest = site.dest(
            &format!("dest{}", path.replace('/', "-")),
            RepoMode::BareUser,
        );
        site.server.clear_faults();
        site.server
            .fault(Rule::ending(path).always(Action::Zeros((128 << 20) + 1)));
        let error = site.pull_main(&dest).unwrap_err().to_string();
        assert!(
            error.contains("exceeded maximum size of 134217728 bytes"),
            "{path}: {error}"
        );
        assert!(stored(&dest).is_empty());
    }
}

#[test]
fn a_summary_limits_the_commit_it_lists() {
    let site = Site::new();
    site.summarise();
    let commit = ObjectName {
        checksum: site.tip().0,
        ty: ObjectType::Commit,
    };
    let size = std::fs::metadata(site.object_file(&commit)).unwrap().len();
    site.server
        .fault(Rule::ending(".commit").always(Action::Zeros(size + 1)));
    let error = site
        .pull_main(&site.dest("dest", RepoMode::BareUser))
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(&format!("exceeded maximum size of {size} bytes")),
        "{error}"
    );
}

#[test]
fn a_summary_with_names_that_are_none_is_refused() {
    use osier_gv::Dict;
    use osier_object::{Summary, SummaryRef};
    let site = Site::new();
    for name in ["../../../outside/file", "/etc/passwd", "a//b", "", "main\n"] {
        let entry = |name: &str| SummaryRef {
            name: name.to_owned(),
            commit_size: 1,
            commit: site.tip(),
            metadata: Dict::new(),
        };
        let summary = Summary {
            refs: vec![entry("main"), entry(name)],
            metadata: Dict::new(),
        };
        std::fs::write(site.source.path().join("summary"), summary.encode()).unwrap();
        let dest = site.dest("dest", RepoMode::Archive);
        let mirror = osier_pull::PullOptions {
            mirror: true,
            ref_remote: None,
            ..options("")
        };
        let error = site.pull(&dest, &mirror).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{}/summary: ", site.server.url())),
            "{name:?}: {error}"
        );
    }
    for bytes in [&b"garbage"[..], &[0xff; 64], b"x"] {
        std::fs::write(site.source.path().join("summary"), bytes).unwrap();
        let error = site
            .pull_main(&site.dest("dest", RepoMode::Archive))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("{}/summary: Not normal form", site.server.url())),
            "{error}"
        );
    }
}

/// As many refs as the limit lets through are read; more are not even received.
#[test]
fn a_summary_of_ten_million_refs_is_too_large() {
    use osier_gv::Dict;
    use osier_object::{Summary, SummaryRef};
    let site = Site::new();
    let size = |refs: usize| {
        let entry = |n: usize| SummaryRef {
            name: format!("r{n:07}"),
            commit_size: 1,
            commit: site.tip(),
            metadata: Dict::new(),
        };
        let mut refs: Vec<_> = (0..refs).map(entry).collect();
        refs.insert(
            0,
            SummaryRef {
                name: "main".into(),
                commit_size: 1 << 20,
                ..entry(0)
            },
        );
        let bytes = Summary {
            refs,
            metadata: Dict::new(),
        }
        .encode();
        std::fs::write(site.source.path().join("summary"), &bytes).unwrap();
        bytes.len() as u64
    };
    let few = size(20_000);
    site.pull_main(&site.dest("few", RepoMode::Archive))
        .unwrap();
    site.server
        .fault(Rule::on("summary").always(Action::Zeros(few * 500)));
    let error = site
        .pull_main(&site.dest("dest", RepoMode::Archive))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!(
            "URI {}/summary exceeded maximum size of 134217728 bytes",
            site.server.url()
        )
    );
}

/// Each byte of a summary wrong in turn: refused with its URL, or read as something that is valid.
#[test]
fn a_damaged_summary_is_refused_or_valid() {
    let site = Site::new();
    site.summarise();
    let path = site.source.path().join("summary");
    let good = std::fs::read(&path).unwrap();
    let dest = site.dest("dest", RepoMode::Archive);
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        osier_pull::fetch_remote_summary(&dest, &site.remote(), &options(""))
            .map_err(|e| e.to_string())
    };
    let mut refused = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x81;
        if let Err(error) = read(&bytes) {
            refused += 1;
            assert!(
                error.contains(&format!("{}/summary: ", site.server.url())),
                "{at}: {error}"
            );
            assert!(
                error.len() < 600 && !error.contains(char::is_control),
                "{at}: {error:?}"
            );
        }
        let cut = read(&good[..at]).unwrap_err();
        assert!(cut.contains("/summary: Not normal form"), "{at}: {cut}");
    }
    assert!(refused * 2 > good.len(), "{refused} of {}", good.len());
    // Padding that is not zero.
    let hole = good.windows(2).position(|w| w == [0, 0]).unwrap() + 1;
    let mut bytes = good.clone();
    bytes[hole] = 1;
    read(&bytes).unwrap_err();
}

/// Names of deltas that lead elsewhere, in the summary and in an index.
#[test]
fn deltas_with_names_that_are_none_are_refused() {
    use osier_gv::{Dict, Value};
    use osier_object::Summary;
    let site = Site::new();
    for name in ["../../../../outside/file", "x", "", "\u{1b}[2J"] {
        let mut deltas = Dict::new();
        deltas.push(name, Value::Bytes(vec![0; 32]));
        let mut summary = Summary::decode(&{
            site.summarise();
            std::fs::read(site.source.path().join("summary")).unwrap()
        })
        .unwrap();
        summary
            .metadata
            .push("ostree.static-deltas", deltas.to_value());
        std::fs::write(site.source.path().join("summary"), summary.encode()).unwrap();
        let with_deltas = osier_pull::PullOptions {
            disable_static_deltas: false,
            ..options("main")
        };
        let dest = site.dest(&format!("dest-{}", name.len()), RepoMode::BareUser);
        let error = site.pull(&dest, &with_deltas).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{}/summary: ", site.server.url())),
            "{name:?}: {error}"
        );
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(stored(&dest).is_empty());
    }
}

/// A list of mirrors, a metalink, or a redirect from either does not lead to files of this machine.
#[test]
fn mirrors_are_no_files() {
    let site = Site::new();
    site.summarise();
    let local = site.source.path().display().to_string();
    let summary = std::fs::read(site.source.path().join("summary")).unwrap();
    let digest = hash(&summary);
    let metalink = format!(
        "<metalink><files><file name=\"summary\"><size>{}</size><verification><hash type=\"sha256\">{digest}</hash>\
         </verification><resources><url protocol=\"http\">file://{local}/summary</url></resources></file></files></metalink>",
        summary.len()
    );
    std::fs::write(site.source.path().join("list"), format!("file://{local}\n")).unwrap();
    std::fs::write(site.source.path().join("link"), metalink).unwrap();
    for path in ["list", "link"] {
        std::fs::write(site.path(path), "").unwrap();
    }
    let url = site.server.url();
    site.server
        .fault(Rule::on("moved").always(Action::Redirect(format!("file://{local}/list"))));
    for (n, (keys, message)) in [
        (
            format!("url=mirrorlist={url}/list\n"),
            "No valid mirrors were found in mirrorlist",
        ),
        (
            format!("url=mirrorlist={url}/moved\n"),
            "[1] Unsupported protocol",
        ),
        (
            format!("metalink={url}/link\n"),
            "No <url method='http'> elements found",
        ),
        (
            format!("metalink={url}/moved\n"),
            "[1] Unsupported protocol",
        ),
        (
            format!("url={url}\ncontenturl=mirrorlist={url}/list\n"),
            "No valid mirrors were found in mirrorlist",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let dest = site.dest(&format!("dest-{n}"), RepoMode::BareUser);
        let text = format!("[remote \"origin\"]\ngpg-verify=false\n{keys}");
        let remote = osier_pull::remote::Remotes::load(
            osier_keyfile::KeyFile::parse(text.as_bytes()).unwrap(),
            None,
            None,
        )
        .unwrap()
        .get("origin")
        .unwrap();
        let error = osier_pull::pull(
            &dest,
            &remote,
            &options("main"),
            &mut (),
            &osier_pull::Cancel::new(),
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains(message), "{keys}: {error}");
        assert!(stored(&dest).is_empty());
    }
}

#[test]
fn a_ref_that_is_no_checksum_is_refused_briefly() {
    let site = Site::new();
    let page = format!("<html>\n{}", "x".repeat(100_000));
    for text in [
        "",
        "junk",
        "../../etc/passwd",
        "\x1b[31mred",
        &page,
        &"A".repeat(64),
        &"0".repeat(63),
    ] {
        std::fs::write(site.source.path().join("refs/heads/main"), text).unwrap();
        let error = site
            .pull_main(&site.dest("dest", RepoMode::Archive))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("Fetching checksum for ref ((empty), main): Invalid rev "),
            "{error}"
        );
        assert!(
            error.len() < 300 && !error.contains(char::is_control),
            "{error:?}"
        );
    }
}

#[test]
fn a_page_in_place_of_a_ref_is_quoted_as_the_c_tool_does() {
    let site = Site::new();
    // Pinned against 2026.4: the first 64 bytes, on one line.
    for (text, quoted) in [
        (
            "lots of html here \n".repeat(20),
            "lots of html here  lots of html here  lots of html here  lots of",
        ),
        ("é".repeat(100), &*"é".repeat(32)),
        ("aa\n\n\nbb   cc\n".to_owned(), "aa   bb   cc"),
    ] {
        std::fs::write(site.source.path().join("refs/heads/main"), text).unwrap();
        let error = site
            .pull_main(&site.dest("dest", RepoMode::Archive))
            .unwrap_err()
            .to_string();
        let expected = format!("Fetching checksum for ref ((empty), main): Invalid rev {quoted}");
        assert_eq!(error.trim_end(), expected);
    }
}

#[test]
fn modes_that_bare_user_only_cannot_hold_are_refused() {
    let site = Site::new();
    let header = FileHeader::regular(common::uid(), common::gid(), 0o4755);
    let mut stream = header.hash_framing();
    stream.extend_from_slice(b"suid");
    let id = hash(&stream);
    let file = site.object_file(&ObjectName {
        checksum: id,
        ty: ObjectType::File,
    });
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, filez(&header, b"suid", 4)).unwrap();
    let tree = plant(&site, ObjectType::Dirtree, &raw_dirtree(&[("f", id)], &[]));
    let commit = plant_commit(&site, tree);
    let message = format!("Content object {id}: invalid mode 0104755 with bits 04000");
    let dest = site.dest("only", RepoMode::BareUserOnly);
    assert!(refused(&site, &dest, commit).contains(&message));
    let dest = site.dest("user", RepoMode::BareUser);
    let strict = osier_pull::PullOptions {
        bareuseronly_files: true,
        ..options(&commit.to_string())
    };
    let error = site.pull(&dest, &strict).unwrap_err().to_string();
    assert!(error.contains(&message), "{error}");
    site.pull(&dest, &options(&commit.to_string())).unwrap();
    assert!(
        dest.has_object(&ObjectName {
            checksum: id,
            ty: ObjectType::File
        })
        .unwrap()
    );
}
