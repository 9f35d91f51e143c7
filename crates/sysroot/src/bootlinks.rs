//! Bootlinks: the links behind `ostree=` arguments.
//!
//! `ostree/boot.N.n/STATEROOT/BOOTCSUM/BOOTSERIAL` leads to a deployment, `ostree/boot.N` to the
//! active `boot.N.n`. A new set is built beside the active one and made active by renaming one link.

use crate::deployment::Deployment;
use crate::dir::{Beneath, Dir};
use crate::error::Result;

/// Builds `ostree/boot.N.n` for `deployments` anew. It must not be the active one.
pub(crate) fn build(
    root: &Dir,
    bootversion: u8,
    subbootversion: u8,
    deployments: &[Deployment],
) -> Result<()> {
    let ostree = root.open(Beneath::Sysroot, "ostree")?;
    let name = format!("boot.{bootversion}.{subbootversion}");
    ostree.remove_tree(name.as_bytes())?;
    let top = ostree.make_new_dir(&name, 0o755)?;
    for deployment in deployments {
        let stateroot = top.make_dir(&deployment.id.stateroot, 0o755)?;
        let kernel = stateroot.make_dir(&deployment.bootcsum, 0o755)?;
        let target = format!(
            "../../../deploy/{}/deploy/{}",
            deployment.id.stateroot,
            deployment.id.name()
        );
        kernel.make_link(&target, &deployment.bootserial.to_string())?;
    }
    Ok(())
}

/// Makes `ostree/boot.N.n` the active set of boot version N.
pub(crate) fn activate(root: &Dir, bootversion: u8, subbootversion: u8) -> Result<()> {
    let ostree = root.open(Beneath::Sysroot, "ostree")?;
    ostree.replace_link(
        &format!("boot.{bootversion}.{subbootversion}"),
        &format!("boot.{bootversion}"),
    )
}

/// The value of a deployment's `ostree=` argument.
pub(crate) fn target(bootversion: u8, deployment: &Deployment) -> String {
    format!(
        "/ostree/boot.{bootversion}/{}/{}/{}",
        deployment.id.stateroot, deployment.bootcsum, deployment.bootserial
    )
}

/// Numbers deployments with equal boot checksums along the list.
pub(crate) fn assign_serials(deployments: &mut [Deployment]) {
    let mut next: std::collections::HashMap<String, u32> = std::collections::HashMap::new();
    for deployment in deployments {
        let serial = next.entry(deployment.bootcsum.clone()).or_default();
        deployment.bootserial = *serial;
        *serial += 1;
    }
}
