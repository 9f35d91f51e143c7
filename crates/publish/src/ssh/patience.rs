//! Reading from somebody who may never say anything again.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

/// A reader that gives up when nothing comes for some time: a sender that hangs must not keep a repository locked.
#[derive(Debug)]
pub struct Patient<R> {
    from: R,
    patience: Duration,
}

impl<R: Read + AsFd> Patient<R> {
    /// Waits that long for each piece.
    pub fn new(from: R, patience: Duration) -> Patient<R> {
        Patient { from, patience }
    }
}

impl<R: Read + AsFd> Read for Patient<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let timeout = Timespec::try_from(self.patience).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(&self.from, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nothing came for {} seconds", self.patience.as_secs()),
            )),
            Ok(_) => self.from.read(buf),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn silence_ends() {
        let (mut here, there) = UnixStream::pair().unwrap();
        let mut patient = Patient::new(there, Duration::from_millis(50));
        here.write_all(b"x").unwrap();
        let mut byte = [0];
        assert_eq!(patient.read(&mut byte).unwrap(), 1);
        let error = patient.read(&mut byte).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(here);
        assert_eq!(patient.read(&mut byte).unwrap(), 0);
    }
}
