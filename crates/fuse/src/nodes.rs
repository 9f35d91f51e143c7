//! What the kernel knows by number.
//!
//! A node is one name in the tree: two names of one file are two nodes, for copying one up must leave the other as it
//! is. Directories keep a handle. Other files do not, or a large tree would take as many descriptors as it has files:
//! they are found again by their directory's handle and their name, and taken only if device and inode are still the
//! same. A file that loses its name while the kernel may still use it is held by a handle until the kernel forgets it.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxFlags};
use rustix::io::{Errno, Result};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The number of the mount's top directory, fixed by the kernel.
pub const ROOT: u64 = 1;

/// Device and inode: what makes two names the same file.
pub type Identity = (u64, u64);

/// A node.
#[derive(Debug)]
pub struct Node {
    /// The kernel's number for it.
    pub number: u64,
    /// The handle, of a directory.
    dir: Option<OwnedFd>,
    place: Mutex<Place>,
    /// Held while the file is copied up, so that two writers make one copy.
    pub copying: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Place {
    identity: Identity,
    spot: Spot,
}

#[derive(Clone, Debug)]
enum Spot {
    /// In a directory, under a name.
    Named(Arc<Node>, OsString),
    /// Without a name, held by its handle.
    Held(Arc<OwnedFd>),
    /// The top, or gone.
    Nowhere,
}

/// A node's file, found and checked.
#[derive(Debug)]
pub struct Found {
    /// A handle that names the file and nothing more (`O_PATH`), where the node has none itself.
    handle: Handle,
    /// Its attributes.
    pub stat: Stat,
}

#[derive(Debug)]
enum Handle {
    Own(OwnedFd),
    Shared(Arc<OwnedFd>),
    Dir(Arc<Node>),
}

impl AsFd for Found {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.handle {
            Handle::Own(fd) => fd.as_fd(),
            Handle::Shared(fd) => fd.as_fd(),
            Handle::Dir(node) => match &node.dir {
                Some(fd) => fd.as_fd(),
                None => unreachable!("only directories are found as such"),
            },
        }
    }
}

impl Node {
    /// The directory's handle.
    ///
    /// # Errors
    /// `ENOTDIR` for anything else.
    pub fn dir(&self) -> Result<BorrowedFd<'_>> {
        self.dir.as_ref().map(AsFd::as_fd).ok_or(Errno::NOTDIR)
    }

    /// Where the file has its name, if it has one.
    pub fn spot(&self) -> Option<(Arc<Node>, OsString)> {
        match &lock(&self.place).spot {
            Spot::Named(parent, name) => Some((parent.clone(), name.clone())),
            Spot::Held(_) | Spot::Nowhere => None,
        }
    }

    /// The same node for another file: the copy that took the name.
    pub fn becomes(&self, identity: Identity) {
        lock(&self.place).identity = identity;
    }
}

/// All nodes.
#[derive(Debug)]
pub struct Nodes {
    table: Mutex<Table>,
    /// The device of the mount itself, which must not be entered.
    own_device: OnceLock<u64>,
}

#[derive(Debug)]
struct Table {
    by_number: HashMap<u64, Entry>,
    by_name: HashMap<(u64, OsString), u64>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    node: Arc<Node>,
    /// How many times the kernel was told of it and has not forgotten.
    lookups: u64,
}

impl Nodes {
    /// A tree whose top is `top`.
    ///
    /// # Errors
    /// When `top` cannot be asked for its attributes.
    pub fn new(top: OwnedFd) -> Result<Nodes> {
        let stat = rustix::fs::fstat(&top)?;
        let node = Arc::new(Node {
            number: ROOT,
            dir: Some(top),
            place: Mutex::new(Place {
                identity: identity(&stat),
                spot: Spot::Nowhere,
            }),
            copying: Mutex::new(()),
        });
        let root = Entry { node, lookups: 1 };
        Ok(Nodes {
            table: Mutex::new(Table {
                by_number: HashMap::from([(ROOT, root)]),
                by_name: HashMap::new(),
                next: ROOT + 1,
            }),
            own_device: OnceLock::new(),
        })
    }

    /// Tells the device number of the mount itself, so that a mount inside its own tree does not wait for itself.
    pub fn mounted_as(&self, device: u64) {
        // Told twice, it is the same mount.
        let _ = self.own_device.set(device);
    }

    /// The node with a number the kernel was told.
    ///
    /// # Errors
    /// `ESTALE` when there is none.
    pub fn get(&self, number: u64) -> Result<Arc<Node>> {
        let table = lock(&self.table);
        table
            .by_number
            .get(&number)
            .map(|entry| entry.node.clone())
            .ok_or(Errno::STALE)
    }

    /// The node at a name, with its attributes; the kernel counts it as told once more.
    ///
    /// # Errors
    /// What opening the name gives, `ENOENT` above all; `ELOOP` for this mount inside itself.
    pub fn look_up(&self, parent: &Arc<Node>, name: &OsStr) -> Result<(Arc<Node>, Stat)> {
        let (fd, stat) = self.open_entry(parent.dir()?, name)?;
        Ok((self.adopt(parent, name, fd, &stat), stat))
    }

    /// Takes a file that was just found or made at a name as that name's node.
    pub fn adopt(&self, parent: &Arc<Node>, name: &OsStr, fd: OwnedFd, stat: &Stat) -> Arc<Node> {
        let mut table = lock(&self.table);
        let key = (parent.number, name.to_owned());
        if let Some(&number) = table.by_name.get(&key)
            && let Some(entry) = table.by_number.get_mut(&number)
            && lock(&entry.node.place).identity == identity(stat)
        {
            entry.lookups += 1;
            return entry.node.clone();
        }
        let number = table.next;
        table.next += 1;
        let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let node = Arc::new(Node {
            number,
            dir: is_dir.then_some(fd),
            place: Mutex::new(Place {
                identity: identity(stat),
                spot: Spot::Named(parent.clone(), name.to_owned()),
            }),
            copying: Mutex::new(()),
        });
        let entry = Entry {
            node: node.clone(),
            lookups: 1,
        };
        table.by_number.insert(number, entry);
        // What had the name before was replaced behind our back: it keeps its number until it is forgotten.
        table.by_name.insert(key, number);
        node
    }

    /// A number for an entry that a listing names and nobody may look up: everything asked of it fails, so that the
    /// kernel asks for the name again and hears why.
    pub fn phantom(&self) -> u64 {
        let mut table = lock(&self.table);
        let number = table.next;
        table.next += 1;
        let node = Arc::new(Node {
            number,
            dir: None,
            place: Mutex::new(Place {
                identity: (0, 0),
                spot: Spot::Nowhere,
            }),
            copying: Mutex::new(()),
        });
        table.by_number.insert(number, Entry { node, lookups: 1 });
        number
    }

    /// The kernel forgets `count` tellings of a node.
    pub fn forget(&self, number: u64, count: u64) {
        let mut table = lock(&self.table);
        let Some(entry) = table.by_number.get_mut(&number) else {
            return;
        };
        entry.lookups = entry.lookups.saturating_sub(count);
        if entry.lookups > 0 || number == ROOT {
            return;
        }
        let gone = table.by_number.remove(&number);
        if let Some((parent, name)) = gone.as_ref().and_then(|entry| entry.node.spot()) {
            table.drop_name(parent.number, &name, number);
        }
        // Closing a handle may take time: not while others wait.
        drop(table);
        drop(gone);
    }

    /// The node's file.
    ///
    /// # Errors
    /// `ESTALE` when it is no longer where it was, so that the kernel looks its name up anew.
    pub fn find(&self, node: &Arc<Node>) -> Result<Found> {
        if let Ok(dir) = node.dir() {
            let stat = rustix::fs::fstat(dir)?;
            return Ok(Found {
                handle: Handle::Dir(node.clone()),
                stat,
            });
        }
        loop {
            let place = lock(&node.place).clone();
            let (parent, name) = match &place.spot {
                Spot::Named(parent, name) => (parent, name),
                Spot::Held(fd) => {
                    let stat = rustix::fs::fstat(fd)?;
                    return Ok(Found {
                        handle: Handle::Shared(fd.clone()),
                        stat,
                    });
                }
                Spot::Nowhere => return Err(Errno::STALE),
            };
            match self.open_entry(parent.dir()?, name) {
                Ok((fd, stat)) if identity(&stat) == place.identity => {
                    return Ok(Found {
                        handle: Handle::Own(fd),
                        stat,
                    });
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
            // Renamed, removed or copied up meanwhile? Then it is found at its new place.
            if !lock(&node.place).has_moved_from(&place) {
                return Err(Errno::STALE);
            }
        }
    }

    /// Runs what takes the name away from its file (`unlink`, `rmdir`); the file is held as long as the kernel knows it.
    ///
    /// # Errors
    /// Those of `remove`.
    pub fn remove(
        &self,
        parent: &Arc<Node>,
        name: &OsStr,
        remove: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let known = self.known(parent, name);
        let held = known.as_ref().and_then(|node| self.hold(node));
        remove()?;
        if let Some(node) = known {
            self.unname(parent, name, &node, held);
        }
        Ok(())
    }

    /// Runs a rename and follows it. With `exchange` both names change places.
    ///
    /// # Errors
    /// Those of `rename`.
    pub fn rename(
        &self,
        from: (&Arc<Node>, &OsStr),
        to: (&Arc<Node>, &OsStr),
        exchange: bool,
        rename: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let (moved, replaced) = (self.known(from.0, from.1), self.known(to.0, to.1));
        // Renaming a file onto another name of itself does nothing and takes nothing away.
        let same = match (&moved, &replaced) {
            (Some(a), Some(b)) => lock(&a.place).identity == lock(&b.place).identity,
            _ => false,
        };
        let held = replaced
            .as_ref()
            .filter(|_| !exchange && !same)
            .and_then(|node| self.hold(node));
        rename()?;
        if same {
            return Ok(());
        }
        let mut table = lock(&self.table);
        if let Some(node) = &moved {
            table.drop_name(from.0.number, from.1, node.number);
        }
        if let Some(node) = &replaced {
            table.drop_name(to.0.number, to.1, node.number);
            if exchange {
                table.name(node, from);
            } else {
                lock(&node.place).spot = held.map_or(Spot::Nowhere, Spot::Held);
            }
        }
        if let Some(node) = &moved {
            table.name(node, to);
        }
        Ok(())
    }

    /// How many nodes the kernel knows.
    pub fn len(&self) -> usize {
        lock(&self.table).by_number.len()
    }

    /// Whether the kernel knows no node: never, as there is the top.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn known(&self, parent: &Node, name: &OsStr) -> Option<Arc<Node>> {
        let table = lock(&self.table);
        let number = table.by_name.get(&(parent.number, name.to_owned()))?;
        table.by_number.get(number).map(|entry| entry.node.clone())
    }

    /// A handle for a file that is about to lose its name. Without one (descriptors may run out) the file is still
    /// reached through what has it open.
    fn hold(&self, node: &Arc<Node>) -> Option<Arc<OwnedFd>> {
        if node.dir.is_some() {
            return None;
        }
        match self.find(node).ok()?.handle {
            Handle::Own(fd) => Some(Arc::new(fd)),
            Handle::Shared(fd) => Some(fd),
            Handle::Dir(_) => None,
        }
    }

    fn unname(&self, parent: &Node, name: &OsStr, node: &Node, held: Option<Arc<OwnedFd>>) {
        let mut table = lock(&self.table);
        table.drop_name(parent.number, name, node.number);
        let mut place = lock(&node.place);
        // Still at that name, not renamed meanwhile.
        if matches!(&place.spot, Spot::Named(at, called) if at.number == parent.number && called == name)
        {
            place.spot = held.map_or(Spot::Nowhere, Spot::Held);
        }
    }

    /// Opens an entry of a directory without following or entering anything, and asks for its attributes.
    fn open_entry(&self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<(OwnedFd, Stat)> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
        let fd = match rustix::fs::openat2(dir, name, flags, Mode::empty(), inside) {
            Err(Errno::XDEV) => self.open_mount_point(dir, name, flags)?,
            Err(Errno::NOSYS) => rustix::fs::openat(dir, name, flags, Mode::empty())?,
            other => other?,
        };
        let stat = rustix::fs::fstat(&fd)?;
        Ok((fd, stat))
    }

    /// Another file system is mounted there. If it is this very mount, asking it for attributes would be a request
    /// to ourselves, and with all threads at it nobody would be left to answer.
    fn open_mount_point(
        &self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        flags: OFlags,
    ) -> Result<OwnedFd> {
        let fd = rustix::fs::openat(dir, name, flags, Mode::empty())?;
        let asked = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let cached = rustix::fs::statx(&fd, "", asked, StatxFlags::empty())?;
        let device = rustix::fs::makedev(cached.stx_dev_major, cached.stx_dev_minor);
        if self.own_device.get() == Some(&device) {
            Err(Errno::LOOP)
        } else {
            Ok(fd)
        }
    }
}

impl Place {
    fn has_moved_from(&self, other: &Place) -> bool {
        let same_spot = match (&self.spot, &other.spot) {
            (Spot::Named(a, x), Spot::Named(b, y)) => a.number == b.number && x == y,
            (Spot::Nowhere, Spot::Nowhere) => true,
            _ => false,
        };
        self.identity != other.identity || !same_spot
    }
}

impl Table {
    fn drop_name(&mut self, parent: u64, name: &OsStr, number: u64) {
        let key = (parent, name.to_owned());
        if self.by_name.get(&key) == Some(&number) {
            self.by_name.remove(&key);
        }
    }

    fn name(&mut self, node: &Arc<Node>, (parent, name): (&Arc<Node>, &OsStr)) {
        lock(&node.place).spot = Spot::Named(parent.clone(), name.to_owned());
        self.by_name
            .insert((parent.number, name.to_owned()), node.number);
    }
}

/// Device and inode of a file.
pub fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

/// A lock whose holder cannot have left it half done: each change under it is one assignment or one insertion.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
