//! Restarting into a new deployment.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use osier_sysroot::Sysroot;

/// Becomes `systemctl reboot`, if the changed sysroot is the running one.
pub fn reboot_if_booted(sysroot: &Sysroot) -> Result<()> {
    if sysroot.booted().is_none() {
        return Ok(());
    }
    let error = Command::new("systemctl").arg("reboot").exec();
    Err(error).context("executing systemctl reboot")
}
