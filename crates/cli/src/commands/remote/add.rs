//! `ostree remote add`.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use osier_pull::remote::{Add, IfExists, Location, Remotes, SignKey};
use osier_store::Repo;

use super::{Edit, gpg_import};
use crate::context::Cx;
use crate::error::usage;
use crate::table::{PlainCommand, Usage};

/// Add a remote
#[derive(clap::Args)]
#[command(
    after_help = "ostree remote add --repo=repo origin https://ostree.example.com/repo exampleos/x86_64/stable"
)]
pub struct Args {
    /// Set any key of the remote's configuration (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Accept commits without GPG signatures
    #[arg(long)]
    no_gpg_verify: bool,
    /// Accept commits without any signatures
    #[arg(long)]
    no_sign_verify: bool,
    /// Accept only commits signed with this public key (repeatable)
    #[arg(long, value_name = "KEYTYPE=[inline|file]:PUBKEY")]
    sign_verify: Vec<String>,
    /// Leave a remote of that name as it is
    #[arg(long)]
    if_not_exists: bool,
    /// Replace a remote of that name
    #[arg(long)]
    force: bool,
    /// Import GPG keys for the remote from this file
    #[arg(long, value_name = "FILE")]
    gpg_import: Option<PathBuf>,
    /// The remote is fetched from by another program
    #[arg(long, value_name = "NAME")]
    custom_backend: Option<String>,
    /// Fetch objects from this URL
    #[arg(long, value_name = "URL")]
    contenturl: Option<String>,
    /// The collection that the remote's refs belong to
    #[arg(long, value_name = "COLLECTION-ID")]
    collection_id: Option<String>,
    /// Sysroot whose remote it becomes, in place of --repo
    #[arg(long, value_name = "PATH")]
    sysroot: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME [metalink=|mirrorlist=]URL [BRANCH...]";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let edit = Edit::open(cx, self.sysroot.as_deref())?;
        let (name, location) = match (&self.args[..], &self.custom_backend) {
            ([name, url, ..], _) => (name, Some(Location::from_arg(url))),
            ([name], Some(_)) => (name, None),
            _ => return Err(usage("NAME and URL must be specified")),
        };
        if self.if_not_exists && self.force {
            return Err(usage("Can only specify one of --if-not-exists and --force"));
        }
        if self.no_sign_verify && !self.sign_verify.is_empty() {
            bail!("Cannot specify both --sign-verify and --no-sign-verify");
        }
        let add = Add {
            branches: self.args.iter().skip(2).cloned().collect(),
            content_url: self.contenturl,
            custom_backend: self.custom_backend,
            set: self
                .set
                .iter()
                .map(|pair| key_value(pair))
                .collect::<Result<_>>()?,
            no_gpg_verify: self.no_gpg_verify,
            no_sign_verify: self.no_sign_verify,
            sign_keys: self
                .sign_verify
                .iter()
                .map(|text| SignKey::from_arg(text).map_err(|e| anyhow!(e)))
                .collect::<Result<_>>()?,
            collection_id: self.collection_id,
            if_exists: match (self.if_not_exists, self.force) {
                (true, _) => IfExists::Keep,
                (_, true) => IfExists::Replace,
                _ => IfExists::Fail,
            },
            ..Add::new(name, location)
        };
        edit.remotes.add(&edit.repo, &add)?;
        match &self.gpg_import {
            Some(file) => import(cx, &edit, name, file),
            None => Ok(()),
        }
    }
}

/// Imports keys for the remote that was just written, or was there before.
fn import(cx: &mut Cx, edit: &Edit, name: &str, file: &Path) -> Result<()> {
    let keys = gpg_import::read_file(file)?;
    let repo = Repo::open(edit.repo.path())?;
    let remote = Remotes::of(&repo, edit.dropins.as_deref())?.get(name)?;
    let imported = remote.import_keys(&repo, keys)?;
    gpg_import::print(&mut cx.out, imported, name)
}

fn key_value(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => bail!("Missing '=' in KEY=VALUE for --set"),
    }
}
