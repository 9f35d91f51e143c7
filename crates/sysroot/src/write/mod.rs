//! Writing a list of deployments: the one place where what boots next changes.
//!
//! Everything new is built beside the old and synced; then one rename of a link makes it active:
//!
//! - *boot swap*: `boot/loader` is pointed at the other of `loader.0` and `loader.1`;
//! - *sub swap*, when the boot entries would not differ: `ostree/boot.N` is pointed at the other of
//!   `boot.N.0` and `boot.N.1`.
//!
//! Nothing that the active entries need is touched before, and nothing is deleted until the cleanup
//! after. Source: docs/formats/sysroot.md.

mod entry;
mod sync;

use crate::bls::BootEntry;
use crate::bootloader::Bootloader;
use crate::deployment::Deployment;
use crate::dir::{Beneath, Dir};
use crate::error::{Context, Error, Result};
use crate::init::touch_deploy;
use crate::notice::Notice;
use crate::sysroot::{LockedSysroot, Sysroot, read_subbootversion};
use crate::{bootlinks, cleanup::Cleanup};

impl LockedSysroot {
    /// Makes `list` the deployments of the sysroot, in this order, and cleans up after.
    ///
    /// # Errors
    /// A list without the running deployment, or anything that fails before the swap: then the old
    /// list is still active.
    pub fn write_deployments(&mut self, list: Vec<Deployment>, cleanup: Cleanup) -> Result<()> {
        if self.is_unchanged(&list) {
            return Ok(());
        }
        self.rewrite_deployments(list, cleanup)
    }

    /// As [`LockedSysroot::write_deployments`], even if the list is the same.
    pub(crate) fn rewrite_deployments(
        &mut self,
        mut list: Vec<Deployment>,
        cleanup: Cleanup,
    ) -> Result<()> {
        if let Some(booted) = self.booted()
            && !list.iter().any(|deployment| deployment.is_same(booted))
        {
            return Err(Error::invalid("Attempting to remove booted deployment"));
        }
        bootlinks::assign_serials(&mut list);
        let count_change = list.len() as i64 - self.deployments.len() as i64;
        let boot_swap = self.needs_boot_swap(&list)?;
        let bootloader = if boot_swap {
            Bootloader::detect(self)?
        } else {
            None
        };
        if boot_swap {
            self.swap_boot(&list, bootloader.as_ref())?;
        } else {
            self.swap_sub(&list)?;
        }
        touch_deploy(&self.root)?;
        self.sysroot.reload()?;
        self.options.notices.notice(&Notice::Written {
            atomic_boot_loader: bootloader.is_some_and(|bootloader| bootloader.is_atomic()),
            boot_swap,
            bootversion: self.bootversion,
            subbootversion: self.subbootversion,
            count_change,
        });
        self.cleanup(cleanup)
    }

    /// Only the bootlinks differ: `/boot` stays as it is.
    fn swap_sub(&self, list: &[Deployment]) -> Result<()> {
        let next = 1 - self.subbootversion;
        bootlinks::build(&self.root, self.bootversion, next, list)?;
        sync::sync_all(self)?;
        bootlinks::activate(&self.root, self.bootversion, next)?;
        sync::sync_dir(&self.root.open(Beneath::Sysroot, "ostree")?)
    }

    fn swap_boot(&self, list: &[Deployment], bootloader: Option<&Bootloader>) -> Result<()> {
        let next = 1 - self.bootversion;
        let boot = self.root.open(Beneath::Sysroot, "boot")?;
        let loader = fresh_dir(&boot, &format!("loader.{next}"))?;
        let entries_dir = loader.make_new_dir("entries", 0o755)?;
        let mut entries = Vec::new();
        for (index, deployment) in list.iter().enumerate() {
            let entry = self
                .install_entry(&boot, &entries_dir, next, list, index)
                .context("Installing kernel")?;
            entries.push((deployment, entry));
        }
        let next_sub = 1 - read_subbootversion(&self.root, next)?;
        bootlinks::build(&self.root, next, next_sub, list)?;
        bootlinks::activate(&self.root, next, next_sub)?;
        if let Some(bootloader) = bootloader {
            bootloader
                .write_config(self, &boot, next, &entries)
                .context("Bootloader write config")?;
        }
        self.swap_loader(&boot, next)
            .context("Final bootloader swap")
    }

    /// The step itself.
    fn swap_loader(&self, boot: &Dir, next: u8) -> Result<()> {
        if !boot.exists("boot")? {
            // Paths in boot entries start at /boot's own root or above it: both resolve.
            boot.make_link(".", "boot")?;
        }
        boot.remove_file("loader.tmp")?;
        boot.make_link(&format!("loader.{next}"), "loader.tmp")?;
        sync::sync_all(self)?;
        boot.rename("loader.tmp", "loader")?;
        sync::sync_boot(self)
    }
}

impl Sysroot {
    fn is_unchanged(&self, list: &[Deployment]) -> bool {
        list.len() == self.deployments.len()
            && list
                .iter()
                .zip(&self.deployments)
                .all(|(new, old)| new.is_same(old) && new.entry == old.entry)
    }

    /// Whether the boot entries must be written anew. Titles alone are no reason.
    fn needs_boot_swap(&self, list: &[Deployment]) -> Result<bool> {
        if list.len() != self.deployments.len() {
            return Ok(true);
        }
        for (new, old) in list.iter().zip(&self.deployments) {
            let same = new.bootcsum == old.bootcsum
                && new.id.stateroot == old.id.stateroot
                && new.entry.overlay_initrds() == old.entry.overlay_initrds()
                && same_options(&new.entry, &old.entry)
                && self.commit_version(&new.id.commit)? == self.commit_version(&old.id.commit)?;
            if !same {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Equal but for the value of `ostree`.
fn same_options(a: &BootEntry, b: &BootEntry) -> bool {
    let others = |entry: &BootEntry| -> Vec<String> {
        entry
            .get("options")
            .unwrap_or_default()
            .split(' ')
            .filter(|token| !token.is_empty() && !token.starts_with("ostree="))
            .map(str::to_owned)
            .collect()
    };
    others(a) == others(b)
}

/// An empty folder `name`, whatever was there before.
fn fresh_dir(parent: &Dir, name: &str) -> Result<Dir> {
    parent.remove_tree(name.as_bytes())?;
    parent.make_new_dir(name, 0o755)
}
