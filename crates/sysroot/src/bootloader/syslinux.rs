//! SYSLINUX and EXTLINUX: `LABEL` blocks in one file. Blocks of others are kept, ours are replaced.

use super::{Written, below_boot, loader_dir};
use crate::dir::{Beneath, Dir};
use crate::error::{Error, IoAction, Result};

/// The file the boot loader reads, normally a link to `../loader/syslinux.cfg`.
pub(super) const CONFIG: &str = "boot/syslinux/syslinux.cfg";
const FILE: &str = "syslinux.cfg";
const LIMIT: u64 = 16 * 1024 * 1024;

pub(super) fn write(
    root: &Dir,
    boot: &Dir,
    bootversion: u8,
    entries: &[Written<'_>],
) -> Result<()> {
    let Some(old) = root.read(Beneath::Sysroot, CONFIG, LIMIT)? else {
        return Err(std::io::Error::from_raw_os_error(
            rustix::io::Errno::NOENT.raw_os_error(),
        ))
        .action(|| format!("openat({CONFIG})"));
    };
    let old = String::from_utf8(old).map_err(|_| Error::invalid(format!("{CONFIG} is no text")))?;
    let text = generate(&old, entries);
    loader_dir(boot, bootversion)?.replace_file(FILE, text.as_bytes(), 0o644)
}

fn generate(old: &str, entries: &[Written<'_>]) -> String {
    let kept = keep(old);
    let mut lines = kept.lines;
    for (index, (_, entry)) in entries.iter().enumerate() {
        let title = entry.get("title").unwrap_or_default();
        if index == 0 && kept.wants_default {
            lines.push(format!("DEFAULT {title}"));
        }
        lines.push(format!("LABEL {title}"));
        let fields = [
            ("KERNEL", "linux"),
            ("INITRD", "initrd"),
            ("DEVICETREE", "devicetree"),
        ];
        for (name, key) in fields {
            if let Some(path) = entry.get(key) {
                lines.push(format!("\t{name} {}", below_boot(path)));
            }
        }
        lines.push(format!(
            "\tAPPEND {}",
            entry.get("options").unwrap_or_default()
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

struct Kept {
    lines: Vec<String>,
    /// Whether the default was ours, or nobody's.
    wants_default: bool,
}

/// The lines that are not ours. Of blank lines only the first stays, or they would pile up.
fn keep(old: &str) -> Kept {
    let mut kept = Kept {
        lines: Vec::new(),
        wants_default: true,
    };
    let mut has_blank = false;
    let mut lines = old.split('\n').peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("LABEL ") {
            let mut block = vec![line.to_owned()];
            while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
                block.push(line.to_owned());
            }
            if !is_ours(&block) {
                kept.lines.append(&mut block);
            }
        } else if let Some(label) = line.strip_prefix("DEFAULT ") {
            kept.wants_default = label.contains("(ostree");
        } else if !line.is_empty() || !has_blank {
            has_blank |= line.is_empty();
            kept.lines.push(line.to_owned());
        }
    }
    kept
}

fn is_ours(block: &[String]) -> bool {
    block.iter().any(|line| {
        line.strip_prefix("\tKERNEL ")
            .is_some_and(|path| path.starts_with("/ostree/") || path.starts_with("/boot/ostree/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_lines_stay() {
        let kept = keep(
            "# c\nDEFAULT other\n\nTIMEOUT 1\n\n\nLABEL other\n\tKERNEL /vmlinuz\n\tAPPEND a\n\nLABEL old\n\tKERNEL /ostree/x\n\tAPPEND b\nLABEL old2\n\tKERNEL /boot/ostree/x\nLAST 1",
        );
        assert_eq!(
            kept.lines,
            [
                "# c",
                "",
                "TIMEOUT 1",
                "LABEL other",
                "\tKERNEL /vmlinuz",
                "\tAPPEND a",
                "LAST 1"
            ]
        );
        assert!(!kept.wants_default);
        assert!(keep("DEFAULT Lab (ostree:0)\n").wants_default);
        assert!(keep("TIMEOUT 1\n").wants_default);
        assert_eq!(keep("TIMEOUT 1\n").lines, ["TIMEOUT 1", ""]);
    }
}
