//! Project chores: `cargo xtask conformance`, `test`, `demo`, `bench`, `check`.

mod bench;
mod checks;
mod conformance;
mod demo;
mod generate;
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
    /// Ship this machine's /usr to a new sysroot, upgrade it and roll it back, told step by step
    Demo(demo::Args),
    /// Time our program beside the C tool on the same tree
    Bench(bench::Args),
    /// Check the rules of the tree: layers, unsafe code, file sizes, licences
    Check(checks::Args),
    /// Write what follows from the definition of the command line: completions and man pages
    Generate(generate::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Conformance(args) => conformance::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Demo(args) => demo::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Check(args) => checks::run(&args),
        Task::Generate(args) => generate::run(&args),
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
