//! Origin files: a key file beside each deployment that says where it came from.
//!
//! Group `[origin]`: `refspec` (where upgrades come from), `unconfigured-state` (why it cannot be
//! upgraded yet), `override-commit`, `unlocked=hotfix`. Group `[libostree-transient]`: state that a
//! later deployment does not inherit, such as `pinned=true`. Unknown keys are kept.

use osier_keyfile::{Error, KeyFile};

/// The group that names the source.
pub const ORIGIN: &str = "origin";
/// The group of state that is not inherited.
pub const TRANSIENT: &str = "libostree-transient";

/// An origin with nothing but a refspec.
///
/// # Errors
/// A refspec with a line break.
pub fn from_refspec(refspec: &str) -> Result<KeyFile, Error> {
    let mut origin = KeyFile::new();
    origin.set_string(ORIGIN, "refspec", refspec)?;
    Ok(origin)
}

/// `[origin] refspec`, if there is a readable one.
pub fn refspec(origin: &KeyFile) -> Option<String> {
    origin.string(ORIGIN, "refspec").ok()
}

/// `[origin] unconfigured-state`: what to do before an upgrade can work.
pub fn unconfigured_state(origin: &KeyFile) -> Option<String> {
    origin.string(ORIGIN, "unconfigured-state").ok()
}

/// `[origin] override-commit`.
pub fn override_commit(origin: &KeyFile) -> Option<String> {
    origin.string(ORIGIN, "override-commit").ok()
}

/// `[libostree-transient] pinned`.
pub fn is_pinned(origin: &KeyFile) -> bool {
    origin.boolean(TRANSIENT, "pinned").unwrap_or(false)
}

/// Sets or clears `pinned`.
///
/// # Errors
/// None in practice: both names are valid.
pub fn set_pinned(origin: &mut KeyFile, pinned: bool) -> Result<(), Error> {
    if pinned {
        return origin.set_boolean(TRANSIENT, "pinned", true);
    }
    match origin.remove_key(TRANSIENT, "pinned") {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Whether the deployment was made writable for good.
pub fn is_hotfix(origin: &KeyFile) -> bool {
    origin
        .string(ORIGIN, "unlocked")
        .is_ok_and(|value| value == "hotfix")
}

/// Removes what a later deployment must not inherit.
pub fn remove_transient_state(origin: &mut KeyFile) {
    // Each may be missing; that is what is wanted.
    let _ = origin.remove_group(TRANSIENT);
    let _ = origin.remove_key(ORIGIN, "override-commit");
    let _ = origin.remove_key(ORIGIN, "unlocked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_state_goes_the_rest_stays() {
        let text = b"[origin]\nrefspec=r:os/main\noverride-commit=ab\nunlocked=hotfix\nx=1\n\n[libostree-transient]\npinned=true\n\n[rpmostree]\ny=2\n";
        let mut origin = KeyFile::parse(text).unwrap();
        assert!(is_pinned(&origin) && is_hotfix(&origin));
        remove_transient_state(&mut origin);
        assert_eq!(
            origin.to_bytes(),
            b"[origin]\nrefspec=r:os/main\nx=1\n\n[rpmostree]\ny=2\n"
        );
    }

    #[test]
    fn pinning() {
        let mut origin = from_refspec("os/main").unwrap();
        set_pinned(&mut origin, true).unwrap();
        assert_eq!(
            origin.to_bytes(),
            b"[origin]\nrefspec=os/main\n\n[libostree-transient]\npinned=true\n"
        );
        set_pinned(&mut origin, false).unwrap();
        set_pinned(&mut origin, false).unwrap();
        assert!(!is_pinned(&origin));
        assert_eq!(refspec(&origin).unwrap(), "os/main");
    }
}
