//! The same steps as `golden/make.sh`, which the C tool 2026.4 ran, must leave the same sysroot and
//! say the same words.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use osier_store::commit::{self, CommitOptions, Modifier, Source};
use osier_store::{Repo, RepoMode, TransactionOptions};
use osier_sysroot::kargs::KernelArgs;
use osier_sysroot::{
    Cleanup, DeployRequest, Epoch, KargsChange, LockedSysroot, Notice, Options, Retention, init_fs,
};

const EXPECTED: &str = include_str!("golden/worked-example.txt");

struct Machine {
    tmp: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
    text: String,
}

impl Machine {
    fn new() -> Machine {
        // The script's umask; this test is alone in its process.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let machine = Machine {
            tmp: tempfile::tempdir().unwrap(),
            said: Arc::default(),
            text: String::new(),
        };
        tree(&machine.tmp.path().join("a"), "a", 1);
        tree(&machine.tmp.path().join("b"), "b", 2);
        fs::create_dir(machine.root()).unwrap();
        init_fs(&machine.root(), Epoch::Modern, RepoMode::BareUserOnly).unwrap();
        machine.lock().init_stateroot("willow").unwrap();
        machine
    }

    fn root(&self) -> PathBuf {
        self.tmp.path().join("S")
    }

    fn lock(&self) -> LockedSysroot {
        let said = self.said.clone();
        let options = Options {
            mutable_deployments: true,
            notices: Arc::new(move |notice: &Notice| said.lock().unwrap().push(notice.to_string())),
            ..Options::default()
        };
        LockedSysroot::load(&self.root(), options).unwrap()
    }

    fn publish(&self, tree: &str, version: &str, timestamp: u64) {
        let repo = Repo::open(&self.root().join("ostree/repo")).unwrap();
        let tx = repo.begin(&TransactionOptions::default()).unwrap();
        let modifier = Modifier {
            canonical_permissions: true,
            ..Modifier::default()
        };
        let source = Source::Dir(self.tmp.path().join(tree));
        let root = commit::build_tree(&tx, &[source], &modifier).unwrap();
        let mut options = CommitOptions {
            timestamp,
            parent: repo.resolve_rev_opt("os/main").unwrap(),
            ..CommitOptions::default()
        };
        let text = |text: &str| osier_gv::Value::Str(text.to_owned());
        options.metadata.push("version", text(version));
        let ty = osier_gv::Type::parse("s").unwrap();
        let refs = osier_gv::Value::Array(ty, vec![text("os/main")]);
        options.metadata.push("ostree.ref-binding", refs);
        let id = commit::write(&tx, root, &options).unwrap();
        tx.set_refspec("os/main", Some(id)).unwrap();
        tx.commit().unwrap();
    }

    fn step(&mut self, name: &str, work: impl FnOnce(&mut LockedSysroot) -> Option<String>) {
        let mut sysroot = self.lock();
        let last = work(&mut sysroot);
        drop(sysroot);
        let _ = writeln!(self.text, "== {name}");
        for line in self.said.lock().unwrap().drain(..).chain(last) {
            let _ = writeln!(self.text, "{line}");
        }
        self.text.push_str(&state(&self.root()));
    }
}

fn tree(top: &Path, name: &str, kernel: u32) {
    for dir in [
        "boot",
        "dev",
        "proc",
        "run",
        "sys",
        "sysroot",
        "var/lib/data",
    ] {
        fs::create_dir_all(top.join(dir)).unwrap();
    }
    for dir in ["bin", "etc/sub", "lib/tmpfiles.d", "lib/modules/6.1"] {
        fs::create_dir_all(top.join("usr").join(dir)).unwrap();
    }
    let file = |path: &str, text: String| fs::write(top.join(path), text).unwrap();
    symlink("sysroot/ostree", top.join("ostree")).unwrap();
    file("usr/lib/modules/6.1/vmlinuz", format!("kernel {kernel}\n"));
    file(
        "usr/lib/modules/6.1/initramfs.img",
        format!("initramfs {kernel}\n"),
    );
    file(
        "usr/lib/os-release",
        format!("ID=willow\nPRETTY_NAME=\"Willow {name}\"\n"),
    );
    file("usr/bin/sh", format!("sh {name}\n"));
    fs::set_permissions(top.join("usr/bin/sh"), fs::Permissions::from_mode(0o755)).unwrap();
    file("usr/etc/hostname", "willow\n".to_owned());
    file("usr/etc/motd", format!("motd {name}\n"));
    file("usr/etc/sub/default", "default\n".to_owned());
    symlink("motd", top.join("usr/etc/link")).unwrap();
    file("var/lib/data/file", "data\n".to_owned());
}

/// As the script's function of that name.
fn state(root: &Path) -> String {
    let mut lines = Vec::new();
    let mut shown = Vec::new();
    walk(root, Path::new(""), &mut lines, &mut shown);
    lines.sort();
    shown.sort();
    let mut text = String::from("-- sysroot\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    for path in shown {
        let content = fs::read_to_string(root.join(&path)).unwrap();
        let _ = write!(text, "-- {path}\n{content}");
    }
    text
}

fn walk(root: &Path, dir: &Path, lines: &mut Vec<String>, shown: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(dir)).unwrap() {
        let path = dir.join(entry.unwrap().file_name());
        let name = path.to_str().unwrap();
        let skipped = ["objects", "tmp", "extensions", "state", ".lock"]
            .iter()
            .any(|skipped| name == format!("ostree/repo/{skipped}"));
        if skipped
            || (name.contains("/deploy/")
                && name.matches('/').count() == 5
                && name.ends_with("/usr"))
        {
            continue;
        }
        let meta = fs::symlink_metadata(root.join(&path)).unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_symlink() {
            let target = fs::read_link(root.join(&path)).unwrap();
            lines.push(format!("{name} l -> {}", target.display()));
        } else if meta.is_dir() {
            lines.push(format!("{name} d {mode:o}"));
            walk(root, &path, lines, shown);
        } else {
            lines.push(format!("{name} f {mode:o}"));
            let is_entry = name.contains("/entries/") && name.ends_with(".conf");
            if is_entry || name.ends_with(".origin") || name.starts_with("ostree/repo/refs/heads/")
            {
                shown.push(name.to_owned());
            }
        }
    }
}

/// Checksums keep their first 12 digits.
fn shorten(text: &str) -> String {
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c| !is_hex(c)).unwrap_or(rest.len());
        if run >= 64 {
            out.push_str(&rest[..12]);
            rest = &rest[64..];
        } else {
            let next = rest[run..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..run + next]);
            rest = &rest[run + next..];
        }
    }
    out
}

fn request() -> DeployRequest {
    DeployRequest {
        refspec: "os/main".to_owned(),
        stateroot: Some("willow".to_owned()),
        ..DeployRequest::default()
    }
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// A deploy says nothing at its end.
fn deploy(sysroot: &mut LockedSysroot, request: &DeployRequest) -> Option<String> {
    sysroot.deploy(request).unwrap();
    None
}

#[test]
fn worked_example() {
    let mut machine = Machine::new();
    machine.publish("a", "12.a", 1_700_000_000);
    machine.step("first", |sysroot| {
        let kargs = KargsChange {
            replace: list(&["root=LABEL=root", "rw"]),
            append: list(&["console=ttyS0 console=tty0"]),
            ..KargsChange::default()
        };
        deploy(sysroot, &DeployRequest { kargs, ..request() })
    });
    edit_etc(&machine.root());
    machine.publish("b", "12.b", 1_700_000_100);
    for name in ["upgrade", "same-commit", "sub-swap"] {
        machine.step(name, |sysroot| deploy(sysroot, &request()));
    }
    machine.step("kargs", |sysroot| {
        let kargs = KargsChange {
            replace: list(&["rw=now"]),
            delete: list(&["console=ttyS0"]),
            ..KargsChange::default()
        };
        let retention = Retention {
            all: true,
            ..Retention::default()
        };
        deploy(
            sysroot,
            &DeployRequest {
                kargs,
                retention,
                ..request()
            },
        )
    });
    machine.step("pin", |sysroot| {
        assert!(sysroot.set_pinned(1, true).unwrap());
        Some("Deployment 1 is now pinned".to_owned())
    });
    machine.step("roll-back", |sysroot| {
        sysroot.set_default(2).unwrap();
        None
    });
    machine.step("undeploy", |sysroot| {
        let removed = sysroot.undeploy(0).unwrap();
        Some(format!("Deleted deployment {}", removed.id))
    });
    machine.step("no-merge", |sysroot| {
        let kargs = KargsChange {
            none: true,
            ..KargsChange::default()
        };
        let retention = Retention {
            not_as_default: true,
            ..Retention::default()
        };
        deploy(
            sysroot,
            &DeployRequest {
                no_merge: true,
                kargs,
                retention,
                ..request()
            },
        )
    });
    machine.step("set-kargs", |sysroot| {
        let mut kargs: KernelArgs = sysroot.deployments()[0].entry.kargs().unwrap();
        kargs.replace("rw").unwrap();
        kargs.append("quiet").unwrap();
        sysroot.set_kargs(0, &kargs).unwrap();
        None
    });
    machine.step("edit-in-place", |sysroot| {
        sysroot
            .append_kargs_in_place(&list(&["quiet", "extra=1"]))
            .unwrap();
        None
    });
    machine.step("cleanup", |sysroot| {
        sysroot.cleanup(Cleanup::Full).unwrap();
        None
    });
    let found = shorten(&machine.text);
    for (number, (found, expected)) in found.lines().zip(EXPECTED.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.len(), EXPECTED.len());
}

fn edit_etc(root: &Path) {
    let deployments = root.join("ostree/deploy/willow/deploy");
    let deployment = fs::read_dir(deployments)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    let etc = deployment.join("etc");
    fs::write(etc.join("hostname"), "changed\n").unwrap();
    fs::write(etc.join("added.conf"), "mine\n").unwrap();
    fs::set_permissions(etc.join("added.conf"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(etc.join("sub/new")).unwrap();
    fs::write(etc.join("sub/new/deep"), "deep\n").unwrap();
    fs::remove_file(etc.join("motd")).unwrap();
    fs::remove_file(etc.join("link")).unwrap();
    symlink("hostname", etc.join("link")).unwrap();
    fs::write(root.join("ostree/deploy/willow/var/state"), "state\n").unwrap();
}
