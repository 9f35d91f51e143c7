//! A deployment: one checked-out commit that a boot entry can start.

use std::fmt;

use osier_keyfile::KeyFile;
use osier_object::CommitId;

use crate::bls::{BootCount, BootEntry};
use crate::error::{Error, Result};

/// What names a deployment on disk: stateroot, commit, and a counter for deployments of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeploymentId {
    /// Stateroot, also called osname.
    pub stateroot: String,
    /// The commit it was checked out from.
    pub commit: CommitId,
    /// Counts deployments of the same commit.
    pub serial: u32,
}

impl DeploymentId {
    /// The folder's name, `COMMIT.SERIAL`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.commit, self.serial)
    }

    /// The deployment root, relative to the sysroot.
    pub fn path(&self) -> String {
        format!("{}/{}", self.parent_path(), self.name())
    }

    /// The folder all deployments of the stateroot are in, relative to the sysroot.
    pub fn parent_path(&self) -> String {
        format!("ostree/deploy/{}/deploy", self.stateroot)
    }

    /// Folder of per-deployment state that is not part of the tree, relative to the sysroot.
    pub fn backing_path(&self) -> String {
        format!("ostree/deploy/{}/backing/{}", self.stateroot, self.name())
    }

    /// Reads a folder's name.
    ///
    /// # Errors
    /// Every folder of deployments must be named `^[0-9a-f]+\.[0-9]+$`; others are refused, so that
    /// nothing foreign is ever cleaned up.
    pub fn from_name(stateroot: &str, name: &str) -> Result<DeploymentId> {
        let parse = || {
            let (commit, serial) = name.split_once('.')?;
            if !serial.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Some(DeploymentId {
                stateroot: stateroot.to_owned(),
                commit: commit.parse().ok()?,
                serial: serial.parse().ok()?,
            })
        };
        parse().ok_or_else(|| {
            Error::invalid(format!(
                "Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL"
            ))
        })
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Whether `/usr` of a deployment can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlocked {
    /// Read-only, as deployed.
    #[default]
    None,
    /// Writable until the next boot.
    Development,
    /// Writable for good; the changes are a hot fix.
    Hotfix,
    /// Prepared to be writable, read-only by default.
    Transient,
}

impl Unlocked {
    /// The word `status` shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Unlocked::None => "none",
            Unlocked::Development => "development",
            Unlocked::Hotfix => "hotfix",
            Unlocked::Transient => "transient",
        }
    }
}

/// Counter in the file name of a boot entry, with which a boot loader notices failing boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BootTries {
    /// The name has no counter.
    #[default]
    None,
    /// A new deployment, to be tried this often.
    New(u32),
    /// As found on disk.
    Counted(BootCount),
}

/// One deployment of a loaded sysroot, or a new one about to be written.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What names it.
    pub id: DeploymentId,
    /// Checksum of its kernel files, see `docs/formats/sysroot.md`.
    pub bootcsum: String,
    /// Counts deployments with the same boot checksum along the list.
    pub bootserial: u32,
    /// Its boot entry.
    pub entry: BootEntry,
    /// Where it came from and where upgrades come from.
    pub origin: Option<KeyFile>,
    /// Whether its `/usr` can be written.
    pub unlocked: Unlocked,
    /// Whether it waits for shutdown to be finished.
    pub staged: bool,
    pub(crate) tries: BootTries,
}

impl Deployment {
    /// Whether it is kept until someone unpins it.
    pub fn is_pinned(&self) -> bool {
        self.origin.as_ref().is_some_and(crate::origin::is_pinned)
    }

    /// The refspec upgrades come from.
    pub fn refspec(&self) -> Option<String> {
        self.origin.as_ref().and_then(crate::origin::refspec)
    }

    pub(crate) fn is_same(&self, other: &Deployment) -> bool {
        self.id == other.id && self.staged == other.staged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let hex = "ab".repeat(32);
        let id = DeploymentId::from_name("os", &format!("{hex}.12")).unwrap();
        assert_eq!(id.serial, 12);
        assert_eq!(id.path(), format!("ostree/deploy/os/deploy/{hex}.12"));
        for bad in [
            "",
            "x",
            "ab.0",
            &hex,
            &format!("{hex}."),
            &format!("{hex}.+1"),
            &format!("{hex}.1.2"),
        ] {
            assert_eq!(
                DeploymentId::from_name("os", bad).unwrap_err().to_string(),
                format!("Invalid deploy name '{bad}', expected CHECKSUM.TREESERIAL")
            );
        }
    }
}
