//! `ostree pull`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use osier_object::refs::parse_refspec;
use osier_pull::fetch::Proxies;
use osier_pull::verify::Trust;
use osier_pull::{Cancel, PullOptions, Target, pull};
use osier_store::Repo;

use crate::commands::remote::remotes;
use crate::context::Cx;
use crate::error::{report, usage};
use crate::json::pull::Events;
use crate::progress::PullBar;
use crate::render::date;
use crate::table::{RepoCommand, Usage};
use crate::{clock, gpg, signing, value};

/// Fetch commits from a remote
#[derive(clap::Args)]
#[command(after_help = "ostree pull --repo=repo origin exampleos/x86_64/stable")]
pub struct Args {
    /// Fetch the commit objects only
    #[arg(long)]
    commit_metadata_only: bool,
    /// Keep summaries in this folder, in place of the repository's own
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Do not sync to disk
    #[arg(long)]
    disable_fsync: bool,
    /// Sync each file by itself
    #[arg(long)]
    per_object_fsync: bool,
    /// Use no static deltas
    #[arg(long)]
    disable_static_deltas: bool,
    /// Fail unless there are static deltas
    #[arg(long)]
    require_static_deltas: bool,
    /// Do not try again after a network error
    #[arg(long)]
    disable_retry_on_network_errors: bool,
    /// Write refs as the server has them, and fetch all of them unless some are named
    #[arg(long)]
    mirror: bool,
    /// Fetch only what is at or below this path (repeatable)
    #[arg(long, value_name = "PATH")]
    subpath: Vec<String>,
    /// Check objects from local repositories (those from the network always are)
    #[arg(long)]
    untrusted: bool,
    /// Do not check objects from a local cache repository
    #[arg(long)]
    http_trusted: bool,
    /// Refuse files with mode bits outside 0775
    #[arg(long)]
    bareuseronly_files: bool,
    /// Only say what would be fetched (needs --require-static-deltas)
    #[arg(long)]
    dry_run: bool,
    /// Parents to fetch (default: 0; -1 for all)
    #[arg(long, value_name = "DEPTH", value_parser = value::int)]
    depth: Option<i32>,
    /// Fetch from this URL, in place of the remote's
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Send this header with every request (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    http_header: Vec<String>,
    /// Milliseconds between updates of the bar
    #[arg(long, value_name = "FREQUENCY", value_parser = value::int)]
    update_frequency: Option<i32>,
    /// How often a request is tried again after an error (default: 5)
    #[arg(long, value_name = "N", value_parser = value::int)]
    network_retries: Option<i32>,
    /// Give up a transfer that is slower than this many bytes a second (default: 1000)
    #[arg(long, value_name = "N", value_parser = value::int)]
    low_speed_limit_bytes: Option<i32>,
    /// … for this many seconds (default: 30)
    #[arg(long, value_name = "N", value_parser = value::int)]
    low_speed_time_seconds: Option<i32>,
    /// Requests at the same time (default: 8)
    #[arg(long, value_name = "N", value_parser = value::int)]
    max_outstanding_fetcher_requests: Option<i32>,
    /// Take objects from this repository where it has them (repeatable)
    #[arg(short = 'L', long, value_name = "REPO")]
    localcache_repo: Vec<PathBuf>,
    /// Refuse commits older than what their ref names now
    #[arg(short = 'T', long)]
    timestamp_check: bool,
    /// Refuse commits older than this one
    #[arg(long, value_name = "REV")]
    timestamp_check_from_rev: Option<String>,
    /// Do not check that commits were made for the refs that lead to them
    #[arg(long)]
    disable_verify_bindings: bool,
    /// Say this too about who asks
    #[arg(long, value_name = "TEXT", hide = true)]
    append_user_agent: Option<String>,
    /// Print each event as a line of JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REMOTE [BRANCH...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((first, rest)) = self.args.split_first() else {
            return Err(usage("REMOTE must be specified"));
        };
        if self.dry_run && !self.require_static_deltas {
            bail!("--dry-run requires --require-static-deltas");
        }
        if self.require_static_deltas && self.disable_static_deltas {
            bail!("--require-static-deltas and --disable-static-deltas exclude each other");
        }
        let (name, named) = if first.contains(':') {
            let refspec = parse_refspec(first)?;
            (refspec.remote.unwrap_or_default(), Some(refspec.name))
        } else {
            (first.clone(), None)
        };
        let targets = named
            .iter()
            .chain(rest)
            .map(|t| Target::parse(t))
            .collect::<Result<Vec<_>, _>>()?;
        let remote = remotes(cx, repo)?.get(&name)?;
        let options = self.options(targets, &name)?;
        let cancel = Cancel::new();
        if self.json {
            let configured = remote.string("url")?;
            let url = self.url.as_deref().or(configured.as_deref());
            let from = (name.as_str(), url);
            let mut events =
                Events::start(&mut cx.out, cancel.clone(), from, self.mirror, self.dry_run);
            let result = pull(repo, &remote, &options, &mut events, &cancel).map_err(Error::from);
            let ended = match &result {
                Ok(outcome) => events.end(Ok(outcome)),
                Err(error) => events.end(Err(report(error).text.unwrap_or_default())),
            };
            // Where nobody reads any more, that is why it was cancelled.
            ended?;
            result?;
            return Ok(());
        }
        let mut bar = PullBar::new();
        let outcome = pull(repo, &remote, &options, &mut bar, &cancel)?;
        bar.finish();
        gpg::print_verified(&mut cx.out, &outcome)?;
        writeln!(cx.out, "{}", outcome.status_line())?;
        Ok(())
    }
}

impl Args {
    fn options(&self, targets: Vec<Target>, remote: &str) -> Result<PullOptions> {
        let default = PullOptions::default();
        let seconds = self
            .low_speed_time_seconds
            .map(|n| Duration::from_secs(n.max(0).unsigned_abs().into()));
        Ok(PullOptions {
            targets,
            mirror: self.mirror,
            depth: self.depth.unwrap_or(0).into(),
            subpaths: self.subpath.clone(),
            commit_metadata_only: self.commit_metadata_only,
            disable_static_deltas: self.disable_static_deltas,
            require_static_deltas: self.require_static_deltas,
            dry_run: self.dry_run,
            bareuseronly_files: self.bareuseronly_files,
            http_trusted: self.http_trusted && !self.untrusted,
            untrusted: self.untrusted,
            url: self.url.clone(),
            localcache_repos: self.localcache_repo.clone(),
            timestamp_check: self.timestamp_check,
            timestamp_check_from_rev: self.timestamp_check_from_rev.clone(),
            disable_verify_bindings: self.disable_verify_bindings,
            cache_dir: self.cache_dir.clone(),
            ref_remote: if self.mirror {
                None
            } else {
                Some(remote.to_owned())
            },
            fsync: if self.disable_fsync {
                Some(false)
            } else {
                None
            },
            per_object_fsync: if self.per_object_fsync {
                Some(true)
            } else {
                None
            },
            http_headers: self
                .http_header
                .iter()
                .map(|h| header(h))
                .collect::<Result<_>>()?,
            append_user_agent: self.append_user_agent.clone(),
            network_retries: number(self.network_retries, default.network_retries),
            disable_retry_on_network_errors: self.disable_retry_on_network_errors,
            low_speed_limit: number(self.low_speed_limit_bytes, 1000).into(),
            low_speed_time: seconds.unwrap_or(default.low_speed_time),
            concurrency: self
                .max_outstanding_fetcher_requests
                .map(|given| number(Some(given), 8).max(1) as usize),
            update_interval: match self.update_frequency {
                None | Some(..=0) => default.update_interval,
                Some(ms) => Duration::from_millis(ms.unsigned_abs().into()),
            },
            ..from_environment()?
        })
    }
}

fn number(given: Option<i32>, default: u32) -> u32 {
    given.map_or(default, |n| n.max(0).unsigned_abs())
}

fn header(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => bail!("Missing '=' in --http-header"),
    }
}

/// What fetching takes from the environment: the time, proxies, whether to cache, whom to trust.
///
/// # Errors
/// When the clock is unusable.
pub fn from_environment() -> Result<PullOptions> {
    Ok(PullOptions {
        now: clock::now()?.try_into().context("reading the clock")?,
        proxies: Proxies::from_variables(|name| std::env::var(name).ok()),
        skip_cache: std::env::var_os("OSTREE_SKIP_CACHE").is_some(),
        refuse_invalid_cache: std::env::var("OSTREE_REPO_TEST_ERROR").as_deref()
            == Ok("invalid-cache"),
        trust: trust()?,
        ..Default::default()
    })
}

/// Where trusted keys are, and what time it is for those that expire.
///
/// # Errors
/// When the clock is unusable.
pub fn trust() -> Result<Trust> {
    Ok(Trust {
        gpg_home: Some(gpg::trusted_dir()),
        now: clock::now()?,
        date: Some(date::local),
        sign_dirs: signing::key_dirs(),
        dummy: signing::dummy_enabled(),
    })
}
