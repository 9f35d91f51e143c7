//! Every document of `--json` against `docs/json.schema.json`, and against what the text forms print.

use boon::{Compiler, Schemas};
use osier_conformance::{Scratch, commit, root_or_skip, text};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::{repo as testrepo, trees};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The schema with every object closed: readers must bear new fields, but the documentation must not lack any.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(members) => {
                let described = members.get("properties").is_some_and(Value::is_object);
                members.values_mut().for_each(close);
                if described && !members.contains_key("additionalProperties") {
                    members.insert("additionalProperties".into(), false.into());
                }
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

/// Parses a document and holds it against the part of the schema that its name says.
#[track_caller]
fn document(name: &str, outcome: &Outcome) -> Value {
    let found: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{outcome}\nis no JSON: {error}"));
    assert_eq!(found["schema"], format!("osier.{name}.v1"), "{outcome}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json.schema.json");
    let schema = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut compiler = Compiler::new();
    compiler
        .add_resource("mem:///schema.json", closed(schema))
        .unwrap();
    let mut schemas = Schemas::new();
    let at = format!("mem:///schema.json#/$defs/{name}");
    let compiled = compiler.compile(&at, &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&found, compiled) {
        panic!("{outcome}\n{error:#}");
    }
    found
}

struct Fixture {
    scratch: Scratch,
    path: PathBuf,
    tool: Tool,
    first: String,
    second: String,
}

impl Fixture {
    fn new(mode: &str) -> Fixture {
        let tool = Tool::ours();
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        let path = scratch.init(&tool, "repo", mode);
        let first = commit(&tool, &path, "main", &tree.join("names"), &[]);
        let second = commit(
            &tool,
            &path,
            "main",
            tree.path(),
            &[
                "--add-metadata-string=version=1.5",
                "--add-metadata=answer=uint64 42",
                "--add-detached-metadata-string=note=\"quoted\" ✓",
                "--body=first\nsecond",
                "--generate-sizes",
            ],
        );
        let tool = tool.repo(&path);
        Fixture {
            scratch,
            path,
            tool,
            first,
            second,
        }
    }

    /// Runs a command and checks its document.
    #[track_caller]
    fn json(&self, name: &str, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        document(name, &self.tool.run(args).expect_ok())
    }

    /// The lines of the same command's text form.
    #[track_caller]
    fn lines(&self, args: &[&str]) -> Vec<String> {
        self.tool.ok(args).lines().map(str::to_owned).collect()
    }
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|item| item[field].as_str().unwrap())
        .collect()
}

#[test]
fn log() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let found = f.json("log", &["log", "main"]);
    let commits = &found["commits"];
    assert_eq!(texts(commits, "checksum"), [&f.second, &f.first]);
    assert_eq!(commits[0]["parent"], f.first);
    assert_eq!(commits[1]["parent"], Value::Null);
    assert_eq!(commits[0]["timestamp"], 1_700_000_000);
    assert_eq!(commits[0]["date"], "2023-11-14T22:13:20Z");
    assert_eq!(commits[0]["version"], "1.5");
    assert_eq!(commits[0]["subject"], "subject");
    assert_eq!(commits[0]["body"], "first\nsecond");
    assert_eq!(commits[0]["state"], "normal");
    assert_eq!(
        commits[0]["metadata"]["answer"],
        json!({"type": "t", "value": 42, "text": "uint64 42"})
    );
    assert_eq!(
        commits[0]["metadata"]["ostree.ref-binding"]["value"],
        json!(["main"])
    );
    assert!(commits[0]["metadata"].get("ostree.sizes").is_none());
    let shown = f.tool.ok(["log", "main"]);
    for commit in commits.as_array().unwrap() {
        let line = format!(
            "ContentChecksum:  {}",
            commit["content_checksum"].as_str().unwrap()
        );
        assert!(shown.contains(&line), "{line} is not in\n{shown}");
    }
    assert_eq!(found["missing_parent"], Value::Null);

    fs::remove_file(f.path.join(format!(
        "objects/{}/{}.commit",
        &f.first[..2],
        &f.first[2..]
    )))
    .unwrap();
    fs::write(
        f.path.join(format!("state/{}.commitpartial", f.second)),
        "f",
    )
    .unwrap();
    let found = f.json("log", &["log", "main"]);
    assert_eq!(texts(&found["commits"], "checksum"), [&f.second]);
    assert_eq!(found["missing_parent"], f.first);
    assert_eq!(found["commits"][0]["state"], "partial-by-fsck");
}

#[test]
fn ls_says_what_the_text_form_says() {
    if !root_or_skip() {
        return;
    }
    for mode in ["archive", "bare"] {
        let f = Fixture::new(mode);
        let found = f.json("ls", &["ls", "-R", "main"]);
        assert_eq!(found["commit"], f.second);
        let entries = found["entries"].as_array().unwrap();
        let lines = f.tool.run(["ls", "-RC", "main"]).expect_ok().stdout;
        let made: Vec<String> = entries
            .iter()
            .map(|e| {
                let text = |field: &str| e[field].as_str().unwrap();
                let (kind, checksum) = match text("type") {
                    "directory" => (
                        'd',
                        format!("{} {}", text("dirtree_checksum"), text("dirmeta_checksum")),
                    ),
                    "symlink" => ('l', text("checksum").to_owned()),
                    _ => ('-', text("checksum").to_owned()),
                };
                let size = e["size"].as_u64().unwrap_or(0);
                let target = match e["target"].as_str() {
                    Some(target) => format!(" -> {target}"),
                    None => String::new(),
                };
                format!(
                    "{kind}0{} {} {} {size:>6} {checksum} {}{target}\n",
                    text("mode"),
                    e["uid"],
                    e["gid"],
                    text("path")
                )
            })
            .collect();
        assert_eq!(made.concat(), lines);
        let xattrs = entries.iter().filter(|e| e["xattrs"] != json!([])).count();
        let lines = f.tool.ok(["ls", "-RX", "main"]);
        let said = lines
            .lines()
            .filter(|line| !line.contains("{ @a(ayay) [] }"))
            .count();
        // Names with line feeds take more lines than entries.
        assert!(xattrs > 0 && said >= xattrs, "{xattrs} {said}");
        // One path, and the directory alone.
        let one = f.json("ls", &["ls", "-d", "main", "/names"]);
        assert_eq!(texts(&one["entries"], "path"), ["/names"]);
    }
}

#[test]
fn refs_of_all_kinds() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    f.tool.ok(["refs", "--create=dir/other", &f.first]);
    f.tool.ok(["refs", "--create=origin:far", &f.first]);
    f.tool.ok(["refs", "--alias", "--create=stable", "main"]);
    f.tool
        .ok(["refs", "-c", "--create=org.example.X:col", &f.first]);
    let found = f.json("refs", &["refs"]);
    let specs = texts(&found["refs"], "refspec");
    let names = f.lines(&["refs"]);
    let mut sorted = specs.clone();
    sorted.sort_unstable();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(sorted, names);
    let of = |spec: &str| &found["refs"][specs.iter().position(|s| *s == spec).unwrap()];
    assert_eq!(of("main")["commit"], f.second);
    assert_eq!(of("stable")["alias_of"], "main");
    assert_eq!(of("stable")["commit"], f.second);
    assert_eq!(of("origin:far")["remote"], "origin");
    assert_eq!(of("origin:far")["name"], "far");
    let below = f.json("refs", &["refs", "dir"]);
    assert_eq!(texts(&below["refs"], "refspec"), ["dir/other"]);
    let aliases = f.json("refs", &["refs", "--alias"]);
    assert_eq!(texts(&aliases["refs"], "refspec"), ["stable"]);
    let collections = f.json("refs", &["refs", "-c"]);
    assert_eq!(texts(&collections["refs"], "collection"), ["org.example.X"]);
    let revs = f.json("rev-parse", &["rev-parse", "main", "main^"]);
    assert_eq!(texts(&revs["revs"], "commit"), [&f.second, &f.first]);
}

#[test]
fn show_every_kind_of_object() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let found = f.json("show", &["show", "main"]);
    assert_eq!(found["object_type"], "commit");
    assert_eq!(found["object"]["checksum"], f.second);
    assert_eq!(
        found["object"]["detached_metadata"]["note"]["value"],
        "\"quoted\" ✓"
    );
    let root = found["object"]["root_dirtree"].as_str().unwrap();
    let meta = found["object"]["root_dirmeta"].as_str().unwrap();
    let tree = f.json("show", &["show", root]);
    assert_eq!(tree["object_type"], "dirtree");
    assert!(texts(&tree["object"]["dirs"], "name").contains(&"names"));
    let meta = f.json("show", &["show", meta]);
    assert_eq!(meta["object_type"], "dirmeta");
    let listing = f.json("ls", &["ls", "-R", "main"]);
    let entries = listing["entries"].as_array().unwrap();
    for kind in ["file", "symlink"] {
        let entry = entries.iter().find(|e| e["type"] == kind).unwrap();
        let shown = f.json("show", &["show", entry["checksum"].as_str().unwrap()]);
        assert_eq!(shown["object_type"], "file");
        let mut entry = entry.clone();
        entry.as_object_mut().unwrap().remove("path");
        assert_eq!(shown["object"], entry);
    }
    let keys = f.json("metadata-keys", &["show", "--list-metadata-keys", "main"]);
    let lines = f.lines(&["show", "--list-metadata-keys", "main"]);
    assert_eq!(keys["keys"], json!(lines));
    let key = f.json(
        "metadata-key",
        &["show", "--print-metadata-key=answer", "main"],
    );
    assert_eq!(key["value"]["value"], 42);
    f.json(
        "metadata-keys",
        &["show", "--list-detached-metadata-keys", "main"],
    );
    f.json(
        "metadata-key",
        &["show", "--print-detached-metadata-key=note", "main"],
    );
    f.json(
        "metadata-key",
        &["show", "--print-metadata-key=ostree.sizes", "main"],
    );
    let related = f.json("related", &["show", "--print-related", "main"]);
    assert_eq!(related["related"], json!([]));
    let sizes = f.json("sizes", &["show", "--print-sizes", "main"]);
    let last = f.lines(&["show", "--print-sizes", "main"]).pop().unwrap();
    let objects = &sizes["objects"];
    assert!(
        last.ends_with(&format!(" {}/{}", objects["needed"], objects["total"])),
        "{last}"
    );
}

#[test]
fn diff() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let found = f.json("diff", &["diff", "--fs-diff", "--stats", "main"]);
    assert_eq!(found["from"], json!({ "commit": f.first }));
    assert_eq!(found["to"], json!({ "commit": f.second }));
    let made: Vec<String> = [("M", "modified"), ("D", "removed"), ("A", "added")]
        .iter()
        .flat_map(|(letter, field)| {
            let paths = found[field].as_array().unwrap();
            paths
                .iter()
                .map(move |path| format!("{letter}    {}\n", path.as_str().unwrap()))
        })
        .collect();
    let lines = f.tool.run(["diff", "main"]).expect_ok().stdout;
    assert_eq!(made.concat(), lines);
    assert!(found["stats"]["common_objects"].as_u64().unwrap() > 0);
    let stats = f.json("diff", &["diff", "--stats", "main"]);
    assert!(stats.get("added").is_none());
    let dir = f.scratch.path("tree");
    let disk = f.json("diff", &["diff", "main", text(&dir)]);
    assert_eq!(disk["to"]["path"], text(&dir));
}

#[test]
fn fsck_of_sound_and_of_damaged_repositories() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let found = f.json("fsck", &["fsck"]);
    assert_eq!(found["events"], json!([]));
    assert_eq!(found["sound"], true);
    assert_eq!(found["commits"], 2);

    let file = testrepo::first_object(&f.path, "filez").unwrap();
    let meta = testrepo::first_object(&f.path, "dirmeta").unwrap();
    let sound = fs::read(&meta).unwrap();
    fs::write(&file, "no longer what it was").unwrap();
    fs::write(&meta, "nor this").unwrap();
    // Without --all it stops at the first; the document says so and is whole all the same.
    let outcome = f.tool.run(["fsck", "--json"]).expect_fail();
    let found = document("fsck", &outcome);
    assert_eq!(found["complete"], false);
    assert_eq!(found["sound"], false);
    let error = found["error"].as_str().unwrap();
    assert_eq!(outcome.stderr, format!("error: {error}\n"));

    let outcome = f.tool.run(["fsck", "--all", "--json"]).expect_fail();
    let found = document("fsck", &outcome);
    assert_eq!(found["complete"], true);
    assert_eq!(found["bad_objects"], 2);
    assert_eq!(texts(&found["events"], "event"), ["damaged", "damaged"]);
    assert_eq!(found["error"], "Repository corruption encountered");
    fs::write(&meta, sound).unwrap();
    fs::remove_file(&file).unwrap();
    let outcome = f.tool.run(["fsck", "--json"]).expect_fail();
    let found = document("fsck", &outcome);
    let kinds = texts(&found["events"], "event");
    assert_eq!(kinds[0], "missing", "{outcome}");
    assert_eq!(kinds[1], "marked-partial", "{outcome}");
    assert!(
        found["events"][0]["commits"]
            .as_array()
            .unwrap()
            .contains(&json!(f.second))
    );
}

#[test]
fn prune_summary_config_remotes_and_local_pulls() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let plan = f.json(
        "prune",
        &["prune", "--refs-only", "--depth=0", "--no-prune"],
    );
    assert_eq!(plan["dry_run"], true);
    let done = f.json("prune", &["prune", "--refs-only", "--depth=0"]);
    assert_eq!(done["dry_run"], false);
    assert_eq!(plan["deleted_objects"], done["deleted_objects"]);
    assert_eq!(plan["freed_bytes"], done["freed_bytes"]);
    assert!(done["deleted_objects"].as_u64().unwrap() > 0);

    f.tool
        .ok(["refs", "-c", "--create=org.example.X:col", &f.second]);
    f.tool.ok(["summary", "-u", "-m", "note='x'"]);
    let summary = f.json("summary", &["summary", "--view"]);
    assert_eq!(f.json("summary", &["summary"]), summary);
    assert_eq!(texts(&summary["refs"], "name"), ["main", "col"]);
    assert_eq!(summary["refs"][0]["commit"], f.second);
    assert_eq!(summary["refs"][0]["timestamp"], 1_700_000_000);
    assert_eq!(summary["refs"][0]["version"], "1.5");
    assert_eq!(summary["refs"][1]["collection"], "org.example.X");
    assert_eq!(summary["mode"], "archive-z2");
    assert_eq!(summary["signed"], false);
    assert_eq!(summary["metadata"]["note"]["value"], "x");
    f.json("metadata-keys", &["summary", "--list-metadata-keys"]);
    f.json("metadata-key", &["summary", "--print-metadata-key=note"]);

    f.tool.ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "origin",
        "http://example.com/repo",
    ]);
    f.tool.ok([
        "config",
        "--group=remote \"other\"",
        "set",
        "branches",
        "a;b",
    ]);
    let remotes = f.json("remotes", &["remote", "list"]);
    assert_eq!(
        remotes["remotes"],
        json!([{"name": "origin", "url": "http://example.com/repo"}, {"name": "other", "url": null}])
    );
    // A keyring of the tests of the decoder: expired and revoked keys, subkeys.
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sign/tests/golden/keys.gpg");
    f.tool
        .ok(["remote", "gpg-import", "-k", text(&keys), "origin"]);
    let keys = f.json("gpg-keys", &["remote", "gpg-list-keys", "origin"]);
    let listed = f.tool.ok(["remote", "gpg-list-keys", "origin"]);
    for key in keys["keys"].as_array().unwrap() {
        let fingerprint = key["fingerprint"].as_str().unwrap();
        let revoked = key["revoked"].as_bool().unwrap();
        assert_eq!(
            listed.contains(&format!("Key: {fingerprint} (revoked)")),
            revoked
        );
        assert!(listed.contains(&format!("Key: {fingerprint}")));
    }
    // A signature of something else, by a key of that keyring.
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sign/tests/golden/rsa.sig");
    let mut meta = osier_gv::Dict::new();
    meta.push(
        "ostree.gpgsigs",
        osier_gv::Value::bytes_list([fs::read(bad).unwrap()]),
    );
    let tip = f.tool.ok(["rev-parse", "main"]);
    let object = f
        .path
        .join(format!("objects/{}/{}.commitmeta", &tip[..2], &tip[2..]));
    fs::write(object, meta.encode()).unwrap();
    let shown = f.json("show", &["show", "main"]);
    let signature = &shown["object"]["gpg_signatures"][0];
    assert_eq!(signature["verdict"], "bad", "{shown}");
    assert_eq!(signature["valid"], false);
    assert_eq!(signature["email"], "bob@example.com");
    let one = f.json("config", &["config", "get", "core.mode"]);
    assert_eq!(one["groups"], json!({"core": {"mode": "archive-z2"}}));
    let group = f.json("config", &["config", "list", "remote \"origin\""]);
    assert_eq!(group["groups"]["remote \"origin\""]["gpg-verify"], "false");
    let all = f.json("config", &["config", "list"]);
    assert_eq!(all["groups"].as_object().unwrap().len(), 3);

    let other = f.scratch.init(&Tool::ours(), "other", "bare-user");
    let pulled = Tool::ours()
        .repo(&other)
        .run(["pull-local", "--json", text(&f.path), "main"])
        .expect_ok();
    let pulled = document("pull-local", &pulled);
    assert_eq!(
        pulled["refs"],
        json!([{"name": "main", "commit": f.second}])
    );
    assert!(pulled["content_objects"].as_u64().unwrap() > 0);
}

#[test]
fn the_summary_and_refs_of_a_remote() {
    let tool = Tool::ours();
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let origin = scratch.init(&tool, "origin", "archive");
    let id = commit(&tool, &origin, "main", tree.path(), &[]);
    tool.repo(&origin).ok(["summary", "-u"]);
    let repo = tool.repo(scratch.init(&tool, "repo", "archive"));
    let url = format!("file://{}", text(&origin));
    repo.ok(["remote", "add", "--no-gpg-verify", "origin", &url]);
    let refs = document(
        "refs",
        &repo.run(["remote", "refs", "--json", "origin"]).expect_ok(),
    );
    assert_eq!(texts(&refs["refs"], "refspec"), ["origin:main"]);
    assert_eq!(refs["refs"][0]["commit"], id);
    let summary = repo
        .run(["remote", "summary", "--json", "origin"])
        .expect_ok();
    let summary = document("summary", &summary);
    assert_eq!(texts(&summary["refs"], "name"), ["main"]);
}

#[test]
fn remotes_that_were_found() {
    let tool = Tool::ours();
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let origin = scratch.init(&tool, "origin", "archive");
    let repo = tool.repo(scratch.init(&tool, "repo", "bare-user"));
    let os = "org.example.Os";
    let find = |more: &[&str], refs: &[&str]| {
        let pairs: Vec<_> = refs.iter().flat_map(|name| [os, *name]).collect();
        let args = [&["find-remotes", "--json"], more, &pairs].concat();
        repo.run(args)
    };
    let nothing = document("find-remotes", &find(&[], &["main"]).expect_ok());
    assert_eq!(nothing["results"], json!([]));
    assert_eq!(
        nothing["missing_refs"],
        json!([{"collection": os, "name": "main"}])
    );
    assert_eq!(nothing["pulled_refs"], Value::Null);
    let nothing = document("find-remotes", &find(&["--pull"], &["main"]).expect_ok());
    assert_eq!(nothing["pulled_refs"], json!([]));

    tool.repo(&origin)
        .ok(["config", "set", "core.collection-id", os]);
    let id = commit(&tool, &origin, "main", tree.path(), &[]);
    tool.repo(&origin).ok(["summary", "-u"]);
    let url = format!("file://{}", text(&origin));
    let collection = format!("--collection-id={os}");
    repo.ok([
        "remote",
        "add",
        "--no-gpg-verify",
        &collection,
        "origin",
        &url,
    ]);
    let found = document("find-remotes", &find(&[], &["main", "none"]).expect_ok());
    let result = &found["results"][0];
    assert_eq!(result["url"], url);
    assert_eq!(result["finder"], "config");
    assert_eq!(result["remote"], "origin");
    assert_eq!(result["keyring"], "origin.trustedkeys.gpg");
    assert!(result["last_modified"].as_i64().unwrap() > 0);
    assert_eq!(
        result["refs"],
        json!([
            {"collection": os, "name": "main", "commit": id},
            {"collection": os, "name": "none", "commit": null},
        ])
    );
    assert_eq!(
        found["missing_refs"],
        json!([{"collection": os, "name": "none"}])
    );
    // No signature: nothing is pulled, and nothing printed that might pass for a result.
    let refused = find(&["--pull"], &["main"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("Failed to pull some refs"));
}

#[test]
fn options_that_ask_for_another_form_are_refused() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    for args in [
        &["log", "--raw", "main"][..],
        &["ls", "--nul-filenames-only", "main"],
        &["show", "--raw", "main"],
        &["show", "--no-byteswap", "main"],
        &["show", "--print-hex", "--print-metadata-key=answer", "main"],
        &["refs", "--create=x", "main"],
        &["refs", "--delete", "main"],
        &["summary", "--update"],
        &["summary", "--raw"],
        &["config", "set", "core.fsync", "true"],
        &["config", "unset", "core.fsync"],
    ] {
        let mut args = args.to_vec();
        args.push("--json");
        let outcome = f.tool.run(&args).expect_fail();
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(
            outcome.stderr.contains("--json cannot be used together"),
            "{outcome}"
        );
    }
    // Errors are those of the text form.
    for args in [
        &["log", "nope"][..],
        &["ls", "main", "/nope"],
        &["show", "nope"],
    ] {
        let plain = f.tool.run(args).expect_fail();
        let mut args = args.to_vec();
        args.push("--json");
        assert_eq!(f.tool.run(&args).expect_fail().stderr, plain.stderr);
    }
}

/// The lines of `pull --json`, each held against the schema.
#[track_caller]
fn events(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.stdout.lines().map(|line| {
        let line = Outcome {
            stdout: line.to_owned(),
            ..outcome.clone()
        };
        document("pull", &line)
    });
    lines.collect()
}

#[test]
fn pull_events() {
    let f = Fixture::new("archive");
    let server = osier_testkit::httpd::Server::serve(&f.path).unwrap();
    let tool = Tool::ours();
    let client = tool.repo(f.scratch.init(&tool, "client", "bare-user"));
    client.ok(["remote", "add", "--no-gpg-verify", "o", &server.url()]);
    let pull = |more: &[&str]| {
        client.run(
            ["pull", "--json", "--disable-static-deltas", "o"]
                .iter()
                .chain(more),
        )
    };
    let found = events(&pull(&[&format!("main@{}", f.first)]).expect_ok());
    let found_names: Vec<&str> = found.iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(found_names[..2], ["start", "resolved"]);
    assert_eq!(found_names.last(), Some(&"done"));
    assert!(
        found_names[2..found.len() - 1]
            .iter()
            .all(|e| *e == "progress")
    );
    assert_eq!(found[0]["remote"], "o");
    assert_eq!(found[0]["url"], server.url());

    // What `ostree.sizes` tells is what comes, but for the commit itself and what is asked for in vain.
    let found = events(&pull(&["main"]).expect_ok());
    assert_eq!(
        found[1]["commits"],
        json!([{"name": "main", "collection": null, "commit": f.second, "old_commit": f.first}])
    );
    let (progress, done) = (&found[found.len() - 2], &found[found.len() - 1]);
    let number = |value: &Value| value.as_u64().unwrap();
    assert_eq!(progress["scanned"], true);
    assert_eq!(progress["bytes"], done["bytes"]);
    assert_eq!(progress["pending_content_objects"], 0);
    assert!(number(&progress["expected_bytes"]) <= number(&done["bytes"]));
    assert!(number(&progress["expected_bytes"]) > number(&done["bytes"]) / 2);
    assert!(number(&done["content_objects"]) > 0);
    assert_eq!(done["refs"], json!([{"name": "main", "commit": f.second}]));

    let outcome = pull(&["nope"]).expect_fail();
    let found = events(&outcome);
    assert_eq!(found[0]["event"], "start");
    let last = found.last().unwrap();
    assert_eq!(
        format!("error: {}\n", last["error"].as_str().unwrap()),
        outcome.stderr
    );
    assert_eq!(last["event"], "error");
}

#[test]
fn push_to_a_folder() {
    let tool = Tool::ours();
    let scratch = Scratch::new();
    let repo = scratch.init(&tool, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let first = commit(&tool, &repo, "main", tree.path(), &[]);
    let url = format!("file://{}", text(&scratch.path("there")));
    let push = |more: &[&str]| {
        let run = tool
            .repo(&repo)
            .run(["push", "--json", &url].iter().chain(more));
        document("push", &run.expect_ok())
    };
    let found = push(&[]);
    assert_eq!(
        found["refs"],
        json!([{"name": "main", "old_commit": null, "new_commit": first}])
    );
    assert_eq!(found["objects"], found["objects_sent"]);
    assert!(found["bytes_sent"].as_u64().unwrap() > 0);
    let second = commit(&tool, &repo, "main", tree.path(), &["--body=again"]);
    let found = push(&["--dry-run"]);
    assert_eq!(
        (&found["dry_run"], &found["objects_sent"]),
        (&json!(true), &json!(1))
    );
    let found = push(&[]);
    assert_eq!(
        found["refs"],
        json!([{"name": "main", "old_commit": first, "new_commit": second}])
    );
    tool.repo(scratch.path("there")).ok(["fsck"]);
}

#[test]
fn static_deltas() {
    if !root_or_skip() {
        return;
    }
    let f = Fixture::new("archive");
    let none = f.json("static-deltas", &["static-delta", "list"]);
    assert_eq!(none["deltas"], json!([]));
    let none = f.json("static-delta-indexes", &["static-delta", "indexes"]);
    assert_eq!(none["commits"], json!([]));
    f.tool.ok(["static-delta", "generate", "main"]);
    let scratch = ["--empty", "--inline", "--min-fallback-size=1", "main"];
    f.tool
        .ok(["static-delta", "generate"].iter().chain(&scratch));
    f.tool.ok(["summary", "-u"]);
    let listed = f.json("static-deltas", &["static-delta", "list"]);
    let names = texts(&listed["deltas"], "name");
    assert_eq!(names, f.lines(&["static-delta", "list"]));
    let summary = f.json("summary", &["summary", "--view"]);
    for delta in listed["deltas"].as_array().unwrap() {
        let same = |other: &&Value| other["from"] == delta["from"] && other["to"] == delta["to"];
        let told = summary["static_deltas"].as_array().unwrap();
        let other = told.iter().find(same).unwrap();
        assert_eq!(other["superblock_checksum"], delta["superblock_checksum"]);
    }
    let indexes = f.json("static-delta-indexes", &["static-delta", "indexes"]);
    assert_eq!(indexes["commits"], json!([f.second]));

    let name = format!("{}-{}", f.first, f.second);
    let shown = f.json("static-delta", &["static-delta", "show", &name]);
    assert_eq!(shown["from"], f.first);
    assert_eq!(shown["to"], f.second);
    let lines = f.lines(&["static-delta", "show", &name]);
    let part = &shown["parts"][0];
    for line in [
        format!("Timestamp: {}", shown["timestamp"]),
        format!(
            "PartMeta0: nobjects={} size={} usize={}",
            part["objects"], part["bytes"], part["unpacked_bytes"]
        ),
        format!(
            "PartPayload0: nmodes={} nxattrs={} blobsize={} opsize={}",
            part["modes"], part["xattr_sets"], part["blob_bytes"], part["operations_bytes"]
        ),
    ] {
        assert!(lines.contains(&line), "{line}\n{lines:#?}");
    }
    assert_eq!(part["inline"], false);
    // The text form cannot show inline parts as the C tool cannot; this can tell them.
    let scratch = f.json("static-delta", &["static-delta", "show", &f.second]);
    assert_eq!(scratch["from"], Value::Null);
    assert_eq!(scratch["parts"][0]["inline"], true);
}
