//! Our deploy killed before every single call that changes the file system: at each of these moments what
//! booted before still boots, or what was to boot does, and the next deploy works.
//!
//! `OSIER_KILL_EVERY=1` tries each call, the default every seventh.

use osier_conformance::{Scratch, commit, killed, root_or_skip, text};
use osier_testkit::tool::Tool;
use osier_testkit::{sysroot, trees};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Lab {
    scratch: Scratch,
    tool: Tool,
}

impl Lab {
    fn new() -> Option<Lab> {
        if !root_or_skip() {
            return None;
        }
        let tool = killed::tool()?.env("OSTREE_SYSROOT_DEBUG", "mutable-deployments");
        Some(Lab {
            scratch: Scratch::new(),
            tool,
        })
    }

    /// A sysroot with versions 1 and 2 (other kernel) and 3 (kernel of 2) committed and version 1 deployed.
    fn base(&self) -> PathBuf {
        let root = self.scratch.path("base");
        fs::create_dir(&root).unwrap();
        self.tool.ok(["admin", "init-fs", "--modern", text(&root)]);
        self.admin(&root, &["os-init", "willow"]);
        let repo = root.join("ostree/repo");
        self.tool
            .repo(&repo)
            .ok(["config", "set", "core.fsync", "false"]);
        for (version, kernel) in [("1", "6.1"), ("2", "6.2"), ("3", "6.2")] {
            let tree = trees::os(
                &self.scratch.path(format!("tree-{version}")),
                version,
                kernel,
            )
            .unwrap();
            commit(
                &self.tool,
                &repo,
                &format!("os/{version}"),
                tree.path(),
                &[],
            );
        }
        self.admin(
            &root,
            &["deploy", "--os=willow", "--karg=root=LABEL=x", "os/1"],
        );
        root
    }

    fn arg(root: &Path) -> String {
        format!("--sysroot={}", text(root))
    }

    fn admin(&self, root: &Path, args: &[&str]) -> String {
        self.tool.ok(["admin", &Lab::arg(root)].iter().chain(args))
    }

    /// Kills `args` at ever later calls, each time on a fresh copy of `base`; after each kill the machine must boot
    /// into one of `versions`, if it `boots` at all, and the command must work.
    fn kill_everywhere(
        &self,
        base: &Path,
        args: &[&str],
        versions: &[&str],
        boots: impl Fn(&Path) -> bool,
    ) {
        killed::everywhere(&format!("{args:?}"), |number| {
            let root = self.scratch.path("run");
            copy(base, &root);
            let command = self
                .tool
                .command(["admin", &Lab::arg(&root)].iter().chain(args));
            let killed = killed::run(&command, number);
            let what = format!("{args:?} killed at call {number}");
            if boots(&root) {
                check_bootable(&root, versions, &what);
            }
            self.admin(&root, args);
            check_bootable(&root, versions, &what);
            check_clean(&root, &what);
            self.tool.repo(root.join("ostree/repo")).ok(["fsck", "-q"]);
            fs::remove_dir_all(&root).unwrap();
            killed
        });
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Every entry there is leads to a whole kernel, initramfs and root; the first boots one of `versions`.
fn check_bootable(root: &Path, versions: &[&str], what: &str) {
    let entries = sysroot::boot_entries(root).unwrap();
    assert!(!entries.is_empty(), "{what}: no boot entry");
    let mut best = (0, String::new());
    for (name, entry) in &entries {
        let field = |key: &str| {
            entry
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
                .unwrap_or_else(|| panic!("{what}: {name} has no {key}:\n{entry}"))
        };
        let link = field("options")
            .split(' ')
            .find_map(|option| option.strip_prefix("ostree=/"))
            .unwrap();
        assert!(field("options").contains("root=LABEL=x"), "{what}: {entry}");
        let tree = root.join(link);
        let release = fs::read_to_string(tree.join("usr/lib/os-release"))
            .unwrap_or_else(|e| panic!("{what}: {e}: {entry}"));
        let version = release
            .lines()
            .find_map(|line| line.strip_prefix("VERSION="))
            .unwrap();
        for key in ["linux", "initrd"] {
            let in_boot = root.join("boot").join(&field(key)[1..]);
            let modules =
                tree.join("usr/lib/modules")
                    .join(if version == "1" { "6.1" } else { "6.2" });
            let in_tree = modules.join(if key == "linux" {
                "vmlinuz"
            } else {
                "initramfs.img"
            });
            let read = |path: &Path| {
                fs::read(path).unwrap_or_else(|e| panic!("{what}: {}: {e}", path.display()))
            };
            assert_eq!(read(&in_boot), read(&in_tree), "{what}: {entry}");
        }
        for file in ["etc/hosts", "usr/etc/hosts", "etc/motd", "usr/bin/sh"] {
            assert!(
                tree.join(file).is_file(),
                "{what}: {file} is missing: {entry}"
            );
        }
        let order: u32 = field("version").parse().unwrap();
        if order > best.0 {
            best = (order, version.to_owned());
        }
    }
    assert!(
        versions.contains(&best.1.as_str()),
        "{what}: boots version {}",
        best.1
    );
}

/// Nothing of the killed run is left.
fn check_clean(root: &Path, what: &str) {
    let entries = sysroot::boot_entries(root).unwrap().len();
    let deployments = sysroot::deployments(root, "willow").unwrap();
    assert_eq!(deployments.len(), entries, "{what}: {deployments:?}");
    let count = |path: &str| fs::read_dir(root.join(path)).unwrap().count();
    assert_eq!(
        count("ostree/deploy/willow/backing"),
        entries,
        "{what}: backing folders"
    );
    let names = |path: &str| -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(root.join(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "ostree")
            .collect();
        names.sort();
        names
    };
    // One boot version, one set of links, no temporary file.
    let boot = names("boot");
    assert_eq!(boot.len(), 3, "{what}: {boot:?}");
    let ostree = names("ostree");
    assert_eq!(ostree.len(), 4, "{what}: {ostree:?}");
    let stateroot = names("ostree/deploy/willow");
    assert_eq!(stateroot, ["backing", "deploy", "var"], "{what}");
}

#[test]
fn a_new_kernel() {
    let Some(lab) = Lab::new() else { return };
    let base = lab.base();
    lab.kill_everywhere(
        &base,
        &["deploy", "--os=willow", "os/2"],
        &["1", "2"],
        |_| true,
    );
}

#[test]
fn the_same_kernel_again() {
    let Some(lab) = Lab::new() else { return };
    let base = lab.base();
    lab.admin(&base, &["deploy", "--os=willow", "os/2"]);
    lab.admin(&base, &["deploy", "--os=willow", "os/3"]);
    // From here on only bootlinks change.
    lab.kill_everywhere(&base, &["deploy", "--os=willow", "os/3"], &["3"], |_| true);
}

#[test]
fn the_first_deployment_leaves_none_or_a_whole_one() {
    let Some(lab) = Lab::new() else { return };
    let base = lab.base();
    lab.admin(&base, &["undeploy", "0"]);
    let args = ["deploy", "--os=willow", "--karg=root=LABEL=x", "os/1"];
    lab.kill_everywhere(&base, &args, &["1"], |root| {
        !sysroot::boot_entries(root).unwrap().is_empty()
    });
}
