//! The one error type of this crate.

/// Why a type string, serialised bytes or a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not one complete, definite GVariant type.
    #[error("invalid GVariant type string '{text}': {reason}")]
    Type {
        /// The offending text, shortened when it is very long.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The bytes are not the normal form of any value of the expected type.
    #[error("{0}")]
    NotNormal(&'static str),
    /// Containers nest deeper than [`crate::MAX_DEPTH`].
    #[error("GVariant nests deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// A value has another type than its user needs.
    #[error("expected a GVariant of type '{expected}', found '{found}'")]
    WrongType {
        /// Type string that was needed.
        expected: String,
        /// Type string of the value.
        found: String,
    },
    /// The text is not a value in GVariant text format.
    ///
    /// Places are byte offsets into the text, shown as GLib does: `START-END:MESSAGE`, or
    /// `START:MESSAGE` where nothing was found.
    #[error("{}:{message}", places(*.start, *.end, *.other))]
    Text {
        /// First byte that the message is about.
        start: usize,
        /// Byte after the last one that the message is about.
        end: usize,
        /// A second place, when two do not fit together.
        other: Option<(usize, usize)>,
        /// GLib's words for the problem.
        message: String,
    },
}

impl Error {
    pub(crate) fn ty(text: &str, reason: &'static str) -> Self {
        let mut shown: String = text.chars().take(80).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Error::Type {
            text: shown,
            reason,
        }
    }
}

fn places(start: usize, end: usize, other: Option<(usize, usize)>) -> String {
    let place = |start: usize, end: usize| {
        if start == end {
            start.to_string()
        } else {
            format!("{start}-{end}")
        }
    };
    match other {
        Some((s, e)) => format!("{},{}", place(start, end), place(s, e)),
        None => place(start, end),
    }
}
