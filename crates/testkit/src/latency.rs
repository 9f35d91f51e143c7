//! A TCP proxy that makes a server on this machine seem far away: every byte arrives half a round trip later.
//!
//! Nothing is lost and no bandwidth is taken away. A connection costs a further round trip before its first byte, as the
//! handshake of TCP would; the system's own on the loopback takes none.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces on their way in one direction of one connection; more than what fits makes the sender wait.
const ON_THE_WAY: usize = 256;

/// A running proxy; it takes no more connections once dropped.
pub struct Latency {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Latency {
    /// Forwards connections to `server`, with that round-trip time.
    pub fn before(server: SocketAddr, round_trip: Duration) -> Result<Latency> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        thread::Builder::new()
            .name("latency".to_owned())
            .spawn(move || {
                for client in listener.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // A client that gets no connection sees it closed.
                    if let Ok(client) = client {
                        let _ = join(&client, server, round_trip);
                    }
                }
            })?;
        Ok(Latency { address, stopped })
    }

    /// Where to connect instead of to the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Latency {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

fn join(client: &TcpStream, server: SocketAddr, round_trip: Duration) -> Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let half = round_trip / 2;
    one_way(client.try_clone()?, server.try_clone()?, half, round_trip)?;
    one_way(server, client.try_clone()?, half, Duration::ZERO)
}

/// Carries what comes from `from` to `to`, so much later; the first piece later still.
fn one_way(mut from: TcpStream, to: TcpStream, delay: Duration, handshake: Duration) -> Result<()> {
    let (send, arrive) = sync_channel(ON_THE_WAY);
    spawn(move || deliver(&arrive, to))?;
    spawn(move || {
        // Later pieces must not overtake the first.
        let ready = Instant::now() + handshake;
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length) = from.read(&mut buffer) {
            let due = Instant::now().max(ready) + delay;
            if length == 0 || send.send((due, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Read);
    })
}

fn deliver(arrive: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, piece) in arrive {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A thread with a small stack: a proxy needs four for each connection.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .stack_size(128 << 10)
        .spawn(work)
        .context("starting a thread")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_through_and_not_before_their_time() -> Result<()> {
        const ROUND_TRIP: Duration = Duration::from_millis(40);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let proxy = Latency::before(listener.local_addr()?, ROUND_TRIP)?;
        let echo = thread::spawn(move || -> std::io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut piece = [0; 4];
            for _ in 0..2 {
                stream.read_exact(&mut piece)?;
                stream.write_all(&piece)?;
            }
            Ok(())
        });
        let mut stream = TcpStream::connect(proxy.address())?;
        let mut took = Vec::new();
        for word in [b"ping", b"pong"] {
            let started = Instant::now();
            stream.write_all(word)?;
            let mut back = [0; 4];
            stream.read_exact(&mut back)?;
            assert_eq!(&back, word);
            took.push(started.elapsed());
        }
        assert!(took[0] >= ROUND_TRIP * 2, "{took:?}");
        assert!(took[1] >= ROUND_TRIP, "{took:?}");
        echo.join().expect("the echo")?;
        Ok(())
    }
}
