//! A real S3 server over a folder, with signatures checked, that can fail on demand.

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use osier_testkit::tool::Tool;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What goes wrong.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every request of so many ends in a 503.
    Unavailable(u64),
    /// Every request of so many ends without an answer, half of them after it was carried out.
    Cut(u64),
    /// From this request on, counted from now, none is answered.
    Hang(u64),
    /// From this request on every request ends in a 500.
    Broken(u64),
}

#[derive(Default)]
struct State {
    fault: Mutex<Fault>,
    requests: AtomicU64,
    /// What somebody else does, once, right after a write whose path ends so.
    meanwhile: Mutex<Option<(String, Command)>>,
    /// Methods and paths of what changed something.
    writes: Mutex<Vec<String>>,
}

/// The server; it ends when dropped.
pub struct S3 {
    root: PathBuf,
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3 {
    /// Serves buckets, which are folders of `root`; there is one called `bucket`.
    pub fn start(root: &Path) -> S3 {
        std::fs::create_dir_all(root.join("bucket")).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let stream = tokio::select! {
                        _ = &mut stopped => return,
                        accepted = listener.accept() => accepted.unwrap().0,
                    };
                    let (service, state) = (service.clone(), Arc::clone(&shared));
                    tokio::spawn(async move {
                        let each = service_fn(move |request| {
                            answer(service.clone(), Arc::clone(&state), request)
                        });
                        let _ = http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), each)
                            .await;
                    });
                }
            });
        });
        S3 {
            root: root.to_owned(),
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The folder that is the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.root.join("bucket")
    }

    /// A tool with what it takes to write there in its environment.
    pub fn with_credentials(&self, tool: &Tool) -> Tool {
        tool.env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &format!("http://{}", self.address))
            .env("AWS_ALLOW_HTTP", "true")
    }

    /// Sets the fault, and counts from here.
    pub fn set(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
        self.state.requests.store(0, Ordering::SeqCst);
    }

    /// Has a command run, once, after the write of a path that ends so and before it is answered.
    pub fn meanwhile(&self, after: &str, command: Command) {
        *self.state.meanwhile.lock().unwrap() = Some((after.to_owned(), command));
    }

    /// Requests since the fault was set.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// What was written and deleted since the last call, in order.
    pub fn writes(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.writes.lock().unwrap())
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn answer(
    service: S3Service,
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, io::Error> {
    let n = state.requests.fetch_add(1, Ordering::SeqCst) + 1;
    let fault = *state.fault.lock().unwrap();
    let failed = |status: u16| {
        let mut response = Response::new(s3s::Body::empty());
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    };
    match fault {
        Fault::Unavailable(every) if n.is_multiple_of(every) => return failed(503),
        Fault::Broken(from) if n >= from => return failed(500),
        Fault::Cut(every) if n.is_multiple_of(every * 2) => {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Fault::Hang(from) if n >= from => std::future::pending().await,
        _ => {}
    }
    let write = match request.method().as_str() {
        "PUT" | "DELETE" | "POST" => Some(format!("{} {}", request.method(), request.uri().path())),
        _ => None,
    };
    let response = hyper::service::Service::call(&service, request)
        .await
        .map_err(|e| io::Error::other(format!("{e:?}")))?;
    if let Some(write) = write
        && response.status().is_success()
    {
        let now = {
            let mut meanwhile = state.meanwhile.lock().unwrap();
            meanwhile.take_if(|(after, _)| write.ends_with(after.as_str()))
        };
        if let Some((_, mut command)) = now {
            let status = tokio::task::spawn_blocking(move || command.status()).await?;
            assert!(status?.success());
        }
        state.writes.lock().unwrap().push(write);
    }
    match fault {
        Fault::Cut(every) if n.is_multiple_of(every) => Err(io::ErrorKind::ConnectionReset.into()),
        _ => Ok(response),
    }
}
