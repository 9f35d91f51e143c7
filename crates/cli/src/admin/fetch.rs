//! How `upgrade` and `switch` get commits: a pull from a configured remote.

use std::error::Error;

use osier_pull::remote::Remotes;
use osier_pull::{Cancel, PullOptions, Target, pull};
use osier_store::Repo;
use osier_sysroot::{Fetch, FetchRequest};

/// Pulls from the remotes of the sysroot's repository.
pub struct Remote;

impl Fetch for Remote {
    fn fetch(
        &mut self,
        repo: &Repo,
        request: &FetchRequest<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let dropins = osier_pull::remote::system_dropins(repo, "/".as_ref());
        let remote = Remotes::of(repo, dropins.as_deref())?.get(request.remote)?;
        let options = PullOptions {
            targets: vec![Target::Ref {
                name: request.branch.to_owned(),
                commit: request.commit,
            }],
            timestamp_check_from_rev: request.not_older_than.map(|commit| commit.to_string()),
            ref_remote: Some(request.remote.to_owned()),
            now: jiff::Timestamp::now().as_second(),
            ..PullOptions::default()
        };
        pull(repo, &remote, &options, &mut (), &Cancel::new())?;
        Ok(())
    }
}
