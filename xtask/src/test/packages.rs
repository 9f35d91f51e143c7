//! The Debian packages that tests need as peers.

use crate::{paths, process};
use anyhow::Result;
use std::process::{Command, Stdio};

/// What the tests and the installed scripts start.
const NEEDED: [&str; 26] = [
    "ostree",
    "ostree-tests",
    "attr",
    "gnupg",
    "nginx-light",
    "openssl",
    "iproute2",
    "libcap2-bin",
    "python3-yaml",
    "fuse3",
    "parallel",
    "strace",
    "zsh",
    "fish",
    "man-db",
    "mandoc",
    // A real SELinux policy, only read.
    "selinux-policy-default",
    "libarchive-tools",
    "cpio",
    "btrfs-progs",
    "xfsprogs",
    "openssh-client",
    "openssh-server",
    // Started in namespaces of their own.
    "avahi-daemon",
    "avahi-utils",
    "dbus",
];

/// Installs what is missing, where it may; gives what is still missing then, with the reason printed.
pub fn install(may_install: bool) -> Result<Vec<&'static str>> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(missing);
    }
    let list = missing.join(" ");
    if paths::find_program("apt-get").is_none() {
        println!(
            "This is no Debian machine: the packages {list} cannot be installed; tests that need them are skipped."
        );
        return Ok(missing);
    }
    if !may_install || !rustix::process::geteuid().is_root() {
        println!(
            "Missing Debian packages; tests that need them are skipped. As root: apt-get install {list}"
        );
        return Ok(missing);
    }
    println!("Installing {list}");
    let apt = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null());
        process::run(&mut apt)
    };
    let mut install = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    install.extend(&missing);
    if let Err(error) = apt(&["update", "--quiet=2"]).and_then(|()| apt(&install)) {
        println!("Installing failed ({error:#}); tests that need these packages are skipped.");
    }
    Ok(self::missing())
}

fn missing() -> Vec<&'static str> {
    NEEDED
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect()
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output();
    query.is_ok_and(|output| output.stdout == b"installed")
}
