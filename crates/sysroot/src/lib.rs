//! Sysroots: deployments of commits, their boot entries, and the state that moves from one to the
//! next.
//!
//! ```
//! use osier_store::{Repo, RepoMode, TransactionOptions, commit};
//! use osier_sysroot::{DeployRequest, Epoch, LockedSysroot, Options, init_fs};
//!
//! let dir = tempfile::tempdir()?;
//! let (tree, sysroot) = (dir.path().join("tree"), dir.path().join("sysroot"));
//! let modules = tree.join("usr/lib/modules/6.1");
//! std::fs::create_dir_all(&modules)?;
//! std::fs::create_dir_all(tree.join("usr/etc"))?;
//! std::fs::create_dir(&sysroot)?;
//! std::fs::write(modules.join("vmlinuz"), "kernel")?;
//! std::fs::write(modules.join("initramfs.img"), "initramfs")?;
//! std::fs::write(tree.join("usr/lib/os-release"), "PRETTY_NAME='My OS'\n")?;
//!
//! init_fs(&sysroot, Epoch::Modern, RepoMode::BareUserOnly)?;
//! let repo = Repo::open(&sysroot.join("ostree/repo"))?;
//! let tx = repo.begin(&TransactionOptions::default())?;
//! let root = commit::build_tree(&tx, &[commit::Source::Dir(tree)], &Default::default())?;
//! let id = commit::write(&tx, root, &Default::default())?;
//! tx.set_refspec("os/main", Some(id))?;
//! tx.commit()?;
//!
//! let mut sysroot = LockedSysroot::load(&sysroot, Options::default())?;
//! sysroot.init_stateroot("os")?;
//! let new = sysroot.deploy(&DeployRequest {
//!     refspec: "os/main".to_owned(),
//!     stateroot: Some("os".to_owned()),
//!     ..DeployRequest::default()
//! })?;
//! assert_eq!(sysroot.deployments()[0].id, new.id);
//! let options = new.entry.get("options");
//! assert_eq!(options, None); // what is on disk has `ostree=` too:
//! assert!(sysroot.deployments()[0].entry.ostree_arg().unwrap().starts_with("/ostree/boot.1/os/"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod bls;
mod booted;
mod bootlinks;
mod bootloader;
mod cleanup;
mod deploy;
mod deployment;
mod dir;
mod edit;
mod error;
pub mod etc;
mod immutable;
mod init;
pub mod kargs;
mod kernel;
mod lock;
mod notice;
mod options;
pub mod origin;
mod os_release;
mod retention;
mod status;
mod strverscmp;
mod sysroot;
mod upgrade;
mod writable;
mod write;

pub use bootloader::Grub2Menu;
pub use cleanup::Cleanup;
pub use deploy::{DeployRequest, KargsChange, NewDeployment};
pub use deployment::{Deployment, DeploymentId, Unlocked};
pub use error::{Error, Result};
pub use init::{Epoch, init_fs};
pub use notice::{Notice, Sink};
pub use options::Options;
pub use retention::Retention;
pub use status::DeploymentStatus;
pub use sysroot::{LockedSysroot, Sysroot};
pub use upgrade::{Fetch, FetchRequest, SwitchOutcome, UpgradeOutcome, UpgradeRequest};
