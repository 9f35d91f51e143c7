//! Where things are in the checkout and in the target folder.

use crate::process;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout's top folder, fixed when xtask was compiled.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}

/// Cargo's target folder: `CARGO_TARGET_DIR`, else `target` in the checkout.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The cargo that started us, or the one in PATH.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Builds the programs in release mode and gives the folder they lie in.
pub fn build_release() -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--quiet"]);
    cargo.args(["--package", "osier-cli", "--package", "osier-fuse"]);
    process::run(&mut cargo).context("building the release programs")?;
    let dir = target().join("release");
    for program in ["ostree", "rofiles-fuse"] {
        let built = dir.join(program);
        ensure!(built.is_file(), "{} was not built", built.display());
    }
    Ok(dir)
}

/// The file called `name` in one of PATH's folders.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

/// Whether `file` is a regular file that someone may execute.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
