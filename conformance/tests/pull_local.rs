//! `pull-local` between every pair of modes, in both directions.

use osier_conformance::{
    Scratch, assert_names, both_ways, commit, object_checksum, pair, root_or_skip, text,
};
use osier_testkit::{repo, trees};

#[test]
fn every_mode_into_every_mode() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    for (writer, _) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        // What bare-user-only takes.
        let plain = trees::os(&scratch.path("plain"), "1", "6.1").unwrap();
        for from in ["archive", "bare", "bare-user", "bare-user-only"] {
            let source = scratch.init(&writer, &format!("from-{from}"), from);
            commit(&writer, &source, "all", tree.path(), &[]);
            commit(
                &writer,
                &source,
                "plain",
                plain.path(),
                &["--canonical-permissions", "--no-xattrs"],
            );
            for to in ["archive", "bare", "bare-user", "bare-user-only"] {
                let branch = if to == "bare-user-only" {
                    "plain"
                } else {
                    "all"
                };
                let results = [&ours, &c].map(|tool| {
                    let name = format!("{from}-to-{to}-{}", tool.name());
                    let path = scratch.init(tool, &name, to);
                    let outcome =
                        tool.repo(&path)
                            .run(["pull-local", "--remote=up", text(&source), branch]);
                    if outcome.code == 0 {
                        c.repo(&path).ok(["fsck", "-q"]);
                    }
                    (outcome, path)
                });
                let label = format!(
                    "{from} to {to}, written by {}\n{}{}",
                    writer.name(),
                    results[0].0,
                    results[1].0
                );
                assert_eq!(results[0].0.code, results[1].0.code, "{label}");
                let differences = repo::differences(&results[0].1, &results[1].1).unwrap();
                assert!(differences.is_empty(), "{label}{}", differences.join("\n"));
                for (_, path) in results {
                    std::fs::remove_dir_all(path).unwrap();
                }
            }
        }
    }
}

#[test]
fn histories_depths_and_refs() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let source = scratch.init(&c, "source", "archive");
    for version in ["1", "2", "3", "4"] {
        let tree = trees::os(&scratch.path(format!("tree-{version}")), version, "6.1").unwrap();
        commit(&c, &source, "main", tree.path(), &[]);
        commit(
            &c,
            &source,
            "other/branch",
            tree.path(),
            &["--add-detached-metadata-string=k=v"],
        );
    }
    let first = c.repo(&source).ok(["rev-parse", "main^^^"]);
    for (number, args) in [
        &[][..],
        &["main"],
        &["main", "other/branch"],
        &["--depth=1", "main"],
        &["--depth=-1", "main"],
        &["--depth=9", "main"],
        &["--remote=origin", "main"],
        &["--remote=origin"],
        &["--untrusted", "main"],
        &["--commit-metadata-only", "main"],
        &["--disable-fsync", "main"],
        &["--per-object-fsync", "main"],
        &[first.as_str()],
        &["nosuch"],
        &["bad..name"],
    ]
    .into_iter()
    .enumerate()
    {
        let results = [&ours, &c].map(|tool| {
            let path = scratch.init(tool, &format!("{number}-{}", tool.name()), "bare-user");
            let mut all = vec!["pull-local"];
            let (options, revs): (Vec<&str>, Vec<&str>) =
                args.iter().partition(|arg| arg.starts_with("--"));
            all.extend(options);
            all.push(text(&source));
            all.extend(revs);
            (tool.repo(&path).run(all), path)
        });
        let label = format!("{args:?}\n{}{}", results[0].0, results[1].0);
        assert_eq!(results[0].0.code, results[1].0.code, "{label}");
        let differences = repo::differences(&results[0].1, &results[1].1).unwrap();
        assert!(differences.is_empty(), "{label}{}", differences.join("\n"));
    }
}

#[test]
fn only_what_is_missing_is_copied_and_a_partial_commit_is_completed() {
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
        let source = scratch.init(&writer, "source", "archive");
        let checksum = commit(&writer, &source, "main", tree.path(), &[]);
        let path = scratch.init(&reader, "copy", "bare-user");
        let copy = reader.repo(&path);
        copy.ok([
            "pull-local",
            "--commit-metadata-only",
            text(&source),
            "main",
        ]);
        assert!(
            path.join(format!("state/{checksum}.commitpartial"))
                .exists()
        );
        // The writer goes on where the reader stopped.
        writer.repo(&path).ok(["pull-local", text(&source), "main"]);
        assert!(
            !path
                .join(format!("state/{checksum}.commitpartial"))
                .exists()
        );
        copy.ok(["fsck", "-q"]);
        let before = repo::object_names(&path).unwrap();
        copy.ok(["pull-local", text(&source), "main"]);
        assert_eq!(repo::object_names(&path).unwrap(), before);
    }
}

#[test]
fn a_source_with_a_lost_or_corrupt_object() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    for extension in ["filez", "dirtree", "dirmeta", "commit"] {
        for lost in [true, false] {
            let tree = trees::os(
                &scratch.path(format!("tree-{extension}-{lost}")),
                "1",
                "6.1",
            )
            .unwrap();
            let source = scratch.init(&c, &format!("source-{extension}-{lost}"), "archive");
            commit(&c, &source, "main", tree.path(), &[]);
            let object = repo::first_object(&source, extension).unwrap();
            if lost {
                std::fs::remove_file(&object).unwrap();
            } else {
                std::fs::write(&object, b"garbage garbage garbage").unwrap();
            }
            let checksum = object_checksum(&object);
            let path = scratch.init(&ours, &format!("copy-{extension}-{lost}"), "bare-user");
            let stderr =
                ours.repo(&path)
                    .fail(["pull-local", "--untrusted", text(&source), "main"]);
            assert_names(&stderr, &checksum);
            assert_eq!(ours.repo(&path).ok(["refs"]), "", "nothing is published");
        }
    }
}

#[test]
fn a_source_that_is_no_repository() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let path = scratch.init(&c, "repo", "archive");
    for source in ["missing", "repo/objects"] {
        let source = scratch.path(source);
        let [our, c] = [&ours, &c].map(|tool| {
            tool.repo(&path)
                .run(["pull-local", text(&source), "main"])
                .expect_fail()
        });
        assert_eq!(our.code, c.code);
        assert!(
            our.stderr.contains(text(&source)) || our.stderr == c.stderr,
            "{our}{c}"
        );
    }
}

#[test]
fn content_is_hashed_only_when_untrusted() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let source = scratch.init(&c, "source", "bare-user");
    commit(&c, &source, "main", tree.path(), &[]);
    let object = repo::object_names(&source)
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".file"))
        .map(|name| source.join("objects").join(name))
        .find(|path| path.metadata().unwrap().len() > 0)
        .unwrap();
    let length = object.metadata().unwrap().len();
    std::fs::write(&object, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
    for (number, tool) in [&ours, &c].into_iter().enumerate() {
        for mode in ["archive", "bare-user-only"] {
            let path = scratch.init(tool, &format!("copy-{mode}-{number}"), mode);
            tool.repo(&path)
                .fail(["pull-local", "--untrusted", text(&source), "main"]);
            tool.repo(&path).ok(["pull-local", text(&source), "main"]);
            let stderr = tool.repo(&path).fail(["fsck"]);
            assert!(stderr.contains(&object_checksum(&object)), "{stderr}");
        }
    }
}
