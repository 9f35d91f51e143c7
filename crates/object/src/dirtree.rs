//! dirtree: the names in a directory.

use std::cmp::Ordering;

use osier_gv::frame::{self, ArrayWriter, Member, TupleWriter, push_offsets};

use crate::{Checksum, ContentId, DirmetaId, DirtreeId, Error, hash};

const WHAT: &str = "dirtree";

/// The names in a directory, serialised as `(a(say)a(sayay))`: files with their content ids, then
/// subdirectories with their dirtree and dirmeta ids. Writers sort both by bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dirtree {
    /// Regular files and symlinks
    pub files: Vec<(Box<str>, ContentId)>,
    /// Subdirectories
    pub dirs: Vec<(Box<str>, DirtreeId, DirmetaId)>,
}

impl Dirtree {
    /// The object's bytes. Both lists are written in byte order of their names, whatever their
    /// order here. An empty directory is the single byte 0.
    pub fn encode(&self) -> Vec<u8> {
        let mut files = ArrayWriter::new(1);
        for (name, id) in sorted(&self.files, |(name, _)| name) {
            files.push_with(|out| {
                let start = out.len();
                let name_end = push_name(out, start, name);
                out.extend_from_slice(id.as_bytes());
                push_offsets(out, start, std::iter::once(name_end));
            });
        }
        let mut dirs = ArrayWriter::new(1);
        for (name, tree, meta) in sorted(&self.dirs, |(name, ..)| name) {
            dirs.push_with(|out| {
                let start = out.len();
                let name_end = push_name(out, start, name);
                out.extend_from_slice(tree.as_bytes());
                let tree_end = out.len() - start;
                out.extend_from_slice(meta.as_bytes());
                push_offsets(out, start, [tree_end, name_end].into_iter());
            });
        }
        let mut out = TupleWriter::new();
        out.variable(1, &files.finish()).variable(1, &dirs.finish());
        out.finish()
    }

    /// The id of the encoded object.
    pub fn id(&self) -> DirtreeId {
        DirtreeId(hash(&self.encode()))
    }

    /// Reads and validates an object. Neither order nor uniqueness is demanded, as in the C tool.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form; [`Error::Content`] for a name that is `.`,
    /// `..` or has a slash; [`Error::ChecksumLength`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let format = |source| Error::Format { what: WHAT, source };
        let [files, dirs] = frame::tuple(bytes, [Member::BYTES; 2]).map_err(format)?;
        // An entry takes at least 34 or 67 bytes; more elements than that are claims.
        let mut out = Dirtree {
            files: Vec::with_capacity(files.len() / 34),
            dirs: Vec::with_capacity(dirs.len() / 67),
        };
        let files = frame::array(files, 1).map_err(format)?;
        let dirs = frame::array(dirs, 1).map_err(format)?;
        for entry in files {
            let [name, id] = frame::tuple(entry, [Member::BYTES; 2]).map_err(format)?;
            let name = check_file_name(frame::str(name).map_err(format)?)?;
            out.files
                .push((name.into(), Checksum::from_bytes(id)?.into()));
        }
        for entry in dirs {
            let [name, tree, meta] = frame::tuple(entry, [Member::BYTES; 3]).map_err(format)?;
            let name = check_file_name(frame::str(name).map_err(format)?)?;
            out.dirs.push((
                name.into(),
                Checksum::from_bytes(tree)?.into(),
                Checksum::from_bytes(meta)?.into(),
            ));
        }
        Ok(out)
    }

    /// Checks what every writer keeps: each name once, none empty, both lists in byte order. Lookup by halving would
    /// miss what is out of order, and two files cannot have one name, so whoever takes objects from strangers asks.
    ///
    /// # Errors
    /// [`Error::Content`], with the name.
    pub fn check_order(&self) -> Result<(), Error> {
        let files = self.files.iter().map(|(name, _)| &**name);
        let dirs = self.dirs.iter().map(|(name, ..)| &**name);
        in_order(files.clone())?;
        in_order(dirs.clone())?;
        let (mut files, mut dirs) = (files.peekable(), dirs.peekable());
        while let (Some(file), Some(dir)) = (files.peek(), dirs.peek()) {
            match file.cmp(dir) {
                Ordering::Less => drop(files.next()),
                Ordering::Greater => drop(dirs.next()),
                Ordering::Equal => {
                    return Err(Error::content(format!("Filename {file:?} occurs twice")));
                }
            }
        }
        Ok(())
    }
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut last = None;
    for name in names {
        if name.is_empty() {
            return Err(Error::content("Empty filename"));
        }
        match last.map(|last: &str| last.cmp(name)) {
            None | Some(Ordering::Less) => last = Some(name),
            Some(Ordering::Equal) => {
                return Err(Error::content(format!("Filename {name:?} occurs twice")));
            }
            Some(Ordering::Greater) => {
                return Err(Error::content(format!("Filename {name:?} is out of order")));
            }
        }
    }
    Ok(())
}

/// Checks one name of a dirtree: not `.` or `..`, no slash. An empty name passes, as in the C
/// tool; whoever creates files must still refuse it.
///
/// # Errors
/// [`Error::Content`].
pub fn check_file_name(name: &str) -> Result<&str, Error> {
    let message = match name {
        "." => "Invalid self-referential filename '.'".to_owned(),
        ".." => "Invalid path uplink filename '..'".to_owned(),
        _ if name.as_bytes().contains(&b'/') => format!("Invalid / in filename {name}"),
        _ => return Ok(name),
    };
    Err(Error::content(message))
}

fn push_name(out: &mut Vec<u8>, start: usize, name: &str) -> usize {
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    out.len() - start
}

/// The entries by name, cloning nothing when they are in order already.
fn sorted<T>(entries: &[T], name: impl Fn(&T) -> &Box<str>) -> Vec<&T> {
    let mut out: Vec<&T> = entries.iter().collect();
    if !out.is_sorted_by(|a, b| name(a) <= name(b)) {
        out.sort_by(|a, b| name(a).cmp(name(b)));
    }
    out
}
