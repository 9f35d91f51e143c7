//! Extended attributes in canonical order.

use std::cmp::Ordering;

use osier_gv::frame::{self, ArrayWriter, Member, push_offsets};

use crate::Error;

const WHAT: &str = "xattrs";

/// Extended attributes, `a(ayay)`: names sorted by bytes, each serialised with a trailing NUL;
/// values are raw bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Xattrs(Vec<(Vec<u8>, Vec<u8>)>);

impl Xattrs {
    /// No attributes.
    pub const EMPTY: Xattrs = Xattrs(Vec::new());

    /// Sorts the pairs by name (given without NUL); equal names keep their order.
    pub fn from_pairs(mut pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        Xattrs(pairs)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names (without NUL) and values, in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The value of the first attribute of that name (without NUL).
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The pairs in canonical order.
    pub fn into_pairs(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0
    }

    /// Serialises as `a(ayay)`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = ArrayWriter::new(1);
        for (name, value) in self.iter() {
            out.push_with(|out| {
                let start = out.len();
                out.extend_from_slice(name);
                out.push(0);
                let name_end = out.len() - start;
                out.extend_from_slice(value);
                push_offsets(out, start, std::iter::once(name_end));
            });
        }
        out.finish()
    }

    /// Reads `a(ayay)` in any order and sorts it.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form, [`Error::Content`] for a name that does not
    /// end in its only NUL.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut pairs = Vec::new();
        for (index, pair) in frame::array(bytes, 1)
            .map_err(Error::format(WHAT))?
            .enumerate()
        {
            let [name, value] =
                frame::tuple(pair, [Member::BYTES; 2]).map_err(Error::format(WHAT))?;
            pairs.push((split_name(name, index)?.to_vec(), value.to_vec()));
        }
        if !pairs.is_sorted_by(|a, b| a.0 <= b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(Xattrs(pairs))
    }

    /// Checks what a dirmeta demands of its serialised xattrs: sorted by name, unique, no empty
    /// name.
    ///
    /// # Errors
    /// As [`Xattrs::decode`], and [`Error::Content`] when the order is not canonical.
    pub fn check_canonical(bytes: &[u8]) -> Result<(), Error> {
        let mut last: Option<&[u8]> = None;
        for (index, pair) in frame::array(bytes, 1)
            .map_err(Error::format(WHAT))?
            .enumerate()
        {
            let [name, _] = frame::tuple(pair, [Member::BYTES; 2]).map_err(Error::format(WHAT))?;
            let name = split_name(name, index)?;
            if name.is_empty() {
                return Err(bad_name(index));
            }
            match last.map(|last| last.cmp(name)) {
                Some(Ordering::Equal) => {
                    return Err(Error::content(format!(
                        "Duplicate xattr name, index={index}"
                    )));
                }
                Some(Ordering::Greater) => {
                    return Err(Error::content(format!(
                        "Incorrectly sorted xattr name (prev={}, cur={}), index={index}",
                        String::from_utf8_lossy(last.unwrap_or_default()),
                        String::from_utf8_lossy(name),
                    )));
                }
                Some(Ordering::Less) | None => last = Some(name),
            }
        }
        Ok(())
    }
}

fn split_name(name: &[u8], index: usize) -> Result<&[u8], Error> {
    match name.split_last() {
        Some((0, name)) if !name.contains(&0) => Ok(name),
        _ => Err(bad_name(index)),
    }
}

fn bad_name(index: usize) -> Error {
    Error::content(format!(
        "Invalid xattr name (empty or missing NUL) index={index}"
    ))
}
