//! Type strings, parsed once so that decoding never scans them again.

use std::fmt;
use std::sync::Arc;

use crate::{Error, MAX_DEPTH};

/// A complete, definite GVariant type such as `a{sv}`.
///
/// Cloning is cheap (a reference count). Two types are equal when their type strings are.
#[derive(Clone)]
pub struct Type(Arc<Node>);

struct Node {
    /// The whole string that was parsed; this node is `text[start..end]`.
    text: Arc<str>,
    start: usize,
    end: usize,
    kind: Kind,
    align: usize,
    fixed: Option<usize>,
    /// Levels of containers including this one: 0 for a basic type, 1 for `v`.
    depth: usize,
}

/// The shape of a [`Type`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `b`
    Bool,
    /// `y`
    Byte,
    /// `n`
    I16,
    /// `q`
    U16,
    /// `i`
    I32,
    /// `u`
    U32,
    /// `x`
    I64,
    /// `t`
    U64,
    /// `h`
    Handle,
    /// `d`
    F64,
    /// `s`
    Str,
    /// `o`
    ObjectPath,
    /// `g`
    Signature,
    /// `v`
    Variant,
    /// `aT`
    Array(Type),
    /// `mT`
    Maybe(Type),
    /// `(T…)`, possibly without members
    Tuple(Vec<Type>),
    /// `{KV}` with a basic key
    DictEntry(Type, Type),
}

impl Type {
    /// Parses one complete type string.
    ///
    /// # Errors
    /// [`Error::Type`] when the text is empty, has an unknown letter, is incomplete or has
    /// something after the type; [`Error::TooDeep`] past [`MAX_DEPTH`] levels.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_bounded(text, MAX_DEPTH)
    }

    pub(crate) fn parse_bounded(text: &str, limit: usize) -> Result<Self, Error> {
        let mut parser = Parser::new(text);
        let ty = parser.one(limit)?;
        if parser.at != text.len() {
            return Err(Error::ty(text, "text after the end of the type"));
        }
        Ok(ty)
    }

    /// The type string.
    pub fn as_str(&self) -> &str {
        &self.0.text[self.0.start..self.0.end]
    }

    /// Alignment in bytes: 1, 2, 4 or 8.
    pub fn alignment(&self) -> usize {
        self.0.align
    }

    /// Size in bytes when every value of the type has the same size.
    pub fn fixed_size(&self) -> Option<usize> {
        self.0.fixed
    }

    /// The shape, with the types inside it.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Levels of containers, 0 for a basic type.
    pub(crate) fn depth(&self) -> usize {
        self.0.depth
    }

    /// The element type of an array or maybe.
    pub fn element(&self) -> Option<&Type> {
        match self.kind() {
            Kind::Array(element) | Kind::Maybe(element) => Some(element),
            _ => None,
        }
    }

    /// Whether values of the type are no containers (so may be dictionary keys).
    pub fn is_basic(&self) -> bool {
        !matches!(
            self.kind(),
            Kind::Variant | Kind::Array(_) | Kind::Maybe(_) | Kind::Tuple(_) | Kind::DictEntry(..)
        )
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for Type {}

impl std::hash::Hash for Type {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Type({:?})", self.as_str())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Type {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// Rounds `offset` up to a multiple of `align`, a power of two.
pub(crate) fn align_up(offset: usize, align: usize) -> usize {
    (offset + (align - 1)) & !(align - 1)
}

struct Parser<'a> {
    text: &'a str,
    shared: Arc<str>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Parser {
            text,
            shared: Arc::from(text),
            at: 0,
        }
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, Error> {
        Err(Error::ty(self.text, reason))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// One type with at most `limit` levels of containers.
    fn one(&mut self, limit: usize) -> Result<Type, Error> {
        let start = self.at;
        let Some(letter) = self.peek() else {
            return self.fail("the type is incomplete");
        };
        self.at += 1;
        let (kind, align, fixed) = match letter {
            b'b' => (Kind::Bool, 1, Some(1)),
            b'y' => (Kind::Byte, 1, Some(1)),
            b'n' => (Kind::I16, 2, Some(2)),
            b'q' => (Kind::U16, 2, Some(2)),
            b'i' => (Kind::I32, 4, Some(4)),
            b'u' => (Kind::U32, 4, Some(4)),
            b'h' => (Kind::Handle, 4, Some(4)),
            b'x' => (Kind::I64, 8, Some(8)),
            b't' => (Kind::U64, 8, Some(8)),
            b'd' => (Kind::F64, 8, Some(8)),
            b's' => (Kind::Str, 1, None),
            b'o' => (Kind::ObjectPath, 1, None),
            b'g' => (Kind::Signature, 1, None),
            _ => {
                if !matches!(letter, b'v' | b'a' | b'm' | b'(' | b'{') {
                    self.at = start;
                    return self.fail("unknown type letter");
                }
                if limit == 0 {
                    return Err(Error::TooDeep);
                }
                return self.container(start, letter, limit - 1);
            }
        };
        Ok(self.node(start, kind, align, fixed, 0))
    }

    fn container(&mut self, start: usize, letter: u8, limit: usize) -> Result<Type, Error> {
        match letter {
            b'v' => Ok(self.node(start, Kind::Variant, 8, None, 1)),
            b'a' | b'm' => {
                let element = self.one(limit)?;
                let (align, depth) = (element.alignment(), element.depth() + 1);
                let kind = if letter == b'a' {
                    Kind::Array(element)
                } else {
                    Kind::Maybe(element)
                };
                Ok(self.node(start, kind, align, None, depth))
            }
            b'(' => {
                let mut members = Vec::new();
                while self.peek() != Some(b')') {
                    members.push(self.one(limit)?);
                }
                self.at += 1;
                let (align, fixed, depth) = layout(&members);
                Ok(self.node(start, Kind::Tuple(members), align, fixed, depth))
            }
            _ => {
                let key = self.one(limit)?;
                if !key.is_basic() {
                    return self.fail("a dictionary key must have a basic type");
                }
                let value = self.one(limit)?;
                if self.peek() != Some(b'}') {
                    return self.fail("a dictionary entry has exactly two members");
                }
                self.at += 1;
                let members = [key, value];
                let (align, fixed, depth) = layout(&members);
                let [key, value] = members;
                Ok(self.node(start, Kind::DictEntry(key, value), align, fixed, depth))
            }
        }
    }

    fn node(
        &self,
        start: usize,
        kind: Kind,
        align: usize,
        fixed: Option<usize>,
        depth: usize,
    ) -> Type {
        Type(Arc::new(Node {
            text: Arc::clone(&self.shared),
            start,
            end: self.at,
            kind,
            align,
            fixed,
            depth,
        }))
    }
}

/// Alignment, fixed size and depth of a tuple with these members.
fn layout(members: &[Type]) -> (usize, Option<usize>, usize) {
    let align = members.iter().map(Type::alignment).max().unwrap_or(1);
    let depth = members.iter().map(Type::depth).max().unwrap_or(0) + 1;
    let mut size = Some(0);
    for member in members {
        size = match (size, member.fixed_size()) {
            (Some(size), Some(fixed)) => Some(align_up(size, member.alignment()) + fixed),
            _ => None,
        };
    }
    // The empty tuple takes one byte, so that an array of them has a length.
    let fixed = size.map(|size| align_up(size, align).max(1));
    (align, fixed, depth)
}
