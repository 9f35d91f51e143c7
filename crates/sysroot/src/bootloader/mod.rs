//! Boot loaders that do not read the entries in `boot/loader/entries` themselves: their own
//! configuration is generated from them, in the same atomic swap.

mod grub2;
mod grub2_menu;
mod syslinux;
mod uboot;

use osier_keyfile::Optional;

use crate::bls::BootEntry;
use crate::deployment::Deployment;
use crate::dir::{Beneath, Dir};
use crate::error::{Error, Result};
use crate::sysroot::Sysroot;
use grub2::Grub2;

pub use grub2_menu::Grub2Menu;

/// A boot loader with a configuration of its own.
#[derive(Debug)]
pub(crate) enum Bootloader {
    Syslinux,
    Uboot,
    Grub2(Grub2),
}

/// A deployment and the entry just written for it.
pub(crate) type Written<'a> = (&'a Deployment, BootEntry);

impl Bootloader {
    /// What `sysroot.bootloader` names; with `auto` what has left its files in `/boot`.
    pub(crate) fn detect(sysroot: &Sysroot) -> Result<Option<Bootloader>> {
        let config = &sysroot.repo.config().keyfile;
        let name = config.string("sysroot", "bootloader").optional()?;
        Ok(match name.as_deref().unwrap_or("auto") {
            "auto" => Bootloader::probe(&sysroot.root)?,
            "none" => None,
            "syslinux" => Some(Bootloader::Syslinux),
            "uboot" => Some(Bootloader::Uboot),
            "grub2" => Some(Bootloader::Grub2(
                Grub2::find(&sysroot.root)?.unwrap_or_default(),
            )),
            name @ ("zipl" | "aboot") => {
                return Err(Error::invalid(format!(
                    "boot loader {name} is not supported yet"
                )));
            }
            other => {
                return Err(Error::invalid(format!(
                    "Invalid bootloader configuration: '{other}'"
                )));
            }
        })
    }

    fn probe(root: &Dir) -> Result<Option<Bootloader>> {
        if root
            .stat_path(Beneath::Sysroot, syslinux::CONFIG)?
            .is_some()
        {
            return Ok(Some(Bootloader::Syslinux));
        }
        if let Some(grub2) = Grub2::find(root)? {
            return Ok(Some(Bootloader::Grub2(grub2)));
        }
        let uboot = root.stat_path(Beneath::Sysroot, uboot::CONFIG)?;
        Ok(uboot.map(|_| Bootloader::Uboot))
    }

    /// Whether its configuration changes in the swap of `boot/loader`.
    pub(crate) fn is_atomic(&self) -> bool {
        match self {
            Bootloader::Syslinux | Bootloader::Uboot => true,
            Bootloader::Grub2(grub2) => grub2.is_atomic(),
        }
    }

    /// Writes its configuration for boot version `bootversion`, whose entries are `entries`.
    pub(crate) fn write_config(
        &self,
        sysroot: &Sysroot,
        boot: &Dir,
        bootversion: u8,
        entries: &[Written<'_>],
    ) -> Result<()> {
        match self {
            Bootloader::Syslinux => syslinux::write(&sysroot.root, boot, bootversion, entries),
            Bootloader::Uboot => uboot::write(sysroot, boot, bootversion, entries),
            Bootloader::Grub2(grub2) => grub2.write(sysroot, bootversion),
        }
    }
}

/// The folder of a boot version, beside the active one.
fn loader_dir(boot: &Dir, bootversion: u8) -> Result<Dir> {
    boot.open(Beneath::Sysroot, &format!("loader.{bootversion}"))
}

/// A path of an entry as seen from the root file system.
fn below_boot(path: &str) -> String {
    if path.starts_with("/boot/") {
        return path.to_owned();
    }
    format!("/boot{path}")
}
