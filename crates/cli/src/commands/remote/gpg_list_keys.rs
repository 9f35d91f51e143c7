//! `ostree remote gpg-list-keys`.

use std::io::Write;

use anyhow::Result;
use osier_pull::remote::keyrings_in;
use osier_sign::openpgp::KeyInfo;
use osier_store::Repo;

use crate::context::Cx;
use crate::json;
use crate::render::date;
use crate::table::{RepoCommand, Usage};
use crate::{clock, gpg};

/// List the GPG keys of a remote, or those that all remotes trust
#[derive(clap::Args)]
#[command(after_help = "ostree remote gpg-list-keys --repo=repo origin")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let keys = match self.args.first() {
            Some(name) => super::remotes(cx, repo)?
                .get(name)?
                .own_keyring(repo)?
                .unwrap_or_default(),
            None => keyrings_in(&gpg::trusted_dir())?,
        };
        let now = clock::now()?;
        if self.json {
            json::keys::print(&mut cx.out, keys.list(now), now)?;
            return Ok(());
        }
        for key in keys.list(now) {
            print(&mut cx.out, &key, now)?;
        }
        Ok(())
    }
}

fn print(out: &mut dyn Write, key: &KeyInfo, now: u64) -> Result<()> {
    let state = |revoked, valid| match (revoked, valid) {
        (true, true) => " (revoked)",
        (true, false) => " (revoked) (invalid)",
        (false, false) => " (invalid)",
        (false, true) => "",
    };
    writeln!(
        out,
        "Key: {}{}",
        key.fingerprint,
        state(key.revoked, key.valid)
    )?;
    let over = |revoked: bool, time: u64| !revoked && time <= now;
    dates(
        out,
        "  ",
        key.created,
        key.expires.map(|time| (time, over(key.revoked, time))),
    )?;
    for user in &key.users {
        writeln!(out, "  UID: {}{}", user.id, state(user.revoked, user.valid))?;
        let (advanced, direct) = user.update_urls.clone().unwrap_or_default();
        writeln!(out, "  Advanced update URL: {advanced}")?;
        writeln!(out, "  Direct update URL: {direct}")?;
    }
    for subkey in &key.subkeys {
        writeln!(
            out,
            "  Subkey: {}{}",
            subkey.fingerprint,
            state(subkey.revoked, subkey.valid)
        )?;
        let expires = subkey
            .expires
            .map(|time| (time, over(subkey.revoked, time)));
        dates(out, "    ", subkey.created, expires)?;
    }
    Ok(())
}

/// When a key was made, and when it expires or expired; of a revoked key the C tool says `Expires` in any case.
fn dates(
    out: &mut dyn Write,
    indent: &str,
    created: u64,
    expires: Option<(u64, bool)>,
) -> Result<()> {
    writeln!(out, "{indent}Created: {}", date::local(created))?;
    if let Some((time, over)) = expires {
        let verb = if over { "Expired" } else { "Expires" };
        writeln!(out, "{indent}{verb}: {}", date::local(time))?;
    }
    Ok(())
}
