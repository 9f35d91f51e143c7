//! The lines of `file_contexts`.

use crate::Error;
use crate::pattern::Pattern;

/// A line: which paths, of which type, get which label.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) file: &'static str,
    pub(crate) line: usize,
    pub(crate) pattern: Pattern,
    /// The type's bits of a mode; `None` for all types.
    pub(crate) kind: Option<u32>,
    /// `None` where the file says `<<none>>`.
    pub(crate) label: Option<Box<str>>,
}

/// The type's bits of a mode.
pub(crate) const S_IFMT: u32 = 0o170_000;

/// Reads the lines of a file.
pub(crate) fn parse(file: &'static str, text: &str) -> Result<Vec<Spec>, Error> {
    let mut specs = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let line = line + 1;
        let mut fields = content.split_ascii_whitespace();
        let Some(path) = fields.next().filter(|path| !path.starts_with('#')) else {
            continue;
        };
        if !content.is_ascii() {
            return Err(Error::NotAscii { file, line });
        }
        let Some(second) = fields.next() else {
            return Err(Error::MissingFields { file, line });
        };
        // What follows the label is not looked at.
        let (kind, label) = match fields.next() {
            None => (None, second),
            Some(label) => (
                Some(kind_of(second).ok_or_else(|| Error::FileType {
                    file,
                    line,
                    found: second.to_owned(),
                })?),
                label,
            ),
        };
        specs.push(Spec {
            file,
            line,
            pattern: Pattern::new(path),
            kind,
            label: (label != "<<none>>").then(|| label.into()),
        });
    }
    Ok(specs)
}

fn kind_of(text: &str) -> Option<u32> {
    Some(match text {
        "-b" => 0o060_000,
        "-c" => 0o020_000,
        "-d" => 0o040_000,
        "-p" => 0o010_000,
        "-l" => 0o120_000,
        "-s" => 0o140_000,
        "--" => 0o100_000,
        _ => return None,
    })
}
