//! `ostree remote list`.

use std::io::Write;

use anyhow::Result;
use osier_pull::remote::RemoteError;
use osier_store::Repo;

use crate::context::Cx;
use crate::json::remote::{self, Remote};
use crate::table::{RepoCommand, Usage};

/// List the remotes
#[derive(clap::Args)]
#[command(after_help = "ostree remote list --repo=repo --show-urls")]
pub struct Args {
    /// Print each remote's URL too
    #[arg(short = 'u', long)]
    show_urls: bool,
    /// Print JSON, always with the URL
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let remotes = super::remotes(cx, repo)?;
        let names = remotes.names();
        if self.json {
            let remote = |name: &&str| {
                Ok(Remote {
                    name: (*name).to_owned(),
                    url: match remotes.get(name)?.url() {
                        Err(RemoteError::MissingOption { .. }) => None,
                        url => Some(url?),
                    },
                })
            };
            let list: Vec<Remote> = names.iter().map(remote).collect::<Result<_>>()?;
            return Ok(remote::print(&mut cx.out, list)?);
        }
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        for name in names {
            if self.show_urls {
                writeln!(cx.out, "{name:width$}  {}", remotes.get(name)?.url()?)?;
            } else {
                writeln!(cx.out, "{name}")?;
            }
        }
        Ok(())
    }
}
