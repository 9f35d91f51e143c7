//! `ostree admin instutil grub2-generate`, called by `grub-mkconfig`.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use osier_sysroot::Grub2Menu;

use crate::admin::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Generate GRUB2 configuration from given BLS entries
#[derive(clap::Args)]
#[command(after_help = "GRUB2_BOOT_DEVICE_ID=id ostree admin instutil grub2-generate 1")]
pub struct Args {
    #[arg(value_name = "BOOTVERSION", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "[BOOTVERSION]";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let wanted = self
            .rest
            .into_iter()
            .next()
            .or_else(|| std::env::var("_OSTREE_GRUB2_BOOTVERSION").ok());
        let bootversion = match wanted.as_deref() {
            None => None,
            Some("0") => Some(0),
            Some("1") => Some(1),
            Some(other) => bail!("Invalid bootversion: {other}"),
        };
        let menu = Grub2Menu {
            device_id: std::env::var("GRUB2_BOOT_DEVICE_ID").map_err(|_| {
                anyhow!("GRUB2_BOOT_DEVICE_ID is not set: this is called by grub-mkconfig")
            })?,
            prepare_root: std::env::var("GRUB2_PREPARE_ROOT_CACHE").ok(),
        };
        let text = open::load(cx)?.grub2_menu(&menu, bootversion)?;
        cx.out.write_all(text.as_bytes())?;
        Ok(())
    }
}
