//! How `upgrade` and `switch` get commits: a pull from a configured remote.

use std::error::Error;
use std::io::Write;

use osier_pull::remote::{Remotes, system_dropins};
use osier_pull::{Cancel, PullOptions, Target, pull};
use osier_store::Repo;
use osier_sysroot::{Fetch, FetchRequest};

use crate::commands::pull::from_environment;
use crate::gpg;
use crate::output::Output;
use crate::progress::PullBar;

/// Pulls from the remotes of the sysroot's repository.
pub struct Remote;

impl Fetch for Remote {
    fn fetch(
        &mut self,
        repo: &Repo,
        request: &FetchRequest<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let dropins = system_dropins(repo, "/".as_ref());
        let remote = Remotes::of(repo, dropins.as_deref())?.get(request.remote)?;
        let options = PullOptions {
            targets: vec![Target::Ref {
                name: request.branch.to_owned(),
                commit: request.commit,
            }],
            timestamp_check_from_rev: request.not_older_than.map(|commit| commit.to_string()),
            ref_remote: Some(request.remote.to_owned()),
            ..from_environment()?
        };
        let mut bar = PullBar::new();
        let outcome = pull(repo, &remote, &options, &mut bar, &Cancel::new())?;
        bar.finish();
        let mut out = Output::stdout();
        gpg::print_verified(&mut out, &outcome)?;
        out.flush()?;
        Ok(())
    }
}
