//! `ostree serve --advertise`: what is served is announced to the local network, and announced anew when its summary changes.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use osier_object::Summary;
use osier_pull::finder::{Advertise, Advertiser, Announcement};

/// How often the summary is looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// An announcement that goes on until this is dropped.
pub struct Running {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to announce the repository at `repo`, served at `address`.
pub fn start(repo: &Path, address: SocketAddr) -> Result<Running> {
    let summary = repo.join("summary");
    let bytes = read(&summary)?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let options = Advertise {
        name: if host.is_empty() { "ostree" } else { host }.to_owned(),
        address,
        port: osier_pull::finder::MDNS_PORT,
    };
    let advertiser = Advertiser::start(options, &announcement(&bytes)?)?;
    let (stop, stopped) = channel();
    let thread = std::thread::Builder::new()
        .name("advertise".into())
        .spawn(move || follow(&summary, bytes, &advertiser, &stopped))
        .context("starting a thread")?;
    Ok(Running {
        stop: Some(stop),
        thread: Some(thread),
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Announces each new summary. One that cannot be read is no reason to stop serving: the last good one stays.
fn follow(path: &Path, mut known: Vec<u8>, advertiser: &Advertiser, stopped: &Receiver<()>) {
    while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let Ok(bytes) = read(path) else { continue };
        if bytes == known {
            continue;
        }
        match announcement(&bytes) {
            Ok(announcement) => {
                if let Err(e) = advertiser.update(&announcement) {
                    tracing::warn!("{e}");
                }
            }
            Err(e) => tracing::warn!("{}: {e:#}", path.display()),
        }
        known = bytes;
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => anyhow!(
            "Announcing the repository: it has no summary\nhint: `ostree summary --update` makes one"
        ),
        _ => anyhow!(e).context(format!("reading {}", path.display())),
    })
}

fn announcement(bytes: &[u8]) -> Result<Announcement> {
    let summary = Summary::decode(bytes).context("Announcing the repository")?;
    Announcement::of_summary(&summary, 0).context("Announcing the repository")
}
