//! `ostree push`.

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use osier_publish::bucket::{self, BucketSettings};
use osier_publish::ssh::{self, SshSettings};
use osier_publish::{Destination, PushOptions, PushOutcome};
use osier_pull::fetch::Proxies;
use osier_store::parallel::Cancel;
use osier_store::size_text::si;
use osier_store::{OpenOptions, Repo};

use crate::clock;
use crate::commands::prune::depth_of;
use crate::context::Cx;
use crate::error::{hinted, usage};
use crate::json;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};
use crate::value;

/// Bring commits to another machine or an object store that clients pull from
#[derive(clap::Args)]
#[command(
    after_help = "ostree push --repo=repo builder@example.org:/srv/repo exampleos/x86_64/stable\nostree push --repo=repo --delete-stale s3://bucket/repo"
)]
pub struct Args {
    /// Parents to bring along (default: 0; -1 for all)
    #[arg(long, value_name = "DEPTH", value_parser = value::int, default_value = "0")]
    depth: i32,
    /// Move refs to commits that do not follow those they are at
    #[arg(long)]
    force: bool,
    /// Bring no static deltas
    #[arg(long)]
    disable_static_deltas: bool,
    /// Delete what no ref of the destination needs, and, unless refs are named, refs that are not here
    #[arg(long)]
    delete_stale: bool,
    /// Keep stale objects for so long after they were written (default: 3600; object stores only)
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    stale_age: u64,
    /// Replace a signed summary that cannot be made anew by an unsigned one
    #[arg(long)]
    unsigned_summary: bool,
    /// Say what would be done, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Transfers at a time (default: 8; object stores only)
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Tries of a request after the first (default: 10; object stores only)
    #[arg(long, value_name = "N")]
    network_retries: Option<usize>,
    /// The ssh program with its options (default: $OSTREE_SSH, else ssh)
    #[arg(long, value_name = "COMMAND")]
    ssh: Option<String>,
    /// The ostree program of the other machine
    #[arg(long, value_name = "PATH", default_value = "ostree")]
    remote_ostree: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "DESTINATION [REF...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((destination, refs)) = self.args.split_first() else {
            return Err(usage("DESTINATION must be specified"));
        };
        let options = PushOptions {
            refs: refs.to_vec(),
            depth: depth_of(self.depth),
            force: self.force,
            no_deltas: self.disable_static_deltas,
            delete_stale: self.delete_stale,
            stale_age: self.stale_age,
            unsigned_summary: self.unsigned_summary,
            dry_run: self.dry_run,
            jobs: usize::from(self.jobs),
            now: clock::now()?,
        };
        let bar = Bar::new("Sending objects");
        let cancel = Cancel::default();
        let outcome = match Destination::parse(destination) {
            Ok(Destination::Ssh(there)) => {
                let settings = self.ssh_settings();
                ssh::push(repo, &there, &settings, &options, &bar, &cancel)
            }
            Ok(Destination::Bucket(url)) => {
                // Threads of their own keep it.
                let boot_id = Some(repo.boot_id().to_owned());
                let shared = Arc::new(Repo::open_with(repo.path(), &OpenOptions { boot_id })?);
                let proxies = Proxies::from_variables(|name| std::env::var(name).ok());
                let settings = BucketSettings {
                    retries: self.network_retries,
                    ..BucketSettings::from_variables(variables(), proxies)
                };
                bucket::push(&shared, &url, &settings, &options, &bar, &cancel)
            }
            Err(e) => Err(e),
        };
        bar.finish();
        let outcome = outcome.map_err(|e| {
            let hint = e.hint();
            hinted(e, hint)
        })?;
        match self.json {
            true => json::push::print(&mut cx.out, self.dry_run, &outcome)?,
            false => print(&mut cx.out, self.dry_run, &outcome)?,
        }
        Ok(())
    }
}

impl Args {
    fn ssh_settings(&self) -> SshSettings {
        let given = self.ssh.clone().or_else(|| {
            std::env::var("OSTREE_SSH")
                .ok()
                .filter(|text| !text.is_empty())
        });
        let default = SshSettings::default();
        SshSettings {
            command: given.map_or(default.command, |text| {
                text.split_whitespace().map(str::to_owned).collect()
            }),
            remote_program: self.remote_ostree.clone(),
        }
    }
}

/// The environment, but for what is no text.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn print(out: &mut dyn Write, dry: bool, outcome: &PushOutcome) -> std::io::Result<()> {
    for change in &outcome.refs {
        let name = &change.name;
        match (&change.old, &change.new) {
            (None, Some(new)) => writeln!(out, "{name}: {new} (new)")?,
            (Some(old), Some(new)) => writeln!(out, "{name}: {old} -> {new}")?,
            (Some(old), None) => writeln!(out, "{name}: {old} (deleted)")?,
            (None, None) => {}
        }
    }
    let mut line = match dry {
        true => format!(
            "Would send {} of {} objects",
            outcome.objects_sent, outcome.objects
        ),
        false => format!(
            "{} of {} objects sent",
            outcome.objects_sent, outcome.objects
        ),
    };
    if outcome.deltas_sent > 0 {
        line.push_str(&format!(", {} static deltas", outcome.deltas_sent));
    }
    if outcome.bytes_sent > 0 {
        line.push_str(&format!("; {}", si(outcome.bytes_sent)));
    }
    if outcome.objects_deleted > 0 || outcome.deltas_deleted > 0 {
        line.push_str(&format!(
            "; {} stale objects and {} stale deltas {}",
            outcome.objects_deleted,
            outcome.deltas_deleted,
            if dry { "to delete" } else { "deleted" }
        ));
    }
    writeln!(out, "{line}")
}
