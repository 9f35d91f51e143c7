//! `ostree admin set-origin`.

use anyhow::{Result, anyhow};
use osier_pull::remote::{Add, IfExists, Location, Remotes};
use osier_sysroot::origin;

use super::open;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{PlainCommand, Usage};
use crate::value;

/// Set Origin and create a new origin file
#[derive(clap::Args)]
#[command(
    after_help = "ostree admin set-origin debian https://ostree.example.org/repo debian/stable/amd64"
)]
pub struct Args {
    /// Set config option KEY=VALUE for remote
    #[arg(short, long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Operate on the deployment INDEX, starting from zero
    #[arg(long, value_name = "INDEX", value_parser = value::int)]
    index: Option<i32>,
    #[arg(value_name = "REMOTENAME URL [BRANCH]", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REMOTENAME URL [BRANCH]";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let [name, url, rest @ ..] = self.rest.as_slice() else {
            return Err(usage("REMOTENAME and URL must be specified"));
        };
        let mut sysroot = open::lock(cx)?;
        let index = match self.index {
            Some(index) => usize::try_from(index).map_err(|_| anyhow!("Invalid index: {index}"))?,
            None => sysroot
                .booted_index()
                .ok_or_else(|| anyhow!("Not currently booted into an OSTree system"))?,
        };
        let old = sysroot.deployment(index)?.refspec();
        let mut add = Add::new(name, Some(Location::from_arg(url)));
        add.if_exists = IfExists::Keep;
        for item in &self.set {
            let (key, value) = item
                .split_once('=')
                .ok_or_else(|| anyhow!("Missing '=' in KEY=VALUE for --set"))?;
            add.set.push((key.to_owned(), value.to_owned()));
        }
        let repo = sysroot.repo();
        let dropins = osier_pull::remote::system_dropins(repo, "/".as_ref());
        Remotes::of(repo, dropins.as_deref())?.add(repo, &add)?;
        let branch = match (rest.first(), &old) {
            (Some(branch), _) => branch.clone(),
            (None, Some(old)) => old.rsplit(':').next().unwrap_or_default().to_owned(),
            (None, None) => {
                return Err(anyhow!(
                    "no branch given, and the deployment's origin has none"
                ));
            }
        };
        sysroot.set_origin(index, origin::from_refspec(&format!("{name}:{branch}"))?)?;
        Ok(())
    }
}
