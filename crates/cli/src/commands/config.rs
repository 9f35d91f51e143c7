//! `ostree config`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_store::Repo;

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// Read and change the repository's configuration
#[derive(clap::Args)]
#[command(after_help = "ostree config --repo=repo set core.min-free-space-size 500MB")]
pub struct Args {
    /// Section the key is in; without it the key is written SECTION.KEY
    #[arg(long)]
    group: Option<String>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "(get KEY|set KEY VALUE|unset KEY)";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((operation, args)) = self.args.split_first() else {
            return Err(usage("OPERATION must be specified"));
        };
        let expected = match operation.as_str() {
            "set" => 2,
            "get" | "unset" => 1,
            other => bail!("Unknown operation {other}"),
        };
        if args.len() > expected {
            return Err(usage("Too many arguments given"));
        }
        if args.len() < expected {
            bail!(if expected == 2 {
                "KEY and VALUE must be specified"
            } else {
                "KEY must be specified"
            });
        }
        let (group, key) = match &self.group {
            Some(group) => (group.as_str(), args[0].as_str()),
            None => split(&args[0])?,
        };
        let mut keyfile = repo.config().keyfile.clone();
        // The C tool drops comments when it writes. They are worth more than its
        // bytes; where there are none, blank lines are what it would leave.
        let commented = keyfile
            .to_bytes()
            .split(|b| *b == b'\n')
            .any(|line| line.trim_ascii_start().starts_with(b"#"));
        if !commented {
            keyfile.strip_comments();
        }
        match operation.as_str() {
            "get" => writeln!(cx.out, "{}", keyfile.string(group, key)?)?,
            "set" => {
                keyfile.set_string(group, key, &args[1])?;
                repo.write_config(&keyfile)?;
            }
            _ => {
                if keyfile.has_key(group, key) {
                    keyfile.remove_key(group, key)?;
                }
                repo.write_config(&keyfile)?;
            }
        }
        Ok(())
    }
}

/// `SECTION.KEY`; section names may hold dots (`remote "a.b"`) but keys do not.
fn split(text: &str) -> Result<(&str, &str)> {
    // The first dot, as the C tool has it: `a.b.c` is key `b.c` of section `a`.
    match text.split_once('.') {
        Some(parts) => Ok(parts),
        None => bail!("Key must be of the form \"sectionname.keyname\""),
    }
}
