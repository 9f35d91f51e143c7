//! Listening, and serving each connection until told to stop.

use crate::answer::answer;
use crate::connection::Watched;
use crate::error::Error;
use crate::log::AccessLog;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use osier_store::Repo;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, watch};

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Connections at a time; for further ones the oldest end when they have been answered.
    pub connections: usize,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long a connection on which nothing moves is kept, between requests and within an answer.
    pub idle_timeout: Duration,
    /// How long answers that are being sent may take when the server is stopped.
    pub stop_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            connections: 256,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

/// A repository that listens for clients.
#[derive(Debug)]
pub struct Server {
    repo: Arc<Repo>,
    listener: TcpListener,
    address: SocketAddr,
    options: ServeOptions,
    stop: Arc<watch::Sender<bool>>,
}

/// Stops a server, from any thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Has the server take no more requests and end when the answers that are being sent are.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Listens at an address; port 0 takes any that is free.
    ///
    /// # Errors
    /// [`Error::Listen`] when the address cannot be had.
    pub fn bind(repo: Repo, address: SocketAddr, options: ServeOptions) -> Result<Server, Error> {
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Server {
            repo: Arc::new(repo),
            listener,
            address,
            options,
            stop: Arc::new(watch::Sender::new(false)),
        })
    }

    /// The address it listens at, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// [`Error::Start`] when there are no threads or the like to be had.
    pub fn run(self, log: Arc<dyn AccessLog>) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("osier-serve")
            .build()
            .map_err(Error::Start)?;
        let stop_timeout = self.options.stop_timeout;
        let result = runtime.block_on(self.accept(log));
        // A thread may still wait for a disk.
        runtime.shutdown_timeout(stop_timeout);
        result
    }

    async fn accept(self, log: Arc<dyn AccessLog>) -> Result<(), Error> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(Error::Start)?;
        let places = Arc::new(Semaphore::new(self.options.connections));
        let pressure = Arc::new(Notify::new());
        let making = Arc::new(Semaphore::new(MADE));
        let mut stop = self.stop.subscribe();
        let mut stopped = pin!(stop.wait_for(|stop| *stop));
        loop {
            let accepted = async {
                let connection = listener.accept().await;
                (place(&places, &pressure).await, connection)
            };
            let (place, connection) = tokio::select! {
                _ = &mut stopped => break,
                accepted = accepted => accepted,
            };
            let (Ok(place), Ok((stream, peer))) = (place, connection) else {
                // Out of descriptors, or a client that went away at once: let others end first.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let connection = Connection {
                repo: Arc::clone(&self.repo),
                log: Arc::clone(&log),
                making: Arc::clone(&making),
                options: self.options.clone(),
                stop: self.stop.subscribe(),
                pressure: Arc::clone(&pressure),
            };
            tokio::spawn(connection.serve(stream, peer, place));
        }
        drop(listener);
        // Every place is free again when the last connection has ended.
        let all = u32::try_from(self.options.connections).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(self.options.stop_timeout, places.acquire_many(all)).await;
        Ok(())
    }
}

/// A place for one more connection. Where there is none, the connections that have been there longest end after the answer
/// they are at, or at once when they are idle: clients keep some open that they may never use again.
async fn place(
    places: &Arc<Semaphore>,
    pressure: &Notify,
) -> Result<OwnedSemaphorePermit, AcquireError> {
    let mut place = pin!(Arc::clone(places).acquire_owned());
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Ok(place);
    }
    loop {
        pressure.notify_one();
        if let Ok(place) = tokio::time::timeout(PATIENCE, place.as_mut()).await {
            return place;
        }
    }
}

/// Objects that are put into the form of an archive, or sent after that, at a time: each takes a few megabytes.
const MADE: usize = 32;

/// How long one connection is waited for before another is asked to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// What one connection needs.
struct Connection {
    repo: Arc<Repo>,
    log: Arc<dyn AccessLog>,
    /// Places for answers that are made.
    making: Arc<Semaphore>,
    options: ServeOptions,
    stop: watch::Receiver<bool>,
    pressure: Arc<Notify>,
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let _place = place;
        // Small answers follow each other; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let (repo, log, making) = (self.repo, self.log, self.making);
        let asked = Arc::new(Notify::new());
        let asking = Arc::clone(&asked);
        let service = service_fn(move |request| {
            asking.notify_one();
            let (repo, log) = (Arc::clone(&repo), Arc::clone(&log));
            let making = Arc::clone(&making);
            async move { Ok::<_, Infallible>(answer(&repo, &making, &request, peer, log).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.head_timeout)
            .max_buf_size(16 * 1024)
            .serve_connection(Watched::new(stream, self.options.idle_timeout), service);
        let mut connection = pin!(connection);
        let mut stopped = pin!(self.stop.wait_for(|stop| *stop));
        // Nobody is sent away before the first answer: to the client that would look like a failure.
        let pressed = async {
            asked.notified().await;
            self.pressure.notified().await;
        };
        // How a client ends its connection is its own business.
        let ended = tokio::select! {
            _ = &mut stopped => false,
            () = pressed => false,
            _ = connection.as_mut() => true,
        };
        if !ended {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
