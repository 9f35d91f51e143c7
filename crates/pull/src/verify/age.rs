//! Whether a commit is at least as new as what it replaces.

use crate::Error;
use osier_object::{Commit, CommitId};

/// Refuses a commit older than `old`. The same age is fine.
pub(crate) fn check_age(new: (&CommitId, &Commit), old: (&CommitId, &Commit)) -> Result<(), Error> {
    let (new_time, old_time) = (new.1.timestamp, old.1.timestamp);
    if new_time >= old_time {
        return Ok(());
    }
    Err(Error::Downgrade {
        new: *new.0,
        new_time,
        old: *old.0,
        old_time,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{commit, message};
    use super::*;

    #[test]
    fn age() {
        let (old, new) = (commit(1_700_000_000), commit(1_699_999_700));
        assert!(check_age((&old.0, &old.1), (&new.0, &new.1)).is_ok());
        assert!(check_age((&old.0, &old.1), (&old.0, &old.1)).is_ok());
        assert_eq!(
            message(check_age((&new.0, &new.1), (&old.0, &old.1))),
            format!(
                "Upgrade target revision '{}' with timestamp 'Tue Nov 14 22:08:20 2023' is chronologically older than current revision '{}' with timestamp 'Tue Nov 14 22:13:20 2023'; use --allow-downgrade to permit",
                new.0, old.0
            )
        );
    }
}
