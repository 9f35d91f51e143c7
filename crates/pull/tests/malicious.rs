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

#[test]
fn an_empty_name_is_harmless() {
    // The C tool accepts it in a pull; nothing is created by name here.
    let site = Site::new();
    let file = site
        .objects(&site.tip())
        .into_iter()
        .find(|o| o.ty == ObjectType::File)
        .unwrap()
        .checksum;
    let tree = plant(&site, ObjectType::Dirtree, &raw_dirtree(&[("", file)], &[]));
    let commit = plant_commit(&site, tree);
    let dest = site.dest("dest", RepoMode::BareUser);
    if site
        .pull(&dest, &options(&format!("main@{commit}")))
        .is_err()
    {
        assert!(stored(&dest).is_empty());
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
