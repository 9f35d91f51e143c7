//! Each option of `pull` and `pull-local`, beside the C tool: exit code, every word printed, what is asked of the server, and all
//! that is left on disk.

#[path = "pull_options/cache.rs"]
mod cache;
#[path = "pull_options/checks.rs"]
mod checks;
#[path = "pull_options/deltas.rs"]
mod deltas;
#[path = "pull_options/ground.rs"]
mod ground;
#[path = "pull_options/history.rs"]
mod history;
#[path = "pull_options/local.rs"]
mod local;
#[path = "pull_options/mirror.rs"]
mod mirror;
#[path = "pull_options/targets.rs"]
mod targets;
