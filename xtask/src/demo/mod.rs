//! `cargo xtask demo`: an operating system goes from a build server to a device, is upgraded and rolled back, told
//! step by step with the commands one would type, and checked at the end.

mod change;
mod check;
mod debian;
mod kernel;
mod scratch;
mod select;
mod stage;
mod tree;

use crate::paths;
use anyhow::{Context, Result, ensure};
use change::CONFIGS;
use check::{BootEntry, Checks, DiskUse};
pub use debian::build_pair as build_debian_pair;
use osier_testkit::{httpd::Server, tool};
use scratch::Scratch;
pub use scratch::in_memory;
use select::Limits;
use stage::{Show, Stage, bytes, count, percent, seconds};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;
pub use tree::Size;

/// The branch that the build server publishes.
const BRANCH: &str = "demo/stable";

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Ship a Debian system made by mmdebstrap instead of this machine's /usr
    #[arg(long)]
    debian: bool,
    /// Leave the demo's folder there, to look around in it
    #[arg(long)]
    keep: bool,
    /// Make the demo's folder in this one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A few hundred files only
    #[arg(long)]
    quick: bool,
    /// Only make the tree, as DIR, and say how large it is
    #[arg(long, value_name = "DIR", conflicts_with_all = ["debian", "keep", "dir"])]
    only_tree: Option<PathBuf>,
}

/// Tells the story; false when something is not as told.
pub fn run(args: &Args) -> Result<bool> {
    let limits = if args.quick {
        Limits::QUICK
    } else {
        Limits::NORMAL
    };
    if let Some(path) = &args.only_tree {
        let kernel = tree::from_this_machine(path, limits)?;
        let size = Size::of(path)?;
        println!(
            "{} files, {}; kernel: {}",
            count(size.files),
            bytes(size.bytes),
            kernel.describe()
        );
        return Ok(true);
    }
    let program = program()?;
    let scratch = Scratch::new(args.dir.as_deref(), limits)?;
    let started = Instant::now();
    let mut demo = Demo::new(&program, &scratch);
    let told = demo.tell(args.debian);
    let passed = told.is_ok() && demo.verdict();
    if told.is_ok() {
        println!();
        println!(
            "{} in {}.",
            if passed {
                "All as told"
            } else {
                "Not everything is as told"
            },
            seconds(started.elapsed())
        );
    }
    if args.keep {
        let place = scratch.keep();
        println!();
        println!("Everything is in {}; try", place.display());
        println!(
            "   {} admin --sysroot={}/sysroot status",
            program.display(),
            place.display()
        );
    } else {
        if std::io::stderr().is_terminal() {
            eprintln!("Removing {} ...", scratch.path().display());
        }
        scratch.remove()?;
    }
    told?;
    Ok(passed)
}

/// The `ostree` to show: the one that the tests name, else a fresh release build.
pub fn program() -> Result<PathBuf> {
    match std::env::var_os(tool::OURS) {
        Some(program) => Ok(std::path::absolute(program)?),
        None => {
            eprintln!("Building ostree (release) ...");
            Ok(paths::build_release()?.join("ostree"))
        }
    }
}

struct Demo {
    stage: Stage,
    folder: PathBuf,
    limits: Limits,
    /// An ordinary user owns all files, and cannot give them to others.
    as_root: bool,
    checks: Checks,
}

/// What the build server signs with: a key for tests that RFC 8032 prints, so known to everybody.
const SECRET_KEY: &str =
    "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";
/// Its public half, which devices trust.
const PUBLIC_KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// What a pull moved.
#[derive(Clone, Copy)]
struct Wire {
    requests: u64,
    bytes: u64,
}

impl Demo {
    fn new(program: &Path, scratch: &Scratch) -> Demo {
        Demo {
            stage: Stage::new(program, scratch.path()),
            folder: scratch.path().to_owned(),
            limits: scratch.limits,
            as_root: rustix::process::geteuid().is_root(),
            checks: Checks::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn tell(&mut self, debian: bool) -> Result<()> {
        self.stage
            .title("Osier demo: an operating system, from the build server to a device and back");
        self.stage.say(&format!(
            "Everything happens in {}{}, as {}; this system is not touched.",
            self.folder.display(),
            if in_memory(&self.folder) {
                " (in memory)"
            } else {
                ""
            },
            if self.as_root {
                "root"
            } else {
                "an ordinary user"
            }
        ));
        let kernel = self.make_tree(debian)?;
        let kernel = kernel.folder(&self.path("tree")).join("vmlinuz");
        let size = Size::of(&self.path("tree"))?;

        let first = self.commit_first(size)?;
        let server = Server::serve(&self.path("server")).context("starting the web server")?;
        let first_wire = self.install(&server)?;
        let after_pull = DiskUse::of(&self.path("sysroot"))?;
        let one = self.deploy(&first, size, &kernel)?;
        let after_first = DiskUse::of(&self.path("sysroot"))?;
        self.stage.say(&format!(
            "The device now holds {}: {} of objects, and {} for the deployment, whose files are hard links.",
            bytes(after_first.total()),
            bytes(after_pull.total()),
            bytes(after_first.since(after_pull).total())
        ));

        self.edit(&one)?;
        let (second, changes) = self.commit_second(size)?;
        self.make_delta()?;
        let (two, second_wire) = self.upgrade(&server, &second)?;
        let cost = DiskUse::of(&self.path("sysroot"))?.since(after_first);
        self.compare(&one, &two, &changes)?;
        self.merged(&one, &two)?;
        self.menu(&[&two, &one], &kernel)?;
        self.bill([first_wire, second_wire], after_first, cost);
        self.roll_back(&one, &two, &kernel)?;
        self.intrude(&second)
    }

    fn make_tree(&mut self, debian: bool) -> Result<kernel::Kernel> {
        let source = if debian {
            "a Debian system"
        } else {
            "copied from this machine's /usr and /etc"
        };
        self.stage.step("The operating system");
        let started = Instant::now();
        let tree = self.path("tree");
        if debian {
            self.stage
                .say("mmdebstrap downloads and unpacks a Debian system, which takes minutes.");
        }
        let kernel = if debian {
            debian::build(&tree, &self.folder)?
        } else {
            tree::from_this_machine(&tree, self.limits)?
        };
        change::first_version(&tree)?;
        let size = Size::of(&tree)?;
        self.stage.table(&[
            (
                "tree",
                format!(
                    "{} files in {} folders, {}, {source}",
                    count(size.files),
                    count(size.folders),
                    bytes(size.bytes)
                ),
            ),
            ("kernel", kernel.describe()),
            ("time", seconds(started.elapsed())),
        ]);
        Ok(kernel)
    }

    /// Gives the commit's checksum.
    fn commit(&self, version: &str) -> Result<String> {
        let (subject, version) = (
            format!("--subject=Version {version}"),
            format!("--add-metadata-string=version=demo-{version}"),
        );
        let branch = format!("--branch={BRANCH}");
        let mut args = vec![
            "--repo=server",
            "commit",
            &branch,
            &subject,
            &version,
            "--sign-type=ed25519",
            "--sign-from-file=signing.key",
        ];
        if !self.as_root {
            // What an ordinary user can check out again: no owners, no setuid.
            args.push("--canonical-permissions");
        }
        args.push("tree");
        let ran = self.stage.ostree(&args, Show::All)?;
        Ok(ran.stdout.trim().to_owned())
    }

    fn commit_first(&mut self, size: Size) -> Result<String> {
        self.stage
            .step("The build server commits it to a repository");
        self.stage
            .ostree(&["--repo=server", "init", "--mode=archive"], Show::All)?;
        fs::write(self.path("signing.key"), SECRET_KEY)?;
        let commit = self.commit("1")?;
        let stored = Size::of(&self.path("server/objects"))?;
        self.stage.say(&format!(
            "Each file is now a compressed object named by its SHA-256, equal files are one: {} became {}.\n\
             The checksum above names this state of the whole tree, down to the last bit.",
            bytes(size.bytes),
            bytes(stored.bytes)
        ));
        Ok(commit)
    }

    fn install(&mut self, server: &Server) -> Result<Wire> {
        self.stage.step("A new device pulls it");
        self.stage.say(&format!(
            "A plain web server offers the repository's files at {}; any would do.",
            server.url()
        ));
        fs::create_dir(self.path("sysroot"))?;
        let mut init = vec!["admin", "init-fs", "--modern"];
        if !self.as_root {
            init.push("--repo-mode=bare-user-only");
        }
        init.push("sysroot");
        self.stage.ostree(&init, Show::All)?;
        self.stage.ostree(
            &["admin", "--sysroot=sysroot", "stateroot-init", "demo"],
            Show::Nothing,
        )?;
        let url = server.url();
        let device = "--repo=sysroot/ostree/repo";
        let trusted = format!("--sign-verify=ed25519=inline:{PUBLIC_KEY}");
        self.stage.ostree(
            &[
                device,
                "remote",
                "add",
                "--no-gpg-verify",
                &trusted,
                "origin",
                &url,
            ],
            Show::All,
        )?;
        let ran = self
            .stage
            .ostree(&[device, "pull", "origin", BRANCH], Show::Last)?;
        let wire = wire(server);
        self.stage.say(&format!(
            "{} came in {} requests, {} a second.",
            bytes(wire.bytes),
            count(wire.requests),
            bytes(per_second(wire.bytes, ran.time))
        ));
        Ok(wire)
    }

    fn deploy(&mut self, commit: &str, size: Size, kernel: &Path) -> Result<PathBuf> {
        self.stage.step("The device deploys it");
        let refspec = format!("origin:{BRANCH}");
        self.stage.ostree(
            &[
                "admin",
                "--sysroot=sysroot",
                "deploy",
                "--os=demo",
                "--karg=root=LABEL=root",
                "--karg=rw",
                &refspec,
            ],
            Show::Last,
        )?;
        let deployment = self.deployment(commit)?;
        let deployed = Size::of(&deployment.join("usr"))?;
        let made = Size::of(&self.path("tree/usr"))?;
        self.checks.add(
            format!(
                "the deployed /usr has the {} files and {} bytes of the tree",
                count(made.files),
                count(made.bytes)
            ),
            (|| {
                ensure!(deployed == made, "{deployed:?}, expected {made:?}");
                ensure!(
                    made.files <= size.files,
                    "more files in /usr than in the tree"
                );
                Ok(())
            })(),
        );
        self.checks.add(
            "after the first deployment the boot menu has version 1 and its kernel",
            check::boots(&self.path("sysroot"), &[&deployment], kernel),
        );
        Ok(deployment)
    }

    fn deployment(&self, commit: &str) -> Result<PathBuf> {
        let path = self
            .path("sysroot/ostree/deploy/demo/deploy")
            .join(format!("{commit}.0"));
        ensure!(path.is_dir(), "{} is not there", path.display());
        Ok(path)
    }

    fn edit(&mut self, deployment: &Path) -> Result<()> {
        self.stage.step("Its owner edits /etc");
        change::edit(deployment)?;
        self.stage.say(
            "In /etc/demo one file gets other words, one is deleted, one is new. What differs from the defaults:",
        );
        self.stage.ostree(
            &["admin", "--sysroot=sysroot", "config-diff", "--os=demo"],
            Show::All,
        )?;
        Ok(())
    }

    fn commit_second(&mut self, size: Size) -> Result<(String, change::Changes)> {
        self.stage.step("The build server publishes version 2");
        let changes = change::second_version(&self.path("tree"))?;
        let configs = CONFIGS
            .iter()
            .filter(|config| config.shipped != config.shipped_again)
            .count();
        self.stage.say(&format!(
            "{} of {} files changed, {} added, {} removed; three defaults in /etc among them.",
            changes.changed.len() + configs - 1,
            count(size.files),
            changes.added.len() + 1,
            changes.removed.len(),
        ));
        let commit = self.commit("2")?;
        Ok((commit, changes))
    }

    /// For those who have version 1.
    fn make_delta(&mut self) -> Result<()> {
        self.stage.step("It packs what changed into a delta");
        self.stage.ostree(
            &["--repo=server", "static-delta", "generate", BRANCH],
            Show::Nothing,
        )?;
        self.stage
            .ostree(&["--repo=server", "summary", "--update"], Show::Nothing)?;
        let size = Size::of(&self.path("server/deltas"))?;
        self.stage.say(&format!(
            "{} in {} files, in place of all the objects that are new: files that changed a little are patches there.",
            bytes(size.bytes),
            count(size.files)
        ));
        Ok(())
    }

    fn upgrade(&mut self, server: &Server, commit: &str) -> Result<(PathBuf, Wire)> {
        self.stage.step("The device upgrades");
        server.clear_log();
        let before = server.bytes_sent();
        self.stage.ostree(
            &["admin", "--sysroot=sysroot", "upgrade", "--os=demo"],
            Show::All,
        )?;
        let wire = Wire {
            bytes: server.bytes_sent() - before,
            ..wire(server)
        };
        self.stage.say(&format!(
            "It came through the delta: {} in {} requests.",
            bytes(wire.bytes),
            count(wire.requests)
        ));
        let paths = server.paths();
        self.checks.add(
            "the upgrade came through the delta",
            (|| {
                let of = |part: &str| paths.iter().filter(|path| path.starts_with(part)).count();
                ensure!(
                    of("deltas/") > 1,
                    "{} parts of a delta were asked for",
                    of("deltas/")
                );
                // Large files that are new stay outside.
                ensure!(
                    of("objects/") < of("deltas/") + 20,
                    "{} objects were asked for",
                    of("objects/")
                );
                Ok(())
            })(),
        );
        Ok((self.deployment(commit)?, wire))
    }

    /// Version 2 has the changes, version 1 has not, and they share what is the same.
    fn compare(&mut self, one: &Path, two: &Path, changes: &change::Changes) -> Result<()> {
        let tree = self.path("tree");
        let result = (|| {
            for path in changes.changed.iter().chain(&changes.added) {
                check::same_content(&two.join(path), &tree.join(path))?;
            }
            for path in &changes.changed {
                ensure!(
                    fs::read(one.join(path))? != fs::read(two.join(path))?,
                    "{path} changed in version 1 too"
                );
            }
            for path in &changes.added {
                check::holds(&one.join(path), None)?;
            }
            for path in &changes.removed {
                check::holds(&two.join(path), None)?;
                ensure!(one.join(path).exists(), "{path} is gone from version 1");
            }
            Ok(())
        })();
        self.checks.add(
            "the upgrade changed, added and removed the right files, and version 1 is as it was",
            result,
        );
        let same = Path::new("usr/lib/os-release");
        self.checks
            .add("what both versions have lies on the disk once", {
                use std::os::unix::fs::MetadataExt;
                let inode = |root: &Path| anyhow::Ok(fs::symlink_metadata(root.join(same))?.ino());
                let (a, b) = (inode(one)?, inode(two)?);
                (|| {
                    ensure!(a == b, "{} is there twice", same.display());
                    Ok(())
                })()
            });
        Ok(())
    }

    fn merged(&mut self, one: &Path, two: &Path) -> Result<()> {
        self.stage
            .say("The new /etc is the new defaults with your edits on top:");
        let rows: Vec<(&str, String)> = CONFIGS
            .iter()
            .map(|config| {
                let path = two.join("etc").join(change::CONFIG).join(config.name);
                let found = fs::read_to_string(path)
                    .map_or_else(|_| "(none)".to_owned(), |text| text.trim().to_owned());
                (config.name, format!("{found:27}  {}", config.why))
            })
            .collect();
        self.stage.table(&rows);
        for config in &CONFIGS {
            let name = format!("etc/{}/{}", change::CONFIG, config.name);
            self.checks.add(
                format!("/{name}: {}", config.why),
                check::holds(&two.join(&name), config.merged)
                    .and_then(|()| check::holds(&one.join(&name), config.edited)),
            );
        }
        Ok(())
    }

    fn menu(&mut self, deployments: &[&Path], kernel: &Path) -> Result<()> {
        self.stage
            .ostree(&["admin", "--sysroot=sysroot", "status"], Show::All)?;
        self.stage.say("The boot menu, the default first:");
        let sysroot = self.path("sysroot");
        let menu = BootEntry::menu(&sysroot)?;
        let rows: Vec<(&str, String)> = menu
            .iter()
            .map(|entry| {
                let target = entry.deployment(&sysroot)?;
                let name = target.file_name().unwrap_or_default().to_string_lossy();
                let short: String = name.chars().take(12).collect();
                Ok((
                    entry.file.as_str(),
                    format!("{} -> {short}...", entry.title()),
                ))
            })
            .collect::<Result<_>>()?;
        self.stage.table(&rows);
        self.checks.add(
            "after the upgrade the boot menu has version 2, then version 1",
            check::boots(&sysroot, deployments, kernel),
        );
        Ok(())
    }

    fn bill(&mut self, wire: [Wire; 2], first: DiskUse, second: DiskUse) {
        self.stage
            .step("What version 2 cost, compared with version 1");
        let [one, two] = wire;
        self.stage.table(&[
            (
                "on the wire",
                format!(
                    "{} in {} requests, {} of the {} of version 1",
                    bytes(two.bytes),
                    count(two.requests),
                    percent(two.bytes, one.bytes),
                    bytes(one.bytes)
                ),
            ),
            (
                "stored",
                format!(
                    "{} of files{}, {} of the {} of version 1",
                    bytes(second.files),
                    // In memory folders take no blocks.
                    match second.folders {
                        0 => String::new(),
                        folders => format!(" and {} of folders", bytes(folders)),
                    },
                    percent(second.total(), first.total()),
                    bytes(first.total())
                ),
            ),
        ]);
        self.checks.add(
            "version 2 cost less than a quarter of version 1 on the wire",
            (|| {
                ensure!(
                    two.bytes * 4 < one.bytes,
                    "{} after {} bytes",
                    two.bytes,
                    one.bytes
                );
                Ok(())
            })(),
        );
    }

    fn roll_back(&mut self, one: &Path, two: &Path, kernel: &Path) -> Result<()> {
        let sysroot = self.path("sysroot");
        self.stage
            .step("Version 2 does not please: back to version 1");
        self.stage.ostree(
            &["admin", "--sysroot=sysroot", "set-default", "1"],
            Show::Last,
        )?;
        self.checks.add(
            "after the rollback the boot menu has version 1, then version 2",
            check::boots(&sysroot, &[one, two], kernel),
        );
        let greeting = &CONFIGS[0];
        self.checks.add(
            "version 1 came back with your edits",
            check::holds(
                &one.join("etc").join(change::CONFIG).join(greeting.name),
                greeting.edited,
            ),
        );
        self.stage
            .say("The next boot starts version 1, with your /etc. Version 2 can go:");
        self.stage
            .ostree(&["admin", "--sysroot=sysroot", "undeploy", "1"], Show::Last)?;
        self.checks.add(
            "after undeploying version 2 only version 1 is left",
            check::boots(&sysroot, &[one], kernel)
                .and_then(|()| check::holds(&two.join("usr/lib/os-release"), None)),
        );

        self.stage.step("Every object is checked against its name");
        for (repo, what) in [
            ("--repo=server", "the server's repository passes fsck"),
            (
                "--repo=sysroot/ostree/repo",
                "the device's repository passes fsck",
            ),
        ] {
            let ran = self.stage.ostree(&[repo, "fsck"], Show::Last);
            self.checks.add(what, ran.map(drop));
        }
        self.stage
            .step("The server's disk fails; the device has what it lost");
        let lost = damage_a_shared_object(&self.path("server"), &self.path("sysroot/ostree/repo"))?;
        self.stage.say(&format!("Overwritten: {lost}"));
        let mended = self.stage.ostree(
            &["--repo=server", "fsck", "--repair=sysroot/ostree/repo"],
            Show::Last,
        );
        let whole = mended.and_then(|_| self.stage.ostree(&["--repo=server", "fsck"], Show::Last));
        self.checks.add(
            "the damaged object was fetched back from the device's repository",
            whole.map(drop),
        );
        Ok(())
    }

    /// Who takes the server over has no key that devices trust.
    fn intrude(&mut self, second: &str) -> Result<()> {
        self.stage
            .step("Somebody breaks into the server and publishes version 3");
        let device = "--repo=sysroot/ostree/repo";
        let (branch, tree) = (format!("--branch={BRANCH}"), format!("--tree=ref={BRANCH}"));
        self.stage.ostree(
            &[
                "--repo=server",
                "commit",
                &branch,
                &tree,
                "--subject=Trust me",
            ],
            Show::All,
        )?;
        // Where there is a summary, clients learn of new versions from it.
        self.stage
            .ostree(&["--repo=server", "summary", "--update"], Show::Nothing)?;
        let refused = match self
            .stage
            .ostree(&[device, "pull", "origin", BRANCH], Show::Last)
        {
            Ok(_) => Err(anyhow::anyhow!("it was pulled")),
            Err(error) => {
                let text = format!("{error:#}");
                self.stage
                    .say(text.lines().last().unwrap_or("refused without a word"));
                match text.contains("Can't verify commit") {
                    true => Ok(()),
                    false => Err(error),
                }
            }
        };
        self.checks.add(
            "a commit without the server's signature is refused",
            refused,
        );
        let refspec = format!("origin:{BRANCH}");
        let now = self
            .stage
            .ostree(&[device, "rev-parse", &refspec], Show::All)?;
        self.checks.add("the device's ref has not moved", {
            match now.stdout.trim() == second {
                true => Ok(()),
                false => Err(anyhow::anyhow!("it is at {}", now.stdout.trim())),
            }
        });
        Ok(())
    }

    /// Reports every check; true when all passed.
    fn verdict(&self) -> bool {
        self.stage.part("Is it all true?");
        let mut passed = true;
        for (what, result) in self.checks.results() {
            self.stage.verdict(result.is_ok(), what);
            if let Err(error) = result {
                passed = false;
                self.stage.say(&format!("     {error:#}"));
            }
        }
        passed
    }
}

/// Overwrites a compressed object of the archive that the other repository has, too; gives its path in the archive.
fn damage_a_shared_object(archive: &Path, other: &Path) -> Result<String> {
    for prefix in fs::read_dir(archive.join("objects"))? {
        for object in fs::read_dir(prefix?.path())? {
            let path = object?.path();
            let inside = path.strip_prefix(archive)?;
            let shared = path.extension().is_some_and(|ext| ext == "filez")
                && other.join(inside.with_extension("file")).exists();
            if shared {
                fs::write(&path, "not what it was")?;
                return Ok(inside.display().to_string());
            }
        }
    }
    anyhow::bail!("the two repositories share no file")
}

fn wire(server: &Server) -> Wire {
    Wire {
        requests: server.log().len() as u64,
        bytes: server.bytes_sent(),
    }
}

fn per_second(bytes: u64, time: std::time::Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1000) / millis
}
