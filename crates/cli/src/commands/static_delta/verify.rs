//! `ostree static-delta verify`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_delta::format::signed;
use osier_delta::signatures;
use osier_sign::api::{Error, Kind};
use osier_store::Repo;

use super::{delta_argument, delta_files};
use crate::context::Cx;
use crate::signing::{TrustArgs, dummy_enabled};
use crate::table::{RepoCommand, Usage};

/// Check the signatures of a delta
///
/// STATIC-DELTA-FILE is a delta of the repository (TO or FROM-TO), or the path of a superblock, which must contain a slash.
/// One valid signature by one of the keys is enough.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta verify --repo=repo FROM-TO KEY-ID")]
pub struct Args {
    #[command(flatten)]
    trust: TrustArgs,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "STATIC-DELTA-FILE [KEY-ID...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let argument = delta_argument(&self.args)?;
        let kind = match self.trust.kind() {
            Ok(kind) => kind,
            Err(error) => {
                writeln!(cx.out, "Sign-type not supported")?;
                return Err(error.into());
            }
        };
        let trusted = self.trust.trusted(&self.args[1..])?;
        let bytes = delta_files(repo, argument)?.superblock()?;
        let verdict = signed::open(&bytes).and_then(|(plain, found)| {
            signatures::verify(plain, found.as_ref(), std::slice::from_ref(&trusted))
        });
        let refusal = match verdict {
            // What is signed by nobody is said to be that, whatever is switched off.
            Ok(_) if kind == Kind::Dummy && !dummy_enabled() => Error::DummyOff.into(),
            Ok(_) => {
                writeln!(cx.out, "Verification OK")?;
                return Ok(());
            }
            Err(error) => anyhow::Error::from(error),
        };
        writeln!(cx.out, "Verification fails")?;
        bail!(refusal)
    }
}
