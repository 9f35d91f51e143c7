//! GRUB: its configuration is made by a program, which calls back for our entries.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::dir::{Beneath, Dir};
use crate::error::{Error, IoAction, Result};
use crate::sysroot::Sysroot;

const CONFIGS: [&str; 2] = ["boot/grub/grub.cfg", "boot/grub2/grub.cfg"];
const EFI_VENDORS: &str = "boot/efi/EFI";
/// bootupd's state: with static configuration nothing is to be generated.
const BOOTUPD_STATE: &str = "boot/bootupd-state.json";
const BOOTUPD_LIMIT: u64 = 1024 * 1024;

/// This machine's generator.
const SYSTEM_MKCONFIG: &str = "/usr/sbin/grub-mkconfig";

/// GRUB as found in `/boot`.
#[derive(Debug, Default)]
pub(crate) struct Grub2 {
    /// On EFI systems, the folder of `grub.cfg`, relative to the sysroot.
    efi_dir: Option<String>,
}

impl Grub2 {
    pub(super) fn find(root: &Dir) -> Result<Option<Grub2>> {
        if let Some(state) = root.read(Beneath::Sysroot, BOOTUPD_STATE, BOOTUPD_LIMIT)? {
            let state = String::from_utf8_lossy(&state);
            if state.contains("\"static-configs\"") && !state.contains("\"static-configs\":null") {
                return Ok(None);
            }
        }
        for path in CONFIGS {
            if root.stat_path(Beneath::Sysroot, path)?.is_some() {
                return Ok(Some(Grub2::default()));
            }
        }
        let Some(vendors) = root.open_opt(Beneath::Sysroot, EFI_VENDORS)? else {
            return Ok(None);
        };
        for vendor in vendors.sorted_entries()? {
            let Some(name) = vendor.utf8().filter(|name| *name != "BOOT") else {
                continue;
            };
            if vendors
                .stat_path(Beneath::Sysroot, &format!("{name}/grub.cfg"))?
                .is_some()
            {
                return Ok(Some(Grub2 {
                    efi_dir: Some(format!("{EFI_VENDORS}/{name}")),
                }));
            }
        }
        Ok(None)
    }

    /// An EFI system partition knows no links: there the file itself is replaced.
    pub(super) fn is_atomic(&self) -> bool {
        self.efi_dir.is_none()
    }

    pub(super) fn write(&self, sysroot: &Sysroot, bootversion: u8) -> Result<()> {
        let Some(dir) = &self.efi_dir else {
            return self.generate(
                sysroot,
                bootversion,
                &format!("boot/loader.{bootversion}/grub.cfg"),
            );
        };
        self.generate(sysroot, bootversion, &format!("{dir}/grub.cfg.new"))?;
        let dir = sysroot.root.open(Beneath::Sysroot, dir)?;
        let new = dir.open_file_entry(b"grub.cfg.new")?;
        rustix::fs::fsync(&new).action(|| "fsync(grub.cfg.new)".to_owned())?;
        // A copy of the old one first: at any time grub.cfg is whole.
        if let Some(old) = dir.read(Beneath::Sysroot, "grub.cfg", u64::from(u32::MAX))? {
            dir.replace_file("grub.cfg.old", &old, 0o644)?;
        }
        dir.rename("grub.cfg.new", "grub.cfg")?;
        rustix::fs::fsync(&dir).action(|| format!("fsync({})", dir.path()))
    }

    fn generate(&self, sysroot: &Sysroot, bootversion: u8, file: &str) -> Result<()> {
        let options = &sysroot.options;
        let program = match &options.grub_mkconfig {
            Some(program) => program.as_path(),
            None if sysroot.booted.is_some() => Path::new(SYSTEM_MKCONFIG),
            None => {
                return Err(Error::invalid(format!(
                    "{SYSTEM_MKCONFIG} would describe this machine, not the sysroot {}; set OSTREE_GRUB2_EXEC, or sysroot.bootloader=none in its repository",
                    sysroot.path.display()
                )));
            }
        };
        let mut command = Command::new(program);
        command
            .arg("-o")
            .arg(sysroot.path.join(file))
            .env("_OSTREE_GRUB2_BOOTVERSION", bootversion.to_string());
        if self.efi_dir.is_some() {
            command.env("_OSTREE_GRUB2_IS_EFI", "1");
        }
        if !options.show_bootloader_output {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let status = command
            .status()
            .action(|| format!("running {}", program.display()))?;
        if !status.success() {
            return Err(Error::invalid(format!(
                "{} failed: {status}",
                program.display()
            )));
        }
        Ok(())
    }
}
