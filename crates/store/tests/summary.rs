//! Summaries are byte for byte those of the C tool.

mod common;

use common::{TIME, c_tool, commit_dir, copy, create};
use osier_gv::{Dict, Value};
use osier_object::Summary;
use osier_object::summary::key;
use osier_store::summary::{self, SignSummary, SummaryOptions};
use osier_store::{ReadObjects, RefKey, Repo, RepoMode, Result};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::fs;
use std::path::Path;

/// Updates with both, ours with the time theirs took, and compares the whole repositories.
#[track_caller]
fn compare(c: &Tool, at: &Path, metadata: &[(&str, Value, &str)]) -> Summary {
    let work = tempfile::tempdir_in(at.parent().unwrap()).unwrap();
    let (ours, theirs) = (work.path().join("ours"), work.path().join("theirs"));
    copy(at, &ours);
    copy(at, &theirs);
    let mut args = vec!["summary".to_owned(), "-u".to_owned()];
    let mut dict = Dict::new();
    for (key, value, text) in metadata {
        args.push(format!("--add-metadata={key}={text}"));
        dict.push(*key, value.clone());
    }
    c.repo(&theirs).ok(&args);
    let theirs_bytes = fs::read(theirs.join("summary")).unwrap();
    let their_summary = Summary::decode(&theirs_bytes).unwrap();
    let now = their_summary.metadata.get_u64(key::LAST_MODIFIED).unwrap();
    let options = SummaryOptions {
        metadata: dict,
        now: u64::from_be(now),
        commit_time: TIME,
    };
    summary::update(&Repo::open(&ours).unwrap(), &options, None).unwrap();
    let bytes = fs::read(ours.join("summary")).unwrap();
    let own = Summary::decode(&bytes).unwrap();
    assert_eq!(own, their_summary);
    assert_eq!(bytes, theirs_bytes);
    let (ours_indexes, their_indexes) = (indexes(&ours), indexes(&theirs));
    assert_eq!(ours_indexes, their_indexes);
    // The order in the C tool's index files differs from run to run.
    let mut different = osier_testkit::repo::differences(&ours, &theirs).unwrap();
    different
        .retain(|line| !line.starts_with("delta-indexes/") || !line.contains(".index: content"));
    assert_eq!(different, [""; 0]);
    own
}

/// The delta index files, decoded, as path and sorted entries.
fn indexes(at: &Path) -> Vec<(String, Vec<(String, Value)>)> {
    let mut out = Vec::new();
    let snapshot = osier_testkit::repo::snapshot(at).unwrap();
    for path in snapshot
        .entries
        .keys()
        .filter(|p| p.extension().is_some_and(|e| e == "index"))
    {
        let dict = Dict::decode(&fs::read(at.join(path)).unwrap()).unwrap();
        let deltas = Dict::from_value(dict.get(key::STATIC_DELTAS).unwrap()).unwrap();
        let mut entries: Vec<(String, Value)> = deltas.into_iter().collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(dict.len(), 1);
        out.push((path.display().to_string(), entries));
    }
    out
}

fn history(at: &Path, mode: RepoMode) -> Repo {
    let work = tempfile::tempdir().unwrap();
    let tree = Tree::create(work.path().join("t")).unwrap();
    let repo = create(at, mode);
    for n in 0..4 {
        tree.file("f", format!("{n}")).unwrap();
        commit_dir(&repo, "m", tree.path(), n);
        commit_dir(&repo, ["b/c", "a", "zz", "a-b"][n as usize], tree.path(), n);
    }
    repo
}

fn user_metadata() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("foo.bar", Value::str("baz"), "'baz'"),
        ("n", Value::U64(5), "uint64 5"),
        ("exa.list", Value::strv(["x", "y"]), "['x', 'y']"),
    ]
}

#[test]
fn refs_and_metadata() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    for mode in [RepoMode::Archive, RepoMode::Bare] {
        let at = dir.path().join(format!("r-{mode}"));
        history(&at, mode);
        let tree = Tree::create(dir.path().join(format!("t-{mode}"))).unwrap();
        let t = tree.path().to_str().unwrap();
        c.repo(&at)
            .ok(["commit", "-b", "v", "--add-metadata-string=version=1.2", t]);
        c.repo(&at).ok(["refs", "--alias", "--create=ali", "m"]);
        fs::create_dir_all(at.join("refs/remotes/rem")).unwrap();
        fs::copy(at.join("refs/heads/m"), at.join("refs/remotes/rem/x")).unwrap();
        let found = compare(&c, &at, &[]);
        let names: Vec<&str> = found.refs.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["a", "a-b", "ali", "b/c", "m", "v", "zz"]);
        compare(&c, &at, &user_metadata());
        c.repo(&at)
            .ok(["config", "set", "core.tombstone-commits", "true"]);
        compare(&c, &at, &user_metadata()[..1]);
    }
    let empty = dir.path().join("empty");
    create(&empty, RepoMode::Archive);
    assert!(compare(&c, &empty, &[]).refs.is_empty());
}

#[test]
fn deltas_are_listed_and_indexed() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("r");
    history(&at, RepoMode::Archive);
    for to in ["m", "m^", "m^^"] {
        c.repo(&at).ok(["static-delta", "generate", to]);
        c.repo(&at).ok(["static-delta", "generate", "--empty", to]);
    }
    c.repo(&at)
        .ok(["static-delta", "generate", "--from=m^^^", "--to=m"]);
    let found = compare(&c, &at, &[]);
    let Some(Value::Array(_, deltas)) = found.metadata.get(key::STATIC_DELTAS) else {
        panic!("no deltas");
    };
    assert_eq!(deltas.len(), 7);
    // One that is gone leaves the lists, and its commit's index goes with the last.
    let repo = Repo::open(&at).unwrap();
    summary::update(&repo, &SummaryOptions::default(), None).unwrap();
    let target = repo.resolve_rev("m^^").unwrap();
    for name in repo.list_static_deltas().unwrap() {
        if name.to == target {
            repo.delete_static_delta(&name).unwrap();
        }
    }
    compare(&c, &at, &[]);
    c.repo(&at)
        .ok(["config", "set", "core.no-deltas-in-summary", "true"]);
    assert!(
        compare(&c, &at, &[])
            .metadata
            .get(key::STATIC_DELTAS)
            .is_none()
    );
}

#[test]
fn collections() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("r");
    history(&at, RepoMode::Archive);
    for (path, from) in [
        ("refs/mirrors/org.example.Zed/x/y", "m"),
        ("refs/mirrors/org.example.Zed/a", "zz"),
        ("refs/mirrors/org.example.Abc/a", "zz"),
        ("refs/remotes/coll/far", "m"),
        ("refs/remotes/plain/far", "m"),
    ] {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(at.join("refs/heads").join(from), path).unwrap();
    }
    let add = [
        "remote",
        "add",
        "--no-gpg-verify",
        "--collection-id=org.example.Far",
        "coll",
        "http://127.0.0.1:1",
    ];
    c.repo(&at).ok(add);
    // Without a collection of its own.
    let found = compare(&c, &at, &[]);
    assert_eq!(found.collection_map().unwrap().len(), 3);
    c.repo(&at)
        .ok(["config", "set", "core.collection-id", "org.example.Own"]);
    let found = compare(&c, &at, &user_metadata());
    assert!(found.find("ostree-metadata").is_some());
    // Again: the metadata commit gets a parent.
    c.repo(&at).ok(["summary", "-u"]);
    compare(&c, &at, &user_metadata()[..1]);
}

#[test]
fn transactions_update_it_where_asked_to() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join("r");
    history(&base, RepoMode::Archive);
    for key in ["auto-update-summary", "commit-update-summary"] {
        let at = copy(&base, &dir.path().join(key));
        c.repo(&at)
            .ok(["config", "set", &format!("core.{key}"), "true"]);
        fs::write(at.join("summary.sig"), "old").unwrap();
        let theirs = copy(&at, &dir.path().join(format!("{key}-c")));
        let repo = Repo::open(&at).unwrap();
        let tx = repo.begin(&Default::default()).unwrap();
        let id = repo.resolve_rev("m").unwrap();
        tx.set_ref(RefKey::Local("new".into()), Some(id));
        tx.commit().unwrap();
        c.repo(&theirs).ok(["refs", "m", "--create=new"]);
        let read = |at: &Path| Summary::decode(&fs::read(at.join("summary")).unwrap()).unwrap();
        let (ours, their) = (read(&at), read(&theirs));
        assert_eq!(ours.refs, their.refs);
        assert_eq!(ours.find("new").unwrap().commit, id);
        assert!(ours.metadata.keys().eq(their.metadata.keys()));
        assert_eq!(
            at.join("summary.sig").exists(),
            theirs.join("summary.sig").exists()
        );
        let config = |at: &Path| fs::read_to_string(at.join("config")).unwrap();
        assert_eq!(config(&at), config(&theirs));
        // A transaction that changes no ref leaves it alone.
        fs::remove_file(at.join("summary")).unwrap();
        repo.begin(&Default::default()).unwrap().commit().unwrap();
        assert!(!at.join("summary").exists());
    }
}

struct Signer;

impl SignSummary for Signer {
    fn commit(&self, bytes: &[u8]) -> Result<Option<Dict>> {
        self.summary(bytes)
    }

    fn summary(&self, bytes: &[u8]) -> Result<Option<Dict>> {
        let mut dict = Dict::new();
        let digest = osier_object::hash(bytes).0.to_vec();
        dict.push("ostree.sign.dummy", Value::bytes_list([digest]));
        Ok(Some(dict))
    }
}

#[test]
fn signatures_are_published_and_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("r");
    history(&at, RepoMode::Archive);
    let mut config = Repo::open(&at).unwrap().config().keyfile.clone();
    config
        .set_string("core", "collection-id", "org.example.Own")
        .unwrap();
    Repo::open(&at).unwrap().write_config(&config).unwrap();
    let repo = Repo::open(&at).unwrap();
    summary::update(&repo, &SummaryOptions::default(), Some(&Signer)).unwrap();
    let bytes = summary::read_summary(&repo).unwrap().unwrap();
    let signatures = summary::read_summary_signatures(&repo).unwrap().unwrap();
    let digest = osier_object::hash(&bytes).0.to_vec();
    assert_eq!(
        signatures.get_bytes_list("ostree.sign.dummy").unwrap(),
        [&digest[..]]
    );
    let mtime = |name: &str| fs::metadata(at.join(name)).unwrap().modified().unwrap();
    assert_eq!(mtime("summary"), mtime("summary.sig"));
    let commit = repo.resolve_rev(summary::METADATA_REF).unwrap();
    assert!(
        repo.load_commitmeta(&commit)
            .unwrap()
            .unwrap()
            .contains_key("ostree.sign.dummy")
    );
    summary::update(&repo, &SummaryOptions::default(), None).unwrap();
    assert_eq!(summary::read_summary_signatures(&repo).unwrap(), None);
}

#[test]
fn a_ref_without_commit_is_an_error_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let repo = history(&dir.path().join("r"), RepoMode::Archive);
    summary::update(&repo, &SummaryOptions::default(), None).unwrap();
    let before = summary::read_summary(&repo).unwrap();
    fs::write(repo.path().join("refs/heads/bad"), "0".repeat(64)).unwrap();
    let error = summary::update(&repo, &SummaryOptions::default(), None).unwrap_err();
    assert!(error.missing_object().is_some(), "{error}");
    assert_eq!(summary::read_summary(&repo).unwrap(), before);
}
