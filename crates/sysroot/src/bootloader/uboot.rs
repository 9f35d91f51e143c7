//! U-Boot: variables in `uEnv.txt`, numbered from the second deployment on.

use super::{Written, loader_dir};
use crate::dir::{Beneath, Dir};
use crate::error::{Error, Result};
use crate::sysroot::Sysroot;

/// Its presence says that U-Boot is used.
pub(super) const CONFIG: &str = "boot/loader/uEnv.txt";
const FILE: &str = "uEnv.txt";
/// What a tree adds to the variables of the default deployment.
const TREE_FILE: &str = "usr/lib/ostree-boot/uEnv.txt";
const LIMIT: u64 = 16 * 1024 * 1024;

pub(super) fn write(
    sysroot: &Sysroot,
    boot: &Dir,
    bootversion: u8,
    entries: &[Written<'_>],
) -> Result<()> {
    let mut lines = Vec::new();
    for (index, (deployment, entry)) in entries.iter().enumerate() {
        let suffix = if index == 0 {
            String::new()
        } else {
            (index + 1).to_string()
        };
        let fields = [
            ("kernel_image", "linux"),
            ("ramdisk_image", "initrd"),
            ("fdt_file", "devicetree"),
            ("fdtdir", "fdtdir"),
        ];
        for (name, key) in fields {
            if let Some(path) = entry.get(key) {
                lines.push(format!("{name}{suffix}=/boot{path}"));
            }
        }
        lines.push(format!(
            "bootargs{suffix}={}",
            entry.get("options").unwrap_or_default()
        ));
        if index == 0 {
            let tree = sysroot.deployment_dir(&deployment.id)?;
            if let Some(extra) = tree.read(Beneath::Tree, TREE_FILE, LIMIT)? {
                let extra = String::from_utf8(extra)
                    .map_err(|_| Error::invalid(format!("{TREE_FILE} is no text")))?;
                lines.extend(extra.lines().map(str::to_owned));
            }
        }
    }
    lines.push(String::new());
    loader_dir(boot, bootversion)?.replace_file(FILE, lines.join("\n").as_bytes(), 0o644)
}
