//! What a caller decides about a sysroot: the library reads no environment and prints nothing.

use std::path::PathBuf;
use std::sync::Arc;

use crate::notice::{Notice, Sink};

/// How to open a sysroot and how to behave in it.
#[derive(Clone)]
pub struct Options {
    /// Leave out the immutable flag on deployment roots (`OSTREE_SYSROOT_DEBUG=mutable-deployments`).
    pub mutable_deployments: bool,
    /// Instead of freezing `/boot` behave as if we had died meanwhile, then fail
    /// (`OSTREE_SYSROOT_DEBUG=test-fifreeze`).
    pub test_freeze: bool,
    /// Take no notice of a tree's `dtb` folder, as tools before 2022 did (`OSTREE_SYSROOT_DEBUG=no-dtb`).
    pub test_no_dtb: bool,
    /// Fail before the deployments' refs are changed (`OSTREE_REPO_TEST_ERROR=pre-commit`).
    pub test_fail_before_commit: bool,
    /// How to open the repository.
    pub repo: osier_store::OpenOptions,
    /// Name boot entries `ostree-I-SR.conf` (`OSTREE_SYSROOT_OPTS=bootloader-naming-1`).
    pub entry_names_with_stateroot: bool,
    /// Folder with the running system's state, normally `/run`.
    pub run_dir: PathBuf,
    /// The program that generates GRUB's configuration (`OSTREE_GRUB2_EXEC`); `None` for this machine's own, which
    /// can only make that of the running system.
    pub grub_mkconfig: Option<PathBuf>,
    /// Show what the program above prints.
    pub show_bootloader_output: bool,
    /// Where notices go.
    pub notices: Arc<dyn Sink>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            mutable_deployments: false,
            test_freeze: false,
            test_no_dtb: false,
            test_fail_before_commit: false,
            repo: osier_store::OpenOptions::default(),
            entry_names_with_stateroot: false,
            run_dir: PathBuf::from("/run"),
            grub_mkconfig: None,
            show_bootloader_output: false,
            notices: Arc::new(|_: &Notice| {}),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("mutable_deployments", &self.mutable_deployments)
            .field("run_dir", &self.run_dir)
            .finish_non_exhaustive()
    }
}
