//! Kernel arguments of a new deployment, from the options of `deploy`.

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::kargs::KernelArgs;

/// How the arguments of a new deployment differ from those of the one it takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KargsChange {
    /// Start from nothing.
    pub none: bool,
    /// Start from the running kernel's arguments: the text of `/proc/cmdline`.
    pub proc_cmdline: Option<String>,
    /// Each replaces all arguments of its key.
    pub replace: Vec<String>,
    /// Each is split and put at the end.
    pub append: Vec<String>,
    /// Each names one argument to remove.
    pub delete: Vec<String>,
}

impl KargsChange {
    /// Checks that the options go together.
    ///
    /// # Errors
    /// Two that do not.
    pub fn check(&self, no_merge: bool) -> Result<()> {
        let conflict = |text: &str| Err(Error::invalid(text));
        if self.none && self.proc_cmdline.is_some() {
            return conflict("Can't specify both --karg-proc-cmdline and --karg-none");
        }
        if self.none && !self.delete.is_empty() {
            return conflict("Can't specify both --karg-none and --karg-delete");
        }
        if no_merge && !self.delete.is_empty() {
            return conflict("Can't specify both --no-merge and --karg-delete");
        }
        Ok(())
    }

    /// The new arguments; `None` to take over those of `merge` as they are.
    ///
    /// # Errors
    /// Arguments that cannot be split, or one to remove that is not there.
    pub fn apply(&self, merge: Option<&Deployment>) -> Result<Option<KernelArgs>> {
        let base = if self.none {
            Some(KernelArgs::new())
        } else if let Some(cmdline) = &self.proc_cmdline {
            Some(KernelArgs::from_proc_cmdline(cmdline)?)
        } else {
            None
        };
        let changes_nothing =
            self.replace.is_empty() && self.append.is_empty() && self.delete.is_empty();
        let mut kargs = match (base, merge) {
            (Some(base), _) => base,
            (None, _) if changes_nothing => return Ok(None),
            (None, Some(merge)) => merge.entry.kargs()?,
            (None, None) => KernelArgs::new(),
        };
        for arg in &self.replace {
            kargs.replace(arg)?;
        }
        for arg in &self.append {
            kargs.append(arg)?;
        }
        for arg in &self.delete {
            kargs.delete(arg)?;
        }
        Ok(Some(kargs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn order_of_changes() {
        let change = KargsChange {
            proc_cmdline: Some("BOOT_IMAGE=/v a=1 b c=3\n".to_owned()),
            replace: list(&["a=2"]),
            append: list(&["d e", "c=4"]),
            delete: list(&["b", "c=3"]),
            ..KargsChange::default()
        };
        assert_eq!(
            change.apply(None).unwrap().unwrap().to_string(),
            "a=2 d e c=4"
        );
        assert_eq!(KargsChange::default().apply(None).unwrap(), None);
        let none = KargsChange {
            none: true,
            ..KargsChange::default()
        };
        assert!(none.apply(None).unwrap().unwrap().is_empty());
    }

    #[test]
    fn conflicts() {
        let text = |change: KargsChange, no_merge| change.check(no_merge).unwrap_err().to_string();
        let delete = KargsChange {
            delete: list(&["x"]),
            ..KargsChange::default()
        };
        assert_eq!(
            text(delete.clone(), true),
            "Can't specify both --no-merge and --karg-delete"
        );
        assert_eq!(
            text(
                KargsChange {
                    none: true,
                    ..delete.clone()
                },
                false
            ),
            "Can't specify both --karg-none and --karg-delete"
        );
        let both = KargsChange {
            none: true,
            proc_cmdline: Some(String::new()),
            ..KargsChange::default()
        };
        assert_eq!(
            text(both, false),
            "Can't specify both --karg-proc-cmdline and --karg-none"
        );
        delete.check(false).unwrap();
    }
}
