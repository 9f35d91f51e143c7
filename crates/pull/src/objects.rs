//! The objects of a remote, one at a time: what a repair asks for.
//!
//! Nothing is trusted: whoever asks checks each object against its name. So neither the summary nor signatures play a
//! part, and the remote may be one that a pull would refuse.

use crate::fetch::{Chunk, FetchError, Fetcher, Head, Mirrors, Sink, Validators, Want};
use crate::remote::Remote;
use crate::{Error, PullOptions, resolve};
use osier_keyfile::KeyFile;
use osier_object::{Checksum, ContentId, ObjectName, ObjectType};
use osier_store::Repo;
use osier_store::fsck::{ObjectSource, SourceContent};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// An archive repository behind the URL of a remote.
pub struct RemoteObjects {
    name: String,
    base: Mirrors,
    content_base: Mirrors,
    fetcher: Fetcher,
    /// There until it is dropped.
    runtime: Option<tokio::runtime::Runtime>,
    /// The folder in which content waits to be checked.
    spool: OwnedFd,
}

impl std::fmt::Debug for RemoteObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteObjects")
            .field("name", &self.name)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl RemoteObjects {
    /// Finds out where the remote's objects are. `repo` is the one they are wanted for. Blocks, as all that follows.
    ///
    /// # Errors
    /// When the remote does not answer, or serves something else than an archive repository.
    pub fn open(
        repo: &Repo,
        remote: &Remote,
        options: &PullOptions,
    ) -> Result<RemoteObjects, Error> {
        remote.check_fetchable()?;
        let settings = crate::pull::fetch_settings(repo, remote, options)?;
        let fetcher = Fetcher::new(settings, Default::default())?;
        let runtime = crate::pull::runtime()?;
        let found = runtime.block_on(async {
            let (base, _) = resolve::base(&fetcher, remote, None).await?;
            let content = match remote.string("contenturl")? {
                Some(text) => resolve::mirrors(&fetcher, &text).await?,
                None => base.clone(),
            };
            let config = fetcher.get(&base, "config").await?;
            check_config(base.bases()[0].as_str(), config)?;
            Ok::<_, Error>((base, content))
        });
        let (base, content_base) = match found {
            Ok(found) => found,
            Err(e) => {
                // A name look-up that hangs must not hold up an answer.
                runtime.shutdown_background();
                return Err(e);
            }
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let spool = rustix::fs::openat(repo.dir(), "tmp", flags, Mode::empty()).map_err(|e| {
            Error::System {
                action: "opening tmp",
                cause: e.into(),
            }
        })?;
        Ok(RemoteObjects {
            name: format!("{} ({})", remote.name(), base.bases()[0].as_str()),
            base,
            content_base,
            fetcher,
            runtime: Some(runtime),
            spool,
        })
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> osier_store::Result<T> {
        match &self.runtime {
            Some(runtime) => Ok(runtime.block_on(future)),
            None => Err(osier_store::Error::other("the connection was closed")),
        }
    }
}

impl Drop for RemoteObjects {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn check_config(url: &str, config: Option<Vec<u8>>) -> Result<(), Error> {
    let not = |cause: String| Error::NotAnArchive {
        url: url.to_owned(),
        cause,
    };
    let config = config.ok_or_else(|| not("it has no config".to_owned()))?;
    let mode = KeyFile::parse(&config)
        .and_then(|config| config.string("core", "mode"))
        .map_err(|e| not(e.to_string()))?;
    match mode.as_str() {
        "archive" | "archive-z2" => Ok(()),
        mode => Err(not(format!("its mode is {mode}"))),
    }
}

/// Text that names the URL.
fn fetching(error: &FetchError) -> osier_store::Error {
    osier_store::Error::other(error.to_string())
}

impl ObjectSource for RemoteObjects {
    fn name(&self) -> &str {
        &self.name
    }

    fn metadata(
        &self,
        ty: ObjectType,
        checksum: &Checksum,
    ) -> osier_store::Result<Option<Vec<u8>>> {
        let path = path(&ObjectName::new(*checksum, ty));
        self.block_on(self.fetcher.get(&self.base, &path))?
            .map_err(|e| fetching(&e))
    }

    fn content(&self, id: &ContentId) -> osier_store::Result<Option<SourceContent>> {
        let path = path(&id.object_name());
        let want = Want {
            mirrors: &self.content_base,
            path: &path,
            max_size: None,
            validators: Validators::default(),
        };
        let spooling = |source| osier_store::Error::Io {
            action: format!("keeping {path} in tmp"),
            source,
        };
        let mut spool = Spool {
            file: spool_file(&self.spool).map_err(spooling)?,
            failed: None,
        };
        match self.block_on(self.fetcher.fetch(&want, &mut spool))? {
            Ok(_) => {}
            Err(e) if e.is_not_found() => return Ok(None),
            Err(e) => return Err(fetching(&e)),
        }
        if let Some(e) = spool.failed {
            return Err(spooling(e));
        }
        let mut file = spool.file;
        let stored = file.seek(SeekFrom::End(0)).map_err(spooling)?;
        file.rewind().map_err(spooling)?;
        Ok(Some(SourceContent::Packed {
            stored,
            stream: Box::new(file),
        }))
    }
}

fn path(name: &ObjectName) -> String {
    format!("objects/{}", name.loose_path(true))
}

/// A body on its way to the disk: files may be larger than memory.
struct Spool {
    file: File,
    failed: Option<io::Error>,
}

impl Sink for Spool {
    fn begin(&mut self, _: &Head) {
        self.failed = self.file.rewind().and_then(|()| self.file.set_len(0)).err();
    }

    async fn chunk(&mut self, chunk: Chunk) -> bool {
        if self.failed.is_none() {
            self.failed = self.file.write_all(&chunk).err();
        }
        self.failed.is_none()
    }
}

/// A file without a name in a repository's `tmp`.
pub(crate) fn spool_file_in(repo: &Repo) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tmp = rustix::fs::openat(repo.dir(), "tmp", flags, Mode::empty())?;
    spool_file(&tmp)
}

/// A file without a name.
fn spool_file(dir: &OwnedFd) -> io::Result<File> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mode = Mode::from_raw_mode(0o600);
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::openat(dir.as_fd(), ".", flags | OFlags::TMPFILE, mode) {
        Ok(fd) => return Ok(fd.into()),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
        Err(e) => return Err(e.into()),
    }
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("repair-{}-{number}", std::process::id());
    let fd = rustix::fs::openat(dir, &name, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
    rustix::fs::unlinkat(dir, &name, AtFlags::empty())?;
    Ok(fd.into())
}
