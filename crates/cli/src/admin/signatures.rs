//! What `status` tells about the signatures of what is deployed.

use std::io::Write;

use anyhow::{Result, bail};
use osier_object::{CommitId, ObjectType};
use osier_pull::remote::{Remote, RemoteError, Remotes, SignVerify, system_dropins};
use osier_pull::verify::{Demands, Signatures};
use osier_sign::openpgp::describe;
use osier_store::{ReadObjects, Repo};
use osier_sysroot::DeploymentStatus;

use crate::commands::pull::trust;
use crate::render::date;
use crate::{clock, gpg};

/// The remote that a deployment's upgrades come from; none for those of local branches, or if it is gone.
fn remote_of(repo: &Repo, status: &DeploymentStatus) -> Result<Option<Remote>> {
    let Some((name, _)) = status.refspec.as_ref().and_then(|r| r.split_once(':')) else {
        return Ok(None);
    };
    match remotes(repo)?.get(name) {
        Ok(remote) => Ok(Some(remote)),
        Err(RemoteError::NotFound(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn remotes(repo: &Repo) -> Result<Remotes> {
    let dropins = system_dropins(repo, "/".as_ref());
    Ok(Remotes::of(repo, dropins.as_deref())?)
}

/// The lines about GPG signatures, whatever they are worth, where the remote demands any.
///
/// # Errors
/// There are none, or they cannot be read.
pub fn write(out: &mut dyn Write, repo: &Repo, status: &DeploymentStatus) -> Result<()> {
    let Some(remote) = remote_of(repo, status)? else {
        return Ok(());
    };
    if !remote.gpg_verify()? {
        return Ok(());
    }
    match lines(repo, &remote, status) {
        Ok(lines) => {
            for line in lines {
                writeln!(out, "    GPG: {line}")?;
            }
            Ok(())
        }
        Err(e) => bail!("Deployment {}: {e:#}", status.index),
    }
}

fn lines(repo: &Repo, remote: &Remote, status: &DeploymentStatus) -> Result<Vec<String>> {
    let id: CommitId = status.checksum.parse()?;
    let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
    let metadata = repo.load_commitmeta(&id)?.unwrap_or_default();
    let keys = remote.keyring(repo, Some(&gpg::trusted_dir()))?;
    let Some(reports) = gpg::reports(&keys, &bytes, &metadata)? else {
        bail!(
            "GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
        );
    };
    let now = clock::now()?;
    let texts: Vec<String> = reports
        .iter()
        .map(|report| describe(report, "", now, &date::local))
        .collect();
    Ok(texts
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect())
}

/// `--verify`: everything that the remote demands must hold.
///
/// # Errors
/// It does not, or nothing is demanded.
pub fn verify(out: &mut dyn Write, repo: &Repo, status: &DeploymentStatus) -> Result<()> {
    let Some(refspec) = &status.refspec else {
        bail!("No origin/refspec, cannot verify");
    };
    let Some((name, _)) = refspec.split_once(':') else {
        bail!("Cannot verify deployment without remote");
    };
    let remote = remotes(repo)?.get(name)?;
    let demands = Demands::of(&remote)?;
    if !demands.gpg && demands.sign == SignVerify::Off {
        bail!(
            "Cannot verify commit for remote {name}; GPG verification disabled, and no signapi verifiers configured"
        );
    }
    let id: CommitId = status.checksum.parse()?;
    let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
    let Some(metadata) = repo.load_commitmeta(&id)? else {
        bail!("Can't verify commit without detached metadata");
    };
    let signatures = Signatures::demanding(&demands, repo, &remote, &trust()?)?;
    let verified = match signatures.check_commit(&id, &bytes, Some(&metadata)) {
        Ok(verified) => verified,
        // Which commit it is, is said above.
        Err(osier_pull::Error::Commit { problem, .. }) => return Err(problem.into()),
        Err(e) => return Err(e.into()),
    };
    if demands.gpg {
        for line in lines(repo, &remote, status)? {
            writeln!(out, "GPG: {line}")?;
        }
        writeln!(out)?;
    }
    if let Some(text) = verified.sign {
        writeln!(out, "{text}")?;
    }
    Ok(())
}
