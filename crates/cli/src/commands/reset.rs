//! `ostree reset`.

use anyhow::{Result, bail};
use osier_store::{ReadObjects, RefKey, Repo, TransactionOptions};

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// Point a ref at another commit
#[derive(clap::Args)]
#[command(after_help = "ostree reset --repo=repo exampleos/x86_64/stable exampleos/x86_64/stable^")]
pub struct Args {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REF COMMIT";
}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let [name, rev, ..] = self.args.as_slice() else {
            return Err(usage("A REF and COMMIT argument is required"));
        };
        let key = RefKey::from_refspec(name)?;
        if repo.read_ref(&key)?.is_none() {
            bail!("Invalid ref '{name}'");
        }
        // From here on nobody can delete the commit that is found.
        let mut transaction = repo.begin(&TransactionOptions::default())?;
        transaction.hold_refs()?;
        let commit = repo.resolve_rev(rev)?;
        repo.load_commit(&commit)?;
        transaction.set_ref(key, Some(commit));
        transaction.commit()?;
        Ok(())
    }
}
