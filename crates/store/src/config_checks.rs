//! Settings that other layers use: the reference tool opens no repository in which one of them is wrong, so that a
//! mistake shows when it is made and not at the next boot.

use crate::error::{Error, Result};
use osier_keyfile::KeyFile;

/// Checks all of them.
pub(crate) fn check(k: &KeyFile) -> Result<()> {
    bootloader(k)?;
    boot_counting(k)?;
    boolean(k, "sysroot", "bootprefix")?;
    append_except_default(k)?;
    repo_finders(k)
}

fn string(k: &KeyFile, group: &str, key: &str) -> Result<Option<String>> {
    match k.string(group, key) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(Error::Config(e.to_string())),
    }
}

fn boolean(k: &KeyFile, group: &str, key: &str) -> Result<()> {
    match k.boolean(group, key) {
        Err(e) if !e.is_not_found() => Err(Error::Config(e.to_string())),
        _ => Ok(()),
    }
}

fn bootloader(k: &KeyFile) -> Result<()> {
    const KNOWN: [&str; 7] = [
        "auto", "none", "grub2", "syslinux", "uboot", "zipl", "aboot",
    ];
    match string(k, "sysroot", "bootloader")? {
        Some(name) if !KNOWN.contains(&&*name) => Err(Error::Config(format!(
            "Invalid bootloader configuration: '{name}'"
        ))),
        _ => Ok(()),
    }
}

fn boot_counting(k: &KeyFile) -> Result<()> {
    const MAX: u64 = 5;
    let Some(text) = string(k, "sysroot", "boot-counting-tries")? else {
        return Ok(());
    };
    let cause = match text.parse::<u64>() {
        // A sign is read by the library and not by the reference tool.
        Ok(tries) if tries <= MAX && !text.starts_with('+') => return Ok(()),
        Ok(_) if !text.starts_with('+') => {
            format!("Number “{text}” is out of bounds [0, {MAX}]")
        }
        Err(_) if text.is_empty() => "Empty string is not a number".to_owned(),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => {
            format!("Number “{text}” is out of bounds [0, {MAX}]")
        }
        _ => format!("“{text}” is not an unsigned number"),
    };
    Err(Error::Config(format!(
        "Parsing sysroot.boot-counting-tries: {cause}"
    )))
}

fn append_except_default(k: &KeyFile) -> Result<()> {
    let pairs = match k.string_list("sysroot", "bls-append-except-default") {
        Ok(pairs) => pairs,
        Err(e) if e.is_not_found() => return Ok(()),
        Err(e) => return Err(Error::Config(e.to_string())),
    };
    match pairs.iter().all(|pair| pair.contains('=')) {
        true => Ok(()),
        false => Err(Error::Config(
            "bls-append-except-default key must be of the form \"key1=value1;key2=value2...\""
                .into(),
        )),
    }
}

fn repo_finders(k: &KeyFile) -> Result<()> {
    let finders = match k.string_list("core", "default-repo-finders") {
        Ok(finders) => finders,
        Err(e) if e.is_not_found() => return Ok(()),
        Err(e) => return Err(Error::Config(e.to_string())),
    };
    if finders.is_empty() {
        return Err(Error::Config(
            "Invalid empty default-repo-finders configuration".into(),
        ));
    }
    match finders
        .iter()
        .find(|finder| !matches!(&***finder, "config" | "lan" | "mount"))
    {
        Some(other) => Err(Error::Config(format!(
            "Invalid configured repo-finder '{other}'"
        ))),
        None => Ok(()),
    }
}
