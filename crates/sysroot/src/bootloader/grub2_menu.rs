//! Our part of GRUB's configuration: one menu entry per boot entry. `grub-mkconfig` asks for it.

use std::fmt::Write;

use crate::bls::BootEntry;
use crate::error::Result;
use crate::sysroot::Sysroot;

/// What `grub-mkconfig` knows and we do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grub2Menu {
    /// Names the device of `/boot` in identifiers of menu entries.
    pub device_id: String,
    /// Commands that make GRUB find `/boot`, copied into each menu entry.
    pub prepare_root: Option<String>,
}

impl Sysroot {
    /// The menu entries of a boot version, the active one if `None`.
    ///
    /// # Errors
    /// Boot entries that cannot be read.
    pub fn grub2_menu(&self, menu: &Grub2Menu, bootversion: Option<u8>) -> Result<String> {
        let entries = self.read_entries(bootversion.unwrap_or(self.bootversion))?;
        let mut text = String::new();
        for (index, (entry, _)) in entries.iter().enumerate() {
            text.push_str(&menu.entry(index, entry));
        }
        Ok(text)
    }
}

impl Grub2Menu {
    fn entry(&self, index: usize, entry: &BootEntry) -> String {
        let field = |key| entry.get(key).unwrap_or_default();
        let mut text = String::new();
        // Inside single quotes GRUB's shell knows only the quote itself.
        let title = entry
            .get("title")
            .unwrap_or("(Untitled)")
            .replace('\'', "'\\''");
        let _ = writeln!(
            text,
            "menuentry '{title}' --class gnu-linux --class gnu --class os --unrestricted 'ostree-{index}-{}' {{",
            self.device_id
        );
        text.push_str("load_video\nset gfxpayload=keep\ninsmod gzio\n");
        if let Some(commands) = &self.prepare_root {
            let _ = writeln!(text, "{commands}");
        }
        let _ = writeln!(text, "linux {} {}", field("linux"), field("options"));
        for key in ["initrd", "devicetree"] {
            if let Some(path) = entry.get(key) {
                let _ = writeln!(text, "{key} {path}");
            }
        }
        text.push_str("}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry() {
        let menu = Grub2Menu {
            device_id: "DEV".to_owned(),
            prepare_root: Some("cache line\n  two".to_owned()),
        };
        let entry =
            BootEntry::parse("title it's\noptions a b\nlinux /l\ninitrd /i\ndevicetree /d\n");
        assert_eq!(
            menu.entry(0, &entry),
            "menuentry 'it'\\''s' --class gnu-linux --class gnu --class os --unrestricted 'ostree-0-DEV' {\n\
             load_video\nset gfxpayload=keep\ninsmod gzio\ncache line\n  two\n\
             linux /l a b\ninitrd /i\ndevicetree /d\n}\n"
        );
    }
}
