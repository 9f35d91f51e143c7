//! A sysroot deployed by one tool is upgraded, rolled back and cleaned by the other.

use osier_conformance::{Scratch, both_ways, commit, root_or_skip, text};
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{repo, sysroot, trees};
use std::fs;
use std::path::{Path, PathBuf};

/// A sysroot with the stateroot `willow`, and tools that leave deployments removable.
struct Machine {
    scratch: Scratch,
    root: PathBuf,
    arg: String,
}

impl Machine {
    fn new(maker: &Tool) -> Machine {
        let scratch = Scratch::new();
        let root = scratch.path("sysroot");
        fs::create_dir(&root).unwrap();
        maker.ok(["admin", "init-fs", text(&root)]);
        let arg = format!("--sysroot={}", text(&root));
        maker.ok(["admin", &arg, "os-init", "willow"]);
        Machine { scratch, root, arg }
    }

    fn repo(&self) -> PathBuf {
        self.root.join("ostree/repo")
    }

    /// Commits version `version` with kernel `kernel` to the branch `os`.
    fn publish(&self, tool: &Tool, version: &str, kernel: &str) -> String {
        let tree = trees::os(&self.scratch.path(format!("os-{version}")), version, kernel).unwrap();
        commit(
            tool,
            &self.repo(),
            "os",
            tree.path(),
            &[&format!("--add-metadata-string=version={version}")],
        )
    }

    fn admin(&self, tool: &Tool, args: &[&str]) -> String {
        tool.ok(["admin", &self.arg].iter().chain(args))
    }

    /// The deployment directory that boot entry `index` (0 is the default) leads to.
    fn booted_by(&self, index: usize) -> Tree {
        let entries = sysroot::boot_entries(&self.root).unwrap();
        let mut by_version: Vec<(u32, String)> = entries
            .into_iter()
            .map(|(_, entry)| {
                (
                    field(&entry, "version").parse().unwrap(),
                    field(&entry, "options"),
                )
            })
            .collect();
        by_version.sort();
        by_version.reverse();
        let options = &by_version[index].1;
        let link = options
            .split(' ')
            .find_map(|option| option.strip_prefix("ostree=/"))
            .unwrap();
        Tree::existing(self.root.join(link).canonicalize().unwrap())
    }

    fn read(&self, index: usize, path: &str) -> String {
        fs::read_to_string(self.booted_by(index).join(path)).unwrap()
    }
}

fn field(entry: &str, key: &str) -> String {
    let line = entry
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {key} in\n{entry}"))
        .to_owned()
}

fn pairs() -> Vec<(Tool, Tool)> {
    if !root_or_skip() {
        return Vec::new();
    }
    let removable = |tool: Tool| tool.env("OSTREE_SYSROOT_DEBUG", "mutable-deployments");
    both_ways()
        .into_iter()
        .map(|(a, b)| (removable(a), removable(b)))
        .collect()
}

#[test]
fn each_deploys_in_a_sysroot_that_the_other_made() {
    for (maker, deployer) in pairs() {
        let machine = Machine::new(&maker);
        let first = machine.publish(&maker, "1", "6.1");
        machine.admin(
            &deployer,
            &[
                "deploy",
                "--os=willow",
                "--karg=root=LABEL=root",
                "--karg=rw",
                "os",
            ],
        );
        let entries = sysroot::boot_entries(&machine.root).unwrap();
        assert_eq!(entries.len(), 1);
        let options = field(&entries[0].1, "options");
        assert!(options.starts_with("root=LABEL=root rw"), "{options}");
        assert!(
            field(&entries[0].1, "title").contains("Willow 1"),
            "{}",
            entries[0].1
        );
        let linux = field(&entries[0].1, "linux");
        assert_eq!(
            fs::read_to_string(machine.root.join("boot").join(&linux[1..])).unwrap(),
            "kernel 6.1\n"
        );
        let deployed = machine.booted_by(0);
        assert!(
            deployed.path().ends_with(format!("{first}.0")),
            "{}",
            deployed.path().display()
        );
        assert_eq!(machine.read(0, "etc/motd"), "Welcome to Willow 1\n");
        assert_eq!(machine.read(0, "usr/etc/motd"), "Welcome to Willow 1\n");
        // Files of the deployment are links to the objects.
        let objects = Snapshot::of(&machine.repo().join("objects")).unwrap();
        let inodes: Vec<_> = objects.entries.values().map(|entry| entry.inode).collect();
        let snapshot = Snapshot::of(deployed.path()).unwrap();
        assert!(inodes.contains(&snapshot.entries[Path::new("usr/bin/sh")].inode));
        assert!(
            !inodes.contains(&snapshot.entries[Path::new("etc/hosts")].inode),
            "/etc must be copies"
        );
        for tool in [&maker, &deployer] {
            assert!(
                machine
                    .admin(tool, &["status"])
                    .contains(&format!("willow {first}.0"))
            );
            tool.repo(machine.repo()).ok(["fsck", "-q"]);
        }
    }
}

#[test]
fn each_upgrades_what_the_other_deployed() {
    for (deployer, upgrader) in pairs() {
        let machine = Machine::new(&deployer);
        let origin = machine.scratch.init(&deployer, "origin", "archive");
        let publish = |tool: &Tool, version: &str, kernel: &str| {
            let tree = trees::os(
                &machine.scratch.path(format!("pub-{version}")),
                version,
                kernel,
            )
            .unwrap();
            commit(
                tool,
                &origin,
                "os",
                tree.path(),
                &[&format!("--add-metadata-string=version={version}")],
            )
        };
        let server = osier_testkit::httpd::Server::serve(&origin).unwrap();
        let first = publish(&deployer, "1", "6.1");
        deployer
            .repo(machine.repo())
            .ok(["remote", "add", "--no-gpg-verify", "up", &server.url()]);
        deployer.repo(machine.repo()).ok(["pull", "up", "os"]);
        machine.admin(
            &deployer,
            &["deploy", "--os=willow", "--karg=root=LABEL=root", "up:os"],
        );

        // The admin edits /etc and writes in /var.
        let deployed = machine.booted_by(0);
        deployed.file("etc/hostname", "renamed\n").unwrap();
        deployed
            .file("etc/added.conf", "mine\n")
            .unwrap()
            .mode("etc/added.conf", 0o600)
            .unwrap();
        deployed.remove("etc/only-default").unwrap();
        let var = machine.root.join("ostree/deploy/willow/var");
        fs::write(var.join("state"), "kept\n").unwrap();

        let second = publish(&deployer, "2", "6.2");
        let said = machine.admin(&upgrader, &["upgrade", "--os=willow"]);
        assert!(
            said.contains("Copying /etc changes: 1 modified, 1 removed, 1 added"),
            "{said}"
        );
        assert!(machine.booted_by(0).path().ends_with(format!("{second}.0")));
        assert!(machine.booted_by(1).path().ends_with(format!("{first}.0")));
        assert_eq!(machine.read(0, "etc/hostname"), "renamed\n");
        assert_eq!(machine.read(0, "etc/added.conf"), "mine\n");
        assert_eq!(machine.read(0, "etc/motd"), "Welcome to Willow 2\n");
        assert!(!machine.booted_by(0).join("etc/only-default").exists());
        assert_eq!(machine.read(1, "etc/motd"), "Welcome to Willow 1\n");
        assert_eq!(fs::read_to_string(var.join("state")).unwrap(), "kept\n");
        let entries = sysroot::boot_entries(&machine.root).unwrap();
        assert_eq!(entries.len(), 2);
        for (name, entry) in &entries {
            assert!(
                field(entry, "options").contains("root=LABEL=root"),
                "{name}: {entry}"
            );
            assert!(
                machine
                    .root
                    .join("boot")
                    .join(&field(entry, "initrd")[1..])
                    .is_file(),
                "{name}"
            );
        }

        // Nothing newer: nothing happens.
        let again = machine.admin(&upgrader, &["upgrade", "--os=willow"]);
        assert!(again.contains("No update available"), "{again}");

        // Roll back with the first tool, then clean with the second.
        let set_default = ["admin", &machine.arg, "set-default", "1"];
        let done = [&deployer, &upgrader].into_iter().any(|tool| {
            let outcome = tool.run(set_default);
            let unknown = outcome.stderr.contains("Unknown \"admin\" subcommand");
            assert!(unknown || outcome.code == 0, "{outcome}");
            !unknown
        });
        if !done {
            // Neither knows the command: this is an old C tool judged against itself.
            return;
        }
        assert!(machine.booted_by(0).path().ends_with(format!("{first}.0")));
        machine.admin(&upgrader, &["undeploy", "1"]);
        assert_eq!(sysroot::boot_entries(&machine.root).unwrap().len(), 1);
        let left = sysroot::deployments(&machine.root, "willow").unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
        let kernels = fs::read_dir(machine.root.join("boot/ostree"))
            .unwrap()
            .count();
        assert_eq!(kernels, 1, "the kernel of the undeployed version is gone");
        machine.admin(&deployer, &["cleanup"]);
        for tool in [&deployer, &upgrader] {
            tool.repo(machine.repo()).ok(["fsck", "-q"]);
            assert!(machine.admin(tool, &["status"]).contains(&first));
        }
    }
}

#[test]
fn the_same_kernel_swaps_links_only() {
    for (first, second) in pairs() {
        let machine = Machine::new(&first);
        machine.publish(&first, "1", "6.1");
        machine.admin(&first, &["deploy", "--os=willow", "os"]);
        machine.publish(&first, "2", "6.1");
        machine.admin(&second, &["deploy", "--os=willow", "os"]);
        machine.publish(&second, "3", "6.1");
        machine.admin(&first, &["deploy", "--os=willow", "os"]);
        assert_eq!(machine.read(0, "etc/motd"), "Welcome to Willow 3\n");
        assert_eq!(
            fs::read_dir(machine.root.join("boot/ostree"))
                .unwrap()
                .count(),
            1
        );
        let names = repo::object_names(&machine.repo()).unwrap();
        let commits = names
            .iter()
            .filter(|name| name.ends_with(".commit"))
            .count();
        assert!(commits <= 2, "the first version's commit was not pruned");
    }
}

#[test]
fn etc_merges_leave_the_same_files() {
    let Some((ours, c)) = pairs().into_iter().next() else {
        return;
    };
    let merged = [&ours, &c].map(|tool| {
        let machine = Machine::new(tool);
        machine.publish(tool, "1", "6.1");
        machine.admin(tool, &["deploy", "--os=willow", "os"]);
        let etc = machine.booted_by(0);
        etc.file("etc/motd", "my motd\n").unwrap();
        etc.mode("etc/hosts", 0o600).unwrap();
        etc.remove("etc/ssh").unwrap();
        etc.file("etc/conf.d/a", "a\n")
            .unwrap()
            .mode("etc/conf.d", 0o750)
            .unwrap();
        etc.symlink("etc/conf.d/link", "/var/lib/x").unwrap();
        etc.remove("etc/hostname")
            .unwrap()
            .symlink("etc/hostname", "conf.d/a")
            .unwrap();
        etc.owner("etc/shadow", 0, 42).unwrap();
        etc.dir("etc/empty-dir", 0o700).unwrap();
        machine.publish(tool, "2", "6.2");
        machine.admin(tool, &["deploy", "--os=willow", "os"]);
        Snapshot::of(&machine.booted_by(0).join("etc")).unwrap()
    });
    assert_eq!(merged[0].differences(&merged[1]), [""; 0]);
}

#[test]
fn errors_exit_alike_and_change_nothing() {
    let Some((ours, c)) = pairs().into_iter().next() else {
        return;
    };
    for args in [
        &["deploy", "--os=willow", "nosuch"][..],
        &["deploy", "--os=nosuch", "os"],
        &["deploy", "os"],
        &["undeploy", "7"],
        &["set-default", "7"],
        &["upgrade", "--os=nosuch"],
        &["upgrade", "--os=willow"],
        &["os-init", "willow"],
        &["os-init"],
        &["nosuch"],
    ] {
        let [our, c] = [&ours, &c].map(|tool| {
            let machine = Machine::new(tool);
            machine.publish(tool, "1", "6.1");
            machine.admin(tool, &["deploy", "--os=willow", "os"]);
            let boot = Snapshot::of(&machine.root.join("boot")).unwrap();
            let outcome = tool.run(["admin", &machine.arg].iter().chain(args));
            let now = Snapshot::of(&machine.root.join("boot")).unwrap();
            assert_eq!(boot.differences(&now), [""; 0], "{outcome}");
            assert_eq!(
                sysroot::deployments(&machine.root, "willow").unwrap().len(),
                1,
                "{outcome}"
            );
            outcome
        });
        assert_eq!(our.code, c.code, "{our}{c}");
    }
}
