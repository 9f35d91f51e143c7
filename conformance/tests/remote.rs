//! `ostree remote` and its sub-commands: what they print and what they leave in `config` and `remotes.d`, step by step beside
//! the C tool.

use osier_conformance::{Scratch, commit, ours_is_c, pair};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::trees;
use std::path::Path;

/// One tool at work in a folder of its own, so that relative paths are alike.
struct Side<'a> {
    tool: &'a Tool,
    dir: std::path::PathBuf,
}

impl Side<'_> {
    fn run(&self, line: &str) -> Outcome {
        // An argument may hold blanks: they are written as `~` here.
        let args: Vec<String> = line.split(' ').map(|arg| arg.replace('~', " ")).collect();
        let mut command = self.tool.command(&args);
        self.tool.finish(command.current_dir(&self.dir))
    }

    /// What a step shows: exit code, output, the last line of the errors, and the configuration after it.
    fn step(&self, line: &str) -> (i32, String, String, String) {
        let outcome = self.run(line);
        let error = outcome.stderr.lines().last().unwrap_or_default();
        let here = self.dir.display().to_string();
        (
            outcome.code,
            outcome.stdout,
            error.replace(&here, "HERE"),
            configuration(&self.dir),
        )
    }
}

/// `config` and the drop-ins, without the blank line that newer GLib leaves behind a deleted last group.
fn configuration(dir: &Path) -> String {
    let mut all = String::new();
    let mut files = vec!["repo/config".into(), "sys/ostree/repo/config".into()];
    if let Ok(dropins) = std::fs::read_dir(dir.join("sys/etc/ostree/remotes.d")) {
        let mut names: Vec<_> = dropins.map(|entry| entry.unwrap().path()).collect();
        names.sort();
        files.extend(names);
    }
    for file in files {
        if let Ok(text) = std::fs::read_to_string(dir.join(&file)) {
            let name = file.file_name().unwrap().to_string_lossy();
            all.push_str(&format!("{name}:\n{}\n", text.trim_end()));
        }
    }
    all
}

fn sides<'a>(scratch: &Scratch, tools: [&'a Tool; 2]) -> [Side<'a>; 2] {
    tools.map(|tool| {
        let dir = scratch.path(tool.name());
        std::fs::create_dir(&dir).unwrap();
        let side = Side { tool, dir };
        side.run("init --repo=repo --mode=archive").expect_ok();
        side
    })
}

/// Takes both through the steps; each must show the same.
fn same(sides: &[Side; 2], steps: &str) {
    for line in steps.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let [our, c] = [&sides[0], &sides[1]].map(|side| side.step(line));
        assert_eq!(our, c, "{line}");
    }
}

#[test]
fn add_and_delete() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let sides = sides(&scratch, [&ours, &c]);
    same(
        &sides,
        "remote --repo=repo add
         remote --repo=repo add o
         remote --repo=repo add o http://a
         remote --repo=repo add o http://b
         remote --repo=repo add --if-not-exists o http://b
         remote --repo=repo add --force o http://b x y
         remote --repo=repo add --force --if-not-exists o http://b
         remote --repo=repo add --if-not-exists --no-gpg-verify p http://b
         remote --repo=repo add --no-sign-verify q http://b
         remote --repo=repo add --no-sign-verify --no-gpg-verify q2 http://b
         remote --repo=repo add --custom-backend=rpm cb
         remote --repo=repo add --custom-backend=rpm cb2 http://x
         remote --repo=repo add --custom-backend= cb3
         remote --repo=repo add --contenturl=http://c cu http://x
         remote --repo=repo add --contenturl= cu2 http://x
         remote --repo=repo add --contenturl=mirrorlist=http://m cu3 mirrorlist=http://x
         remote --repo=repo add ml metalink=http://x/m.xml a b c
         remote --repo=repo add --collection-id=org.foo co http://a
         remote --repo=repo add --collection-id=not_one co2 http://a
         remote --repo=repo add --collection-id= co3 http://a
         remote --repo=repo add --set=a=b st http://a
         remote --repo=repo add --set=a= st2 http://a
         remote --repo=repo add --set=a st3 http://a
         remote --repo=repo add --set=a=b=c st4 http://a
         remote --repo=repo add --set=a~b=c st5 http://a
         remote --repo=repo add --set=a;b=c;d st6 http://a
         remote --repo=repo add --set=url=http://z --set=url=http://y st7 http://a
         remote --repo=repo add --set gpg-verify=true --no-gpg-verify st8 http://a br
         remote --repo=repo add --set branches=zz st9 http://a br
         remote --repo=repo add --set=k=~x~ st10 http://a
         remote --repo=repo add sch ftp://a
         remote --repo=repo add sch2 /path
         remote --repo=repo add sch3 http://a~b/;c\\d
         remote --repo=repo add sch4 ~http://lead br;x ~sp
         remote --repo=repo add a~b http://a
         remote --repo=repo add a/b http://a
         remote --repo=repo add .x http://a
         remote --repo=repo add ü http://a
         remote --repo=repo add _ http://a
         remote --repo=repo add a.b-c_d9 http://a
         remote --repo=repo list
         remote --repo=repo list -u
         remote --repo=repo list --show-urls
         remote --repo=repo list extra args
         remote --repo=repo show-url
         remote --repo=repo show-url nosuch
         remote --repo=repo show-url a/b
         remote --repo=repo show-url q extra
         remote --repo=repo show-url ml
         remote --repo=repo show-url cb
         remote --repo=repo show-url st7
         remote --repo=repo show-url sch4
         remote --repo=repo refs
         remote --repo=repo refs nosuch
         remote --repo=repo refs cb
         remote --repo=repo refs sch
         remote --repo=repo summary
         remote --repo=repo summary nosuch
         remote --repo=repo summary cb
         remote --repo=repo summary sch2
         remote --repo=repo delete
         remote --repo=repo delete nosuch
         remote --repo=repo delete --if-exists nosuch
         remote --repo=repo delete --if-exists
         remote --repo=repo delete --if-exists a~b
         remote --repo=repo delete a/b
         remote --repo=repo delete o extra
         remote --repo=repo delete o
         remote --repo=repo delete sch4
         remote --repo=repo delete co
         remote --repo=repo add --gpg-import=nosuch gi http://a
         remote --repo=repo list
         remote --repo=repo bogus
         remote --repo=repo
         remote
         remote --bogus
         remote list
         remote delete x",
    );
}

#[test]
fn remotes_of_a_parent() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let sides = sides(&scratch, [&ours, &c]);
    for side in &sides {
        side.run("remote --repo=repo add par http://p a b")
            .expect_ok();
        side.run("init --repo=child --mode=bare-user").expect_ok();
        let config = side.dir.join("child/config");
        let text = std::fs::read_to_string(&config).unwrap();
        let parent = side.dir.join("repo");
        std::fs::write(&config, format!("{text}parent={}\n", parent.display())).unwrap();
    }
    same(
        &sides,
        "remote --repo=child list
         remote --repo=child list -u
         remote --repo=child show-url par
         remote --repo=child delete par
         remote --repo=child add par http://other
         remote --repo=child list -u
         remote --repo=child delete par
         remote --repo=child list -u
         remote --repo=repo list -u",
    );
}

#[test]
fn cookies() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let sides = sides(&scratch, [&ours, &c]);
    let jars = || {
        let [our, c] = [&sides[0], &sides[1]].map(|side| {
            let jar = std::fs::read_to_string(side.dir.join("repo/o.cookies.txt"));
            // When they expire depends on the clock.
            let line = |line: &str| {
                let mut fields: Vec<&str> = line.split('\t').collect();
                fields[4] = "T";
                fields.join(" ")
            };
            jar.map(|text| text.lines().map(line).collect::<Vec<_>>())
                .ok()
        });
        assert_eq!(our, c);
    };
    for step in [
        "remote --repo=repo add o http://a",
        "remote --repo=repo list-cookies",
        "remote --repo=repo add-cookie",
        "remote --repo=repo add-cookie o",
        "remote --repo=repo add-cookie o example.com / k v",
        "remote --repo=repo add-cookie o .example.com /x k2 v2 extra",
        "remote --repo=repo add-cookie o .example.com /x k2",
        "remote --repo=repo delete-cookie",
        "remote --repo=repo delete-cookie o",
        "remote --repo=repo delete-cookie o d p c",
        "remote --repo=repo delete-cookie o example.com / k extra",
        "remote --repo=repo delete-cookie o example.com / k",
        "remote --repo=repo delete-cookie o .example.com /x k2",
    ] {
        same(&sides, step);
        jars();
    }
}

/// Whether the tool is of the newer kind that has more options and says more about why a sysroot does not load.
fn is_recent(tool: &Tool) -> bool {
    tool.run(["remote", "refs", "--help"])
        .stdout
        .contains("--revision")
}

#[test]
fn a_sysroot_has_drop_ins() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let sides = sides(&scratch, [&ours, &c]);
    for side in &sides {
        std::fs::create_dir(side.dir.join("sys")).unwrap();
    }
    same(
        &sides,
        "admin init-fs sys
         remote add --sysroot=sys o http://a
         remote add --sysroot=sys --repo=repo o2 http://a
         remote --sysroot=sys add o3 http://a
         remote add o4 http://a --sysroot sys
         remote delete --sysroot=sys o2
         remote delete --sysroot=sys nosuch
         remote delete --sysroot=sys --if-exists nosuch
         remote list --sysroot=sys",
    );
    // Only the root of a running system, or what looks like one, has drop-ins.
    let write = |name: &str, text: &str| {
        for side in &sides {
            std::fs::write(side.dir.join("sys/etc/ostree/remotes.d").join(name), text).unwrap();
        }
    };
    for side in &sides {
        std::fs::create_dir(side.dir.join("sys/sysroot")).unwrap();
    }
    same(
        &sides,
        "remote add --sysroot=sys r1 http://a
         remote add --sysroot=sys r1 http://a
         remote add --sysroot=sys o http://a
         remote add --sysroot=sys --if-not-exists r1 http://a
         remote add --sysroot=sys --force r1 http://b
         remote add --sysroot=sys --force o http://b
         remote add --sysroot=sys --no-gpg-verify --set=x=y --collection-id=org.x r2 http://a b1",
    );
    write(
        "noted.conf",
        "# note\n[remote \"c1\"]\n# c\nurl=http://c1\n",
    );
    write("other.txt", "nonsense");
    same(
        &sides,
        "remote add --sysroot=sys c1 http://a
         remote add --sysroot=sys --force c1 http://c2
         remote delete --sysroot=sys r2
         remote delete --sysroot=sys c1
         remote delete --sysroot=sys o
         config --repo=sys/ostree/repo set core.add-remotes-config-dir false
         remote add --sysroot=sys in-config http://a
         config --repo=sys/ostree/repo set core.add-remotes-config-dir true
         remote add --sysroot=sys in-file http://a
         remote --repo=sys/ostree/repo list",
    );
    if !is_recent(&c) {
        return;
    }
    write("twice.conf", "[remote \"in-file\"]\nurl=http://s1\n");
    same(
        &sides,
        "remote add --sysroot=sys more http://a
         remote delete --sysroot=sys in-file",
    );
    write("twice.conf", "[remote \"in-config\"]\nurl=http://s1\n");
    same(&sides, "remote add --sysroot=sys more http://a");
    write("twice.conf", "nonsense\n");
    same(
        &sides,
        "remote add --sysroot=sys more http://a
         remote add --sysroot=nosuch more http://a
         remote delete --sysroot=nosuch more",
    );
}

#[test]
fn a_drop_in_that_others_share_keeps_them() {
    let ours = Tool::ours();
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let sys = scratch.path("sys");
    std::fs::create_dir(&sys).unwrap();
    ours.ok(["admin", "init-fs", sys.to_str().unwrap()]);
    std::fs::create_dir(sys.join("sysroot")).unwrap();
    let dropins = sys.join("etc/ostree/remotes.d");
    std::fs::create_dir_all(&dropins).unwrap();
    let shared = dropins.join("shared.conf");
    let text = "[remote \"a\"]\nurl=http://a\n\n[remote \"b\"]\nurl=http://b\n";
    std::fs::write(&shared, text).unwrap();
    let sysroot = format!("--sysroot={}", sys.display());
    ours.ok(["remote", "add", &sysroot, "--force", "a", "http://new"]);
    assert_eq!(
        std::fs::read_to_string(&shared).unwrap(),
        "[remote \"b\"]\nurl=http://b\n\n[remote \"a\"]\nurl=http://new\n"
    );
    ours.ok(["remote", "delete", &sysroot, "b"]);
    let left = std::fs::read_to_string(&shared).unwrap();
    assert_eq!(left.trim_end(), "[remote \"a\"]\nurl=http://new");
    ours.ok(["remote", "delete", &sysroot, "a"]);
    assert!(!shared.exists());
}

#[test]
fn refs_and_summary_of_a_remote() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let sides = sides(&scratch, [&ours, &c]);
    let served = scratch.init(&c, "served", "archive");
    let config = std::fs::read_to_string(served.join("config")).unwrap();
    std::fs::write(
        served.join("config"),
        format!("{config}collection-id=org.example.Os\n"),
    )
    .unwrap();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let version = ["--add-metadata-string=version=1"];
    commit(&c, &served, "os/main", tree.path(), &version);
    commit(&c, &served, "app", tree.path(), &[]);
    let url = format!("file://{}", served.display());
    same(
        &sides,
        &format!(
            "remote --repo=repo add --no-gpg-verify o {url}
             remote --repo=repo add --set=gpg-verify-summary=true g {url}
             remote --repo=repo add --set=unconfigured-state=Register~first u {url}
             remote --repo=repo add --set=tls-client-cert-path=x t {url}
             remote --repo=repo refs o
             remote --repo=repo summary o
             remote --repo=repo refs g
             remote --repo=repo refs u
             remote --repo=repo summary u
             remote --repo=repo refs t"
        ),
    );
    c.repo(&served).ok([
        "summary",
        "-u",
        "-m",
        "foo.bar='x'",
        "-m",
        "exa.num=uint32 7",
    ]);
    for side in &sides {
        std::fs::create_dir(side.dir.join("cache")).unwrap();
    }
    same(
        &sides,
        "remote --repo=repo refs o
         remote --repo=repo refs o extra
         remote --repo=repo refs --cache-dir=nosuch o
         remote --repo=repo refs --cache-dir=cache o
         remote --repo=repo refs g
         remote --repo=repo summary g
         remote --repo=repo summary o
         remote --repo=repo summary --cache-dir=cache o
         remote --repo=repo summary --raw o
         remote --repo=repo summary nosuch",
    );
    if is_recent(&c) {
        same(
            &sides,
            "remote --repo=repo refs -r o
             remote --repo=repo refs --revision o
             remote --repo=repo summary --list-metadata-keys o
             remote --repo=repo summary --print-metadata-key=foo.bar o
             remote --repo=repo summary --print-metadata-key=exa.num o
             remote --repo=repo summary --print-metadata-key=nosuch o
             remote --repo=repo summary --print-metadata-key=foo.bar --raw o
             remote --repo=repo summary --print-metadata-key=foo.bar --list-metadata-keys --raw o",
        );
    }
}

#[test]
fn a_url_that_is_no_text_is_named() {
    let ours = Tool::ours();
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let config = repo.join("config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[remote \"odd\"]\nurl=a\\q\n")).unwrap();
    let error = ours.repo(&repo).fail(["remote", "show-url", "odd"]);
    assert!(error.contains("odd") && error.contains("“url”"), "{error}");
}
