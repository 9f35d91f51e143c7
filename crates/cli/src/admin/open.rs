//! Opening the sysroot a command works on, and showing what the library has to say.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use osier_sysroot::{LockedSysroot, Notice, Options, Sysroot};

use crate::context::Cx;

/// The sysroot's path: `--sysroot`, else `$OSTREE_SYSROOT`, else `/`.
pub fn path(cx: &Cx) -> Result<PathBuf> {
    let path = match &cx.sysroot {
        Some(path) => path.clone(),
        None => std::env::var_os("OSTREE_SYSROOT")
            .filter(|path| !path.is_empty())
            .map_or_else(|| "/".into(), PathBuf::from),
    };
    // Messages and generated paths name it whatever the current directory is.
    Ok(std::path::absolute(path)?)
}

/// Loads the sysroot to look at it.
pub fn load(cx: &Cx) -> Result<Sysroot> {
    Ok(Sysroot::load(&path(cx)?, options())?)
}

/// Waits for the sysroot's lock and loads it to change it.
pub fn lock(cx: &Cx) -> Result<LockedSysroot> {
    Ok(LockedSysroot::load(&path(cx)?, options())?)
}

/// `--stage` finishes a deployment when the running system stops: without one it makes no sense.
pub fn check_can_stage(sysroot: &Sysroot) -> Result<()> {
    if sysroot.booted().is_none() {
        anyhow::bail!(
            "Staging deployment: Cannot stage deployment: Not currently booted into an OSTree system"
        );
    }
    Err(crate::error::unsupported("--stage"))
}

fn options() -> Options {
    let debug = words("OSTREE_SYSROOT_DEBUG");
    let opts = words("OSTREE_SYSROOT_OPTS");
    let has = |list: &[String], word: &str| list.iter().any(|item| item == word);
    Options {
        mutable_deployments: has(&debug, "mutable-deployments"),
        test_fail_before_commit: std::env::var("OSTREE_REPO_TEST_ERROR")
            .is_ok_and(|what| what == "pre-commit"),
        repo: osier_store::OpenOptions {
            boot_id: std::env::var("OSTREE_BOOTID").ok(),
        },
        test_no_dtb: has(&debug, "no-dtb"),
        test_freeze: has(&debug, "test-fifreeze"),
        entry_names_with_stateroot: has(&opts, "bootloader-naming-1"),
        grub_mkconfig: std::env::var_os("OSTREE_GRUB2_EXEC").map(PathBuf::from),
        show_bootloader_output: std::env::var_os("INVOCATION_ID").is_some()
            || std::env::var_os("OSTREE_DEBUG_GRUB2").is_some(),
        notices: Arc::new(print),
        ..Options::default()
    }
}

/// GLib's debug keys: words between commas, colons, semicolons or blanks.
fn words(variable: &str) -> Vec<String> {
    std::env::var(variable)
        .unwrap_or_default()
        .split([',', ':', ';', ' ', '\t'])
        .map(|word| word.to_ascii_lowercase().replace('_', "-"))
        .collect()
}

/// At once, not with the command's own output at the end: a wait for the lock must be seen.
fn print(notice: &Notice) {
    // If nobody reads it, the work still goes on.
    let _ = writeln!(std::io::stdout(), "{notice}");
}

/// The first argument, or a usage error that names it.
pub fn first<'a>(args: &'a [String], missing: &str) -> Result<&'a str> {
    args.first()
        .map(String::as_str)
        .ok_or_else(|| crate::error::usage(missing))
}

/// An index argument.
pub fn index(text: &str) -> Result<usize> {
    text.parse()
        .map_err(|_| anyhow::anyhow!("Invalid index: {text}"))
}
