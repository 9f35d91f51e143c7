//! What an operation has to say while it works. Libraries do not print: the caller gets a [`Notice`]
//! and decides. Its text is the line the C tool prints.

use std::fmt;

/// Something worth telling the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Another process holds the lock; repeated while waiting.
    WaitingForLock,
    /// The user's changes to `/etc` are being carried over.
    CopyingEtc {
        /// Changed files.
        modified: usize,
        /// Removed files.
        removed: usize,
        /// New files.
        added: usize,
    },
    /// `/var` has never been labelled.
    RelabelingVar,
    /// The list of deployments has been written.
    Written {
        /// Whether the boot loader's entries changed in one atomic step.
        atomic_boot_loader: bool,
        /// Whether new boot entries were written.
        boot_swap: bool,
        /// The active bootlinks, `N.n`.
        bootversion: u8,
        /// See `bootversion`.
        subbootversion: u8,
        /// How many more deployments there are now.
        count_change: i64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::WaitingForLock => f.write_str("Waiting for sysroot lock..."),
            Notice::CopyingEtc {
                modified,
                removed,
                added,
            } => write!(
                f,
                "Copying /etc changes: {modified} modified, {removed} removed, {added} added"
            ),
            Notice::RelabelingVar => {
                f.write_str("Relabeling /var (no stamp file 'var/.ostree-selabeled' found)")
            }
            Notice::Written {
                atomic_boot_loader,
                boot_swap,
                bootversion,
                subbootversion,
                count_change,
            } => {
                let what = match *boot_swap && !atomic_boot_loader {
                    true => "Bootloader updated",
                    false => "Transaction complete",
                };
                let swap = if *boot_swap { "yes" } else { "no" };
                write!(
                    f,
                    "{what}; bootconfig swap: {swap}; bootversion: boot.{bootversion}.{subbootversion}, deployment count change: {count_change}"
                )
            }
        }
    }
}

/// Where notices go.
pub trait Sink: Send + Sync {
    /// Takes one notice.
    fn notice(&self, notice: &Notice);
}

impl<F: Fn(&Notice) + Send + Sync> Sink for F {
    fn notice(&self, notice: &Notice) {
        self(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_c_tool() {
        let written = |boot_swap, count_change| {
            Notice::Written {
                atomic_boot_loader: false,
                boot_swap,
                bootversion: 1,
                subbootversion: 0,
                count_change,
            }
            .to_string()
        };
        assert_eq!(
            written(true, 1),
            "Bootloader updated; bootconfig swap: yes; bootversion: boot.1.0, deployment count change: 1"
        );
        assert_eq!(
            written(false, -2),
            "Transaction complete; bootconfig swap: no; bootversion: boot.1.0, deployment count change: -2"
        );
    }
}
