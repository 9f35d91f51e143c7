//! Skipping loudly: a test that cannot run here says so, and a machine that must run everything can forbid it.

/// The variable that turns every skip into a failure. `cargo xtask test` sets it where it installed the peers.
pub const FORBID: &str = "OSIER_FORBID_SKIPS";

/// Prints why `test` is skipped; panics where skips are forbidden.
///
/// # Panics
/// When the variable [`FORBID`] is set to anything but the empty string.
pub fn because(reason: &str) {
    if std::env::var_os(FORBID).is_some_and(|value| !value.is_empty()) {
        panic!("skips are forbidden here ({FORBID} is set), yet: {reason}");
    }
    eprintln!("SKIP: {reason}");
}

/// Whether the process may give files away and mount: what most tests of bare repositories need.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
