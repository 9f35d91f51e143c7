//! placeholder
#![forbid(unsafe_code)]

mod engine;
mod error;
pub mod fetch;
mod http_date;
mod options;
mod outcome;
mod progress;
mod pull;
pub mod remote;
mod resolve;
mod summary;
mod target;
mod verify;

pub use error::{CommitProblem, Error, SummaryProblem};
pub use options::PullOptions;
pub use outcome::Outcome;
pub use progress::{Cancel, Progress, ProgressSink};
pub use pull::pull;
pub use target::Target;
