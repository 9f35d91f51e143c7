//! `ostree receive`: the other end of `ostree push` over ssh.

use std::io::{BufReader, BufWriter};
use std::time::Duration;

use anyhow::Result;
use osier_publish::ssh::{Patient, receive};
use osier_store::Repo;
use osier_store::parallel::Cancel;

use crate::context::Cx;
use crate::error::Exit;
use crate::table::{RepoCommand, Usage};

/// A sender that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(600);

/// Take what `ostree push` sends, from standard input
#[derive(clap::Args)]
#[command(after_help = "ostree receive --repo=/srv/repo")]
pub struct Args {}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, _cx: &mut Cx, repo: &Repo) -> Result<()> {
        let stdin = std::io::stdin();
        let mut from = BufReader::with_capacity(256 * 1024, Patient::new(stdin.lock(), PATIENCE));
        let mut to = BufWriter::new(std::io::stdout().lock());
        // The sender has been told, and tells whoever sits there.
        receive(repo, &mut from, &mut to, &Cancel::default()).map_err(|_| Exit(1).into())
    }
}
