//! `ostree admin init-fs`.

use std::path::Path;

use anyhow::Result;
use osier_store::RepoMode;
use osier_sysroot::{Epoch, init_fs};

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};
use crate::value;

/// Initialize a root filesystem
#[derive(clap::Args)]
#[command(after_help = "ostree admin init-fs --modern /mnt")]
pub struct Args {
    /// Only create /boot and /ostree
    #[arg(long)]
    modern: bool,
    /// Layout: 0 with the folders of a root file system, 1 as --modern, 2 closed to all but root
    #[arg(short = 'E', long, value_parser = value::int, value_name = "NUMBER")]
    epoch: Option<i32>,
    /// Mode of the repository (default: bare); an ordinary user can deploy from bare-user-only
    #[arg(
        long,
        value_name = "MODE",
        default_value = "bare",
        hide_default_value = true
    )]
    repo_mode: RepoMode,
    #[arg(value_name = "PATH", hide = true)]
    path: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "PATH";
}

impl PlainCommand for Args {
    fn run(self, _: &mut Cx) -> Result<()> {
        let path = open::first(&self.path, "PATH must be specified")?;
        let epoch = match self.epoch {
            Some(number) => Epoch::from_number(number)?,
            None if self.modern => Epoch::Modern,
            None => Epoch::Classic,
        };
        Ok(init_fs(Path::new(path), epoch, self.repo_mode)?)
    }
}
