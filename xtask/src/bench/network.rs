//! Repositories served on this machine, from near and from far.

use anyhow::{Context, Result};
use osier_testkit::latency::Latency;
use osier_testkit::tool::Tool;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A repository and the web server in front of it; the server ends with it.
pub struct Served {
    server: Child,
    address: SocketAddr,
    far: Vec<(u64, Latency)>,
}

impl Served {
    /// Our program serves the repository to clients of both tools alike.
    pub fn start(ours: &Tool, repo: &Path) -> Result<Served> {
        let mut server = ours
            .command([
                format!("--repo={}", repo.display()),
                "serve".to_owned(),
                "--address=127.0.0.1:0".to_owned(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting ostree serve")?;
        let mut line = String::new();
        let out = server.stdout.take().context("its output")?;
        let read = BufReader::new(out).read_line(&mut line);
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.trim_end().trim_end_matches('/').parse().ok());
        match (read, address) {
            (Ok(_), Some(address)) => Ok(Served {
                server,
                address,
                far: Vec::new(),
            }),
            _ => {
                let _ = server.kill();
                let _ = server.wait();
                anyhow::bail!("ostree serve printed no address: {line:?}")
            }
        }
    }

    /// Its URL, with so many milliseconds for a round trip.
    pub fn url(&mut self, round_trip_ms: u64) -> Result<String> {
        let address = if round_trip_ms == 0 {
            self.address
        } else {
            match self.far.iter().find(|(ms, _)| *ms == round_trip_ms) {
                Some((_, proxy)) => proxy.address(),
                None => {
                    let proxy =
                        Latency::before(self.address, Duration::from_millis(round_trip_ms))?;
                    let address = proxy.address();
                    self.far.push((round_trip_ms, proxy));
                    address
                }
            }
        };
        Ok(format!("http://{address}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
