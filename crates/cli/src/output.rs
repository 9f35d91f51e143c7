//! Standard output with one policy for readers that went away.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Buffered standard output. A closed pipe surfaces as an ordinary
/// [`io::Error`], which [`crate::error::report`] turns into a silent exit.
pub struct Output {
    inner: BufWriter<Stdout>,
    terminal: bool,
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
        }
    }

    /// Whether a person is watching.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write(buf)
    }
    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.inner.write_all(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
