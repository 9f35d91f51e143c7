//! A Debian system as the demo's tree: what `--debian` asks for.

use super::kernel::Kernel;
use super::tree;
use crate::{paths, process};
use anyhow::{Context, Result, bail, ensure};
use osier_testkit::tree::Tree;
use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a small bootable Debian has.
const PACKAGES: &str =
    "systemd-sysv,udev,dbus,kmod,initramfs-tools,zstd,iproute2,ca-certificates,less";

/// Lets mmdebstrap make a Debian system and arranges it at `path`. `scratch` is a folder on the same file system.
pub fn build(path: &Path, scratch: &Path) -> Result<Kernel> {
    ensure!(
        paths::find_program("mmdebstrap").is_some(),
        "--debian needs mmdebstrap: apt-get install mmdebstrap"
    );
    build_from(path, scratch, &[])
}

/// Two states of the same release: as it was published, and with all security updates, a newer kernel among them.
pub fn build_pair(old: &Path, new: &Path, scratch: &Path) -> Result<()> {
    ensure!(
        paths::find_program("mmdebstrap").is_some(),
        "two Debian trees need mmdebstrap: apt-get install mmdebstrap (or name trees that are there)"
    );
    build_from(old, scratch, &[])?;
    let [suite, mirror] = source();
    let security = format!(
        "deb {}-security {suite}-security main",
        mirror.trim_end_matches('/')
    );
    build_from(new, scratch, &[security])?;
    Ok(())
}

fn build_from(path: &Path, scratch: &Path, more_sources: &[String]) -> Result<Kernel> {
    let raw = scratch.join("debian");
    fs::create_dir(&raw)?;
    bootstrap(&raw, more_sources)?;
    let kernel = Kernel::below(&raw);
    arrange(&raw, path, &kernel)?;
    Ok(kernel)
}

/// As an archive, so that an ordinary user, for whom mmdebstrap works in a user namespace, owns what comes out.
fn bootstrap(raw: &Path, more_sources: &[String]) -> Result<()> {
    let kernel = format!("linux-image-{}", debian_architecture()?);
    let [suite, mirror] = source();
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--variant=important", "--format=tar"])
        // The mirror may be a snapshot.
        .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
        .arg(format!("--include={PACKAGES},{kernel}"))
        .args([suite.as_str(), "-", &mirror])
        .args(more_sources)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if !std::io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    let mut debian = command.spawn().context("starting mmdebstrap")?;
    let archive = debian.stdout.take().context("mmdebstrap has no output")?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--file=-", "--exclude=./dev/*", "--directory"])
        .arg(raw)
        .stdin(archive);
    if rustix::process::geteuid().is_root() {
        tar.args([
            "--numeric-owner",
            "--same-owner",
            "--xattrs",
            "--xattrs-include=*",
        ]);
    } else {
        tar.arg("--no-same-owner");
    }
    let unpacked = process::run(&mut tar);
    let status = debian.wait()?;
    if !status.success() {
        bail!("mmdebstrap: {status}");
    }
    unpacked
}

/// From the layout of a running Debian to that of a deployable tree.
fn arrange(raw: &Path, path: &Path, kernel: &Kernel) -> Result<()> {
    let tree = Tree::create(path)?;
    fs::rename(raw.join("usr"), tree.join("usr")).context("moving /usr")?;
    fs::rename(raw.join("etc"), tree.join("usr/etc")).context("moving /etc")?;
    for machines in ["machine-id", "hostname", "resolv.conf"] {
        if fs::symlink_metadata(tree.join("usr/etc").join(machines)).is_ok() {
            tree.remove(&format!("usr/etc/{machines}"))?;
        }
    }
    kernel.install(path)?;
    tree::top_level(&tree, raw)?;
    fs::remove_dir_all(raw).with_context(|| format!("removing {}", raw.display()))
}

fn debian_architecture() -> Result<String> {
    let name = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    Ok(name.trim().to_owned())
}

/// The machine's own release and mirror where it is a Debian, else Debian's own.
fn source() -> [String; 2] {
    let text = fs::read_to_string("/usr/lib/os-release").unwrap_or_default();
    let field = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.trim_matches('"').to_owned()))
    };
    let default = "http://deb.debian.org/debian".to_owned();
    match (field("ID").as_deref(), field("VERSION_CODENAME")) {
        (Some("debian"), Some(suite)) => [suite, mirror().unwrap_or(default)],
        _ => ["stable".to_owned(), default],
    }
}

/// The first mirror of the machine's package manager.
fn mirror() -> Option<String> {
    let read = |name: &str| fs::read_to_string(format!("/etc/apt/{name}")).unwrap_or_default();
    let deb822 = read("sources.list.d/debian.sources");
    let lines = read("sources.list");
    deb822
        .lines()
        .find_map(|line| line.strip_prefix("URIs:")?.split_whitespace().next())
        .or_else(|| {
            lines
                .lines()
                .filter(|line| line.starts_with("deb "))
                .flat_map(str::split_whitespace)
                .find(|word| word.contains("://"))
        })
        .map(str::to_owned)
}
