//! Project chores: `cargo xtask conformance`, `test`, `demo`, `bench`, `check`.

mod checks;
mod conformance;
mod paths;
mod process;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, proves, measures and shows Osier"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the C project's installed test scripts, unmodified, against our programs
    Conformance(conformance::Args),
    /// Install what the tests need, run every test and check, and sum up in one line
    Test(test::Args),
    /// Check the rules of the tree: layers, unsafe code, file sizes, licences
    Check(checks::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Conformance(args) => conformance::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Check(args) => checks::run(&args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
