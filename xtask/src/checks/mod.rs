//! The rules of the tree.
use anyhow::Result;
/// Options of `cargo xtask check`.
#[derive(clap::Args)]
pub struct Args {}
/// Checks.
pub fn run(_args: &Args) -> Result<bool> {
    Ok(true)
}
