//! Remotes that the configuration names, with the collection they belong to.

use super::{Candidate, Finder};
use crate::remote::{RemoteError, Remotes};

/// The configured remotes with a valid collection id and a URL.
pub(super) fn candidates(remotes: &Remotes) -> Result<Vec<Candidate>, RemoteError> {
    let mut all = Vec::new();
    for name in remotes.names() {
        let remote = remotes.get(name)?;
        match (remote.collection_id(), remote.url()) {
            (Ok(Some(_)), Ok(url)) => all.push(Candidate {
                finder: Finder::Config,
                remote,
                url,
            }),
            (Err(cause), _) => tracing::debug!("passing over remote {name:?}: {cause}"),
            _ => {}
        }
    }
    Ok(all)
}
