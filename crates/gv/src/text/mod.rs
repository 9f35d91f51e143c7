//! GVariant text format, as GLib parses and prints it.
//!
//! People meet it in `ostree commit --add-metadata=KEY=TEXT`, `ostree summary --add-metadata` and
//! `ostree show --print-metadata-key`. Parsing goes from text to a tree of `ast` nodes, infers
//! the type where none is declared, then builds the value.
//!
//! Baseline answers of the C tool: `tests/fixtures/text_baseline.txt`.

mod ast;
mod build;
mod infer;
mod number;
mod print;

use crate::{Error, Type, Value};

pub use print::print;

/// Parses one value in text format.
///
/// Without `ty` the type must follow from the text: `1` is an `i`, `[]` is an error.
///
/// # Errors
/// [`Error::Text`] in GLib's words, with byte offsets into `text`.
///
/// ```
/// use osier_gv::{Value, text};
/// assert_eq!(text::parse("uint64 5", None)?, Value::U64(5));
/// assert_eq!(text::parse("[1, 2.5]", None)?.type_string(), "ad");
/// let error = text::parse("[]", None).unwrap_err();
/// assert_eq!(error.to_string(), "0-2:unable to infer type");
/// # Ok::<(), osier_gv::Error>(())
/// ```
pub fn parse(text: &str, ty: Option<&Type>) -> Result<Value, Error> {
    let mut parser = ast::Parser::new(text);
    let node = parser.value()?;
    // GLib builds the value before it looks for trailing text, so that error comes first.
    let value = match ty {
        Some(ty) => build::build(&node, ty)?,
        None => build::build(&node, &infer::infer(&node)?)?,
    };
    parser.end()?;
    Ok(value)
}

/// An error about `start..end` of the text.
fn error(start: usize, end: usize, message: impl Into<String>) -> Error {
    Error::Text {
        start,
        end,
        other: None,
        message: message.into(),
    }
}
