//! Standard output with one policy for readers that went away, and one for what a terminal may be told.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use crate::visible::Visible;

/// Buffered standard output. A closed pipe surfaces as an ordinary
/// [`io::Error`], which [`crate::error::report`] turns into a silent exit.
///
/// On a terminal control characters are written out: subjects and names come from whoever made the commit, and
/// must not command the terminal of whoever reads them. A pipe or a file gets the bytes as they are.
pub struct Output {
    inner: BufWriter<Stdout>,
    terminal: bool,
    visible: Visible,
}

impl Output {
    /// Takes standard output.
    #[must_use]
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            inner: BufWriter::with_capacity(64 * 1024, stdout),
            terminal,
            visible: Visible::default(),
        }
    }

    /// Whether a person is watching.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Standard output for bytes that are what was asked for, whatever they do: a file's content, an archive, colour.
    pub fn raw(&mut self) -> &mut impl Write {
        &mut self.inner
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_all(buf)?;
        Ok(buf.len())
    }
    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        if self.terminal {
            self.visible.write(buf, &mut self.inner)
        } else {
            self.inner.write_all(buf)
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        self.visible.end(&mut self.inner)?;
        self.inner.flush()
    }
}
