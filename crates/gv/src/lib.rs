//! GVariant for untrusted bytes: types, values, a strict codec, the text format.
//!
//! OSTree's objects, summaries and signatures are serialised GVariants. This crate reads only
//! their *normal form* (the one serialisation every value has), so what decodes also encodes to
//! the same bytes. It holds no unsafe code, never allocates by a size that the input merely
//! claims, and bounds recursion by [`MAX_DEPTH`].
//!
//! ```
//! use osier_gv::{Dict, Value};
//!
//! let mut metadata = Dict::new();
//! metadata.push("version", Value::str("1.0"));
//! let bytes = metadata.encode();
//! let read = Dict::decode(&bytes)?;
//! assert_eq!(read.get_str("version"), Some("1.0"));
//! # Ok::<(), osier_gv::Error>(())
//! ```
//!
//! - [`Type`]: parsed type strings with alignment and size
//! - [`Value`], [`Dict`]: owned values and the ordered `a{sv}`
//! - [`frame`]: containers split and written as byte slices, for hot formats
//! - [`text`]: the format of `ostree commit --add-metadata` and `ostree show --print-metadata-key`
//! - [`glib_order`]: the order in which GLib's hash table emits keys

#![forbid(unsafe_code)]

mod decode;
mod dict;
mod encode;
mod error;
pub mod frame;
pub mod glib_order;
pub mod text;
mod ty;
mod value;

pub use decode::check_normal_form;
pub use dict::Dict;
pub use error::Error;
pub use ty::{Kind, Type};
pub use value::Value;

/// Most levels of containers that a type or value may nest, as in GLib.
pub const MAX_DEPTH: usize = 128;
