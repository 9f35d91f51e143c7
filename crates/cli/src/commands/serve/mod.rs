//! `ostree serve`.

mod advertise;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use osier_serve::{AccessLog, NoLog, Record, ServeOptions, Server};
use osier_store::{OpenOptions as RepoOptions, Repo};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::clock;
use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// Only this machine, unless somebody says otherwise.
const ADDRESS: &str = "127.0.0.1:8000";

/// Serve a repository over HTTP until stopped
#[derive(clap::Args)]
#[command(
    after_help = "ostree serve --repo=repo --address=0.0.0.0:8000\nostree serve --repo=repo --address=127.0.0.1:0 --access-log=-\nostree serve --repo=repo --address=0.0.0.0:8000 --advertise"
)]
pub struct Args {
    /// Listen at this address (default: 127.0.0.1:8000; port 0 for any that is free)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = ADDRESS)]
    address: String,
    /// Write a line for each request to this file (- for standard error)
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// Serve so many connections at a time (default: 256)
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    max_connections: u16,
    /// Announce the repository to the local network, where `find-remotes --finders=lan` finds it
    #[arg(long)]
    advertise: bool,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let path = std::path::absolute(repo.path())?;
        let address = resolve(&self.address)?;
        let log: Arc<dyn AccessLog> = match &self.access_log {
            None => Arc::new(NoLog),
            Some(file) => Arc::new(Lines::open(file)?),
        };
        let options = ServeOptions {
            connections: usize::from(self.max_connections),
            ..ServeOptions::default()
        };
        // Opened anew: the server keeps it for as long as it runs.
        let repo = Repo::open_with(
            &path,
            &RepoOptions {
                boot_id: Some(repo.boot_id().to_owned()),
            },
        )?;
        let server = Server::bind(repo, address, options)?;
        let mut signals = Signals::new([SIGTERM, SIGINT]).context("catching signals")?;
        let stopper = server.stopper();
        let _advertised = match self.advertise {
            true => Some(advertise::start(&path, server.address())?),
            false => None,
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut signals = signals.forever();
                if signals.next().is_some() {
                    stopper.stop();
                }
                // Whoever asks twice does not want to wait.
                if let Some(signal) = signals.next() {
                    std::process::exit(128 + signal);
                }
            })
            .context("starting a thread")?;
        writeln!(
            cx.out,
            "Serving {} at http://{}/",
            path.display(),
            server.address()
        )?;
        cx.out.flush()?;
        server.run(log)?;
        Ok(())
    }
}

/// `HOST:PORT`, where the host may be a name.
fn resolve(address: &str) -> Result<SocketAddr> {
    let mut found = address
        .to_socket_addrs()
        .with_context(|| format!("Invalid --address={address}"))?;
    found
        .next()
        .with_context(|| format!("Invalid --address={address}: it names no address"))
}

/// A line a request, as web servers have long written them.
struct Lines(Mutex<File>);

impl Lines {
    fn open(path: &Path) -> Result<Lines> {
        let path = match path.as_os_str() == "-" {
            true => Path::new("/dev/stderr"),
            false => path,
        };
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("opening {}", path.display()))?;
        Ok(Lines(Mutex::new(file)))
    }
}

impl AccessLog for Lines {
    fn record(&self, record: &Record) {
        let time = clock::now()
            .ok()
            .and_then(|now| i64::try_from(now).ok())
            .and_then(|now| jiff::Timestamp::from_second(now).ok())
            .map(|now| now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
            .unwrap_or_default();
        let mut line = format!(
            "{} - - [{time}] \"{} {} HTTP/1.1\" {} {} \"-\" \"{}\"",
            record.peer.ip(),
            record.method,
            record.target,
            record.status,
            record.bytes,
            record.agent
        );
        if let Some(failure) = &record.failure {
            line.push_str(&format!(" error: {failure}"));
        }
        line.push('\n');
        // A full disk is no reason to stop serving.
        if let Ok(mut file) = self.0.lock() {
            let _ = file.write_all(line.as_bytes());
        }
    }
}
