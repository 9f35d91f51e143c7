//! Keeping the configured reserve free while writing.

use crate::config::MinFreeSpace;
use crate::error::{Error, IoContext, Result};
use crate::repo::Repo;
use std::sync::atomic::{AtomicI64, Ordering};

/// A budget of blocks that content objects draw from.
#[derive(Debug)]
pub(super) struct FreeSpace {
    block: u64,
    left: Option<AtomicI64>,
    rule: MinFreeSpace,
}

impl FreeSpace {
    pub(super) fn measure(repo: &Repo) -> Result<FreeSpace> {
        let rule = repo.config().min_free_space.clone();
        let st = rustix::fs::fstatvfs(repo.dir())
            .at(|| format!("statvfs({})", repo.path().display()))?;
        let block = st.f_bsize.max(1);
        let reserved = match &rule {
            MinFreeSpace::Percent(0) => {
                return Ok(FreeSpace {
                    block,
                    left: None,
                    rule,
                });
            }
            MinFreeSpace::Percent(p) => st.f_blocks.saturating_mul(st.f_frsize) / 100 * p,
            MinFreeSpace::Size(mebibytes) if *mebibytes > u64::MAX >> 20 => {
                return Err(Error::Config(format!(
                    "Error calculating min-free-space bytes: min-free-space value is greater than the maximum allowed \
                     value of {} bytes",
                    u64::MAX >> 20
                )));
            }
            MinFreeSpace::Size(mebibytes) => mebibytes << 20,
        };
        // Only a real administrator may use what the file system keeps back for one.
        let free = if may_use_reserve() {
            st.f_bfree
        } else {
            st.f_bavail
        };
        let left = free.saturating_sub(reserved / block);
        Ok(FreeSpace {
            block,
            left: Some(AtomicI64::new(i64::try_from(left).unwrap_or(i64::MAX))),
            rule,
        })
    }

    /// Takes room for `bytes`, which goes back unless it is kept.
    pub(super) fn take(&self, bytes: u64) -> Result<Room<'_>> {
        let blocks = bytes / self.block + 1;
        if let Some(left) = &self.left {
            let wanted = i64::try_from(blocks).unwrap_or(i64::MAX);
            if left.fetch_sub(wanted, Ordering::Relaxed) < wanted {
                left.fetch_add(wanted, Ordering::Relaxed);
                let (setting, value) = match &self.rule {
                    MinFreeSpace::Percent(p) => ("min-free-space-percent", format!("'{p}%'")),
                    MinFreeSpace::Size(mebibytes) => {
                        ("min-free-space-size", format!("{mebibytes}MB"))
                    }
                };
                return Err(Error::MinFreeSpace {
                    setting,
                    value,
                    needed: crate::size_text::si(blocks.saturating_mul(self.block)),
                });
            }
        }
        Ok(Room { of: self, blocks })
    }
}

/// Room taken for one object.
#[derive(Debug)]
pub(super) struct Room<'a> {
    of: &'a FreeSpace,
    blocks: u64,
}

impl Room<'_> {
    /// Adds room taken for more of the same object.
    pub(super) fn add(&mut self, mut more: Self) {
        self.blocks += std::mem::take(&mut more.blocks);
    }

    /// The object is there: its room is used up.
    pub(super) fn keep(mut self) {
        self.blocks = 0;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if let Some(left) = &self.of.left {
            left.fetch_add(
                i64::try_from(self.blocks).unwrap_or(i64::MAX),
                Ordering::Relaxed,
            );
        }
    }
}

fn may_use_reserve() -> bool {
    use rustix::thread::{CapabilitySet, capability_is_in_bounding_set};
    rustix::process::geteuid().is_root()
        && capability_is_in_bounding_set(CapabilitySet::SYS_ADMIN).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_goes_back_unless_it_is_kept() {
        let free = FreeSpace {
            block: 4096,
            left: Some(AtomicI64::new(10)),
            rule: MinFreeSpace::Percent(3),
        };
        let left = || free.left.as_ref().unwrap().load(Ordering::Relaxed);
        let mut room = free.take(4095).unwrap();
        room.add(free.take(4096).unwrap());
        assert_eq!(left(), 7);
        drop(room);
        assert_eq!(left(), 10);
        free.take(4096 * 9).unwrap().keep();
        assert_eq!(left(), 0);
        assert!(matches!(free.take(0), Err(Error::MinFreeSpace { .. })));
        assert_eq!(left(), 0);
    }
}
