//! `ostree config`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_store::Repo;
use serde_json::{Map, Value as Json};

use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::table::{RepoCommand, Usage};

/// Read and change the repository's configuration
///
/// `list` prints one group, or all.
#[derive(clap::Args)]
#[command(after_help = "ostree config --repo=repo set core.min-free-space-size 500MB")]
pub struct Args {
    /// Section the key is in; without it the key is written SECTION.KEY
    #[arg(long)]
    group: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "(get KEY|set KEY VALUE|unset KEY|list [GROUP])";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((operation, args)) = self.args.split_first() else {
            return Err(usage("OPERATION must be specified"));
        };
        let expected = match operation.as_str() {
            "set" => 2,
            "get" | "unset" => 1,
            "list" => return self.list(cx, repo, args),
            other => bail!("Unknown operation {other}"),
        };
        if args.len() > expected {
            return Err(usage("Too many arguments given"));
        }
        if args.len() < expected {
            bail!(match (expected, &self.group) {
                (2, None) => "KEY and VALUE must be specified",
                (2, Some(_)) => "GROUP name, KEY and VALUE must be specified",
                (_, None) => "KEY must be specified",
                (_, Some(_)) => "Group name and key must be specified",
            });
        }
        json::alone(self.json, &[(operation, operation != "get")])?;
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
            "get" if self.json => {
                let value = keyfile.string(group, key)?;
                let key = Map::from_iter([(key.to_owned(), Json::from(value))]);
                let group = Map::from_iter([(group.to_owned(), Json::Object(key))]);
                json::config::print(&mut cx.out, group)?;
            }
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

impl Args {
    /// The key file of one group, or of all, without comments.
    fn list(&self, cx: &mut Cx, repo: &Repo, args: &[String]) -> Result<()> {
        let keyfile = &repo.config().keyfile;
        let only = match (&self.group, args) {
            (_, [_, _, ..]) | (Some(_), [_]) => return Err(usage("Too many arguments given")),
            (group, args) => group.as_ref().or(args.first()),
        };
        let groups: Vec<&str> = match only {
            Some(group) => vec![group],
            None => keyfile.groups().collect(),
        };
        let mut found = Map::new();
        for (at, group) in groups.iter().enumerate() {
            let mut keys = Map::new();
            if !self.json {
                writeln!(cx.out, "{}[{group}]", if at == 0 { "" } else { "\n" })?;
            }
            for key in keyfile.keys(group)? {
                if self.json {
                    keys.insert(key.to_owned(), keyfile.string(group, key)?.into());
                } else {
                    // As in the file: a value of several lines stays on one.
                    write!(cx.out, "{key}=")?;
                    cx.out.write_all(keyfile.value(group, key)?)?;
                    writeln!(cx.out)?;
                }
            }
            found.insert((*group).to_owned(), Json::Object(keys));
        }
        if self.json {
            json::config::print(&mut cx.out, found)?;
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
