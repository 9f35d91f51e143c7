//! Containers as byte slices: strict splitting and writing without building values.
//!
//! Used where a format is known and hot (a dirtree with thousands of entries). Every function
//! rejects what is not normal form: offsets wider than needed, out of order or past the end,
//! non-zero padding, trailing bytes.

use crate::Error;
use crate::ty::align_up;

/// How one member of a tuple is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Alignment in bytes: 1, 2, 4 or 8.
    pub align: usize,
    /// Size in bytes when the member's type has a fixed size.
    pub fixed: Option<usize>,
}

impl Member {
    /// `y` or `b`.
    pub const BYTE: Member = Member::fixed(1);
    /// `u` or `i`.
    pub const U32: Member = Member::fixed(4);
    /// `t` or `x`.
    pub const U64: Member = Member::fixed(8);
    /// `s`, `ay` and every other variable-size type of alignment 1.
    pub const BYTES: Member = Member::variable(1);
    /// `v`, `a{sv}` and every other variable-size type of alignment 8.
    pub const VARIANT: Member = Member::variable(8);

    /// A number of that size.
    pub const fn fixed(size: usize) -> Member {
        Member {
            align: size,
            fixed: Some(size),
        }
    }

    /// A member without a fixed size.
    pub const fn variable(align: usize) -> Member {
        Member { align, fixed: None }
    }
}

/// Width in bytes of the framing offsets of a container that takes `size` bytes in all.
pub(crate) fn offset_width(size: usize) -> usize {
    match size as u64 {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Smallest offset width for `body` bytes followed by `count` offsets.
fn writing_width(body: usize, count: usize) -> usize {
    if body + count <= 0xff {
        1
    } else if body + 2 * count <= 0xffff {
        2
    } else if (body + 4 * count) as u64 <= 0xffff_ffff {
        4
    } else {
        8
    }
}

/// Reads the little-endian offset of `width` bytes at `at`, which must lie inside `bytes`.
fn read_offset(bytes: &[u8], at: usize, width: usize) -> Result<usize, Error> {
    let mut raw = [0; 8];
    raw[..width].copy_from_slice(&bytes[at..at + width]);
    usize::try_from(u64::from_le_bytes(raw)).map_err(|_| Error::NotNormal("offset past the end"))
}

fn check_padding(bytes: &[u8], from: usize, to: usize) -> Result<(), Error> {
    match bytes.get(from..to) {
        None => Err(Error::NotNormal("member past the end")),
        Some(padding) if padding.iter().all(|&byte| byte == 0) => Ok(()),
        Some(_) => Err(Error::NotNormal("padding is not zero")),
    }
}

/// Element slices of an array whose elements have a variable size and alignment `align`.
///
/// The whole frame is checked before the first element is handed out.
///
/// # Errors
/// [`Error::NotNormal`] when the frame is not in normal form.
///
/// # Example
/// ```
/// // as ['a', 'bc']
/// let bytes = b"a\0bc\0\x02\x05";
/// let elements: Vec<&[u8]> = osier_gv::frame::array(bytes, 1)?.collect();
/// assert_eq!(elements, [&b"a\0"[..], b"bc\0"]);
/// # Ok::<(), osier_gv::Error>(())
/// ```
pub fn array(bytes: &[u8], align: usize) -> Result<ArrayIter<'_>, Error> {
    let size = bytes.len();
    if size == 0 {
        return Ok(ArrayIter {
            bytes,
            table: 0,
            width: 1,
            align,
            start: 0,
            left: 0,
        });
    }
    let width = offset_width(size);
    // At least one element, so at least one offset; a container of `size` > 0xff holds 2 bytes.
    let body = read_offset(bytes, size - width, width)?;
    if body > size - width || !(size - body).is_multiple_of(width) {
        return Err(Error::NotNormal("array offsets do not fit the array"));
    }
    let count = (size - body) / width;
    if writing_width(body, count) != width {
        return Err(Error::NotNormal("array offsets are wider than needed"));
    }
    let mut end = 0;
    for index in 0..count {
        let start = align_up(end, align);
        let next = read_offset(bytes, body + index * width, width)?;
        if next < start || next > body {
            return Err(Error::NotNormal("array offsets are not ascending"));
        }
        check_padding(bytes, end, start)?;
        end = next;
    }
    Ok(ArrayIter {
        bytes,
        table: body,
        width,
        align,
        start: 0,
        left: count,
    })
}

/// Iterator over the elements found by [`array()`].
#[derive(Clone, Debug)]
pub struct ArrayIter<'a> {
    bytes: &'a [u8],
    /// Where the offset of the next element lies.
    table: usize,
    width: usize,
    align: usize,
    /// End of the last element handed out.
    start: usize,
    left: usize,
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        // Both bounds were checked by `array`, so neither step fails.
        let end = read_offset(self.bytes, self.table, self.width).ok()?;
        let element = self.bytes.get(align_up(self.start, self.align)..end)?;
        self.left -= 1;
        self.table += self.width;
        self.start = end;
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ArrayIter<'_> {}

/// Element slices of an array whose elements all take `size` bytes (a positive number).
///
/// # Errors
/// [`Error::NotNormal`] when the length is no multiple of `size`.
pub fn fixed_array(bytes: &[u8], size: usize) -> Result<std::slice::ChunksExact<'_, u8>, Error> {
    if size == 0 || !bytes.len().is_multiple_of(size) {
        return Err(Error::NotNormal("array is no multiple of its element size"));
    }
    Ok(bytes.chunks_exact(size))
}

/// Splits a tuple or dictionary entry into its member slices.
///
/// # Errors
/// [`Error::NotNormal`] when the frame is not in normal form.
///
/// # Example
/// ```
/// use osier_gv::frame::{Member, tuple};
/// // (say): ('x', [byte 1, 2])
/// let [name, bytes] = tuple(b"x\0\x01\x02\x02", [Member::BYTES, Member::BYTES])?;
/// assert_eq!((name, bytes), (&b"x\0"[..], &b"\x01\x02"[..]));
/// # Ok::<(), osier_gv::Error>(())
/// ```
pub fn tuple<const N: usize>(bytes: &[u8], members: [Member; N]) -> Result<[&[u8]; N], Error> {
    let mut out = [&bytes[..0]; N];
    let mut index = 0;
    split(bytes, members.iter().copied(), |slice| {
        out[index] = slice;
        index += 1;
        Ok(())
    })?;
    Ok(out)
}

/// Walks the members of a tuple, handing each slice to `each` in order.
pub(crate) fn split<'a>(
    bytes: &'a [u8],
    members: impl ExactSizeIterator<Item = Member> + Clone,
    mut each: impl FnMut(&'a [u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let count = members.len();
    if count == 0 {
        return if bytes == [0] {
            Ok(())
        } else {
            Err(Error::NotNormal("empty tuple is not one zero byte"))
        };
    }
    let mut align = 1;
    let mut variable = 0;
    let mut last_variable = false;
    for member in members.clone() {
        align = align.max(member.align);
        last_variable = member.fixed.is_none();
        variable += usize::from(last_variable);
    }
    let all_fixed = variable == 0;
    let offsets = variable - usize::from(last_variable);
    let width = offset_width(bytes.len());
    let body = (offsets.checked_mul(width))
        .and_then(|table| bytes.len().checked_sub(table))
        .ok_or(Error::NotNormal("tuple is too short for its offsets"))?;
    if offsets > 0 && writing_width(body, offsets) != width {
        return Err(Error::NotNormal("tuple offsets are wider than needed"));
    }
    let mut end = 0;
    let mut table = bytes.len();
    for (index, member) in members.enumerate() {
        let start = align_up(end, member.align);
        let next = match member.fixed {
            Some(fixed) => start + fixed,
            None if index + 1 == count => body,
            None => {
                table -= width;
                read_offset(bytes, table, width)?
            }
        };
        if next < start || next > body {
            return Err(Error::NotNormal("tuple offsets are not ascending"));
        }
        check_padding(bytes, end, start)?;
        each(&bytes[start..next])?;
        end = next;
    }
    if all_fixed {
        check_padding(bytes, end, align_up(end, align))?;
        end = align_up(end, align);
    }
    if end == body {
        Ok(())
    } else {
        Err(Error::NotNormal("bytes after the last member"))
    }
}

/// The text of a serialised string: UTF-8 that ends in its only NUL.
///
/// # Errors
/// [`Error::NotNormal`] otherwise.
pub fn str(bytes: &[u8]) -> Result<&str, Error> {
    let Some((&0, text)) = bytes.split_last() else {
        return Err(Error::NotNormal("string does not end in NUL"));
    };
    if text.contains(&0) {
        return Err(Error::NotNormal("string contains NUL"));
    }
    std::str::from_utf8(text).map_err(|_| Error::NotNormal("string is not UTF-8"))
}

/// Splits a serialised variant into its child's bytes and type string (not yet checked).
///
/// # Errors
/// [`Error::NotNormal`] when there is no separator or the type is not UTF-8.
pub fn variant(bytes: &[u8]) -> Result<(&[u8], &str), Error> {
    let at = bytes
        .iter()
        .rposition(|&byte| byte == 0)
        .ok_or(Error::NotNormal("variant has no type"))?;
    let ty = std::str::from_utf8(&bytes[at + 1..])
        .map_err(|_| Error::NotNormal("variant type is not UTF-8"))?;
    Ok((&bytes[..at], ty))
}

/// Appends zeros until the length is a multiple of `align`.
pub fn pad(out: &mut Vec<u8>, align: usize) {
    out.resize(align_up(out.len(), align), 0);
}

/// Ends a container that starts at `start` in `out`: appends `ends`, which count from `start`, in
/// the given order (ascending for an array, reversed for a tuple), as narrow as possible.
pub fn push_offsets(out: &mut Vec<u8>, start: usize, ends: impl ExactSizeIterator<Item = usize>) {
    let width = writing_width(out.len() - start, ends.len());
    out.reserve(width * ends.len());
    for end in ends {
        out.extend_from_slice(&(end as u64).to_le_bytes()[..width]);
    }
}

/// Puts a tuple together from its serialised members.
///
/// ```
/// let mut tuple = osier_gv::frame::TupleWriter::new();
/// tuple.variable(1, b"x\0").variable(1, &[1, 2]);
/// assert_eq!(tuple.finish(), b"x\0\x01\x02\x02");
/// ```
#[derive(Clone, Debug, Default)]
pub struct TupleWriter {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    align: usize,
    any_variable: bool,
    last_variable: bool,
}

impl TupleWriter {
    /// An empty tuple.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a member of a fixed-size type.
    pub fn fixed(&mut self, align: usize, bytes: &[u8]) -> &mut Self {
        self.member(align, bytes);
        self.last_variable = false;
        self
    }

    /// Appends a member of a variable-size type.
    pub fn variable(&mut self, align: usize, bytes: &[u8]) -> &mut Self {
        self.member(align, bytes);
        self.ends.push(self.bytes.len());
        self.last_variable = true;
        self.any_variable = true;
        self
    }

    fn member(&mut self, align: usize, bytes: &[u8]) {
        self.align = self.align.max(align);
        pad(&mut self.bytes, align);
        self.bytes.extend_from_slice(bytes);
    }

    /// The serialised tuple.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.any_variable {
            pad(&mut self.bytes, self.align.max(1));
            if self.bytes.is_empty() {
                self.bytes.push(0);
            }
            return self.bytes;
        }
        if self.last_variable {
            self.ends.pop();
        }
        push_offsets(&mut self.bytes, 0, self.ends.iter().rev().copied());
        self.bytes
    }
}

/// Puts an array of variable-size elements together from its serialised elements.
///
/// ```
/// let mut array = osier_gv::frame::ArrayWriter::new(1);
/// array.push(b"a\0").push(b"bc\0");
/// assert_eq!(array.finish(), b"a\0bc\0\x02\x05");
/// ```
#[derive(Clone, Debug)]
pub struct ArrayWriter {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    align: usize,
}

impl ArrayWriter {
    /// An empty array whose elements have this alignment.
    pub fn new(align: usize) -> Self {
        ArrayWriter {
            bytes: Vec::new(),
            ends: Vec::new(),
            align,
        }
    }

    /// Appends an element.
    pub fn push(&mut self, bytes: &[u8]) -> &mut Self {
        self.push_with(|out| out.extend_from_slice(bytes))
    }

    /// Appends an element that `write` appends to the bytes so far.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        pad(&mut self.bytes, self.align);
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        self
    }

    /// The serialised array.
    pub fn finish(mut self) -> Vec<u8> {
        push_offsets(&mut self.bytes, 0, self.ends.iter().copied());
        self.bytes
    }
}
