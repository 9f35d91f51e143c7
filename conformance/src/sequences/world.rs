//! The folder in which one tool runs a sequence.

use super::damage::damage;
use super::plant::{edit, plant};
use super::step::Step;
use osier_testkit::repo::object_names;
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What both tools know of the sequence so far.
#[derive(Default)]
pub struct Memory {
    /// The commits that commands printed.
    pub commits: Vec<String>,
}

/// A tool and its folder.
pub struct World {
    tool: Tool,
    /// The folder.
    pub root: PathBuf,
}

impl World {
    /// An empty folder for a tool.
    pub fn new(tool: &Tool, root: &Path) -> io::Result<World> {
        fs::create_dir_all(root)?;
        Ok(World {
            tool: tool.clone(),
            root: root.to_owned(),
        })
    }

    /// The step with everything chosen that depends on what is there: for both worlds the same.
    pub fn settle(&self, step: &Step, memory: &Memory) -> Step {
        match step {
            Step::Run { args, stdin } => Step::Run {
                args: args
                    .iter()
                    .map(|arg| resolve(arg, memory, &self.root))
                    .collect(),
                stdin: stdin.clone(),
            },
            Step::Damage {
                repo,
                pick,
                kinds,
                how,
            } => {
                let mut names = object_names(&self.root.join(repo)).unwrap_or_default();
                names.retain(|name| {
                    let kind = name.rsplit('.').next().unwrap_or_default();
                    kinds.contains(&kind) || (kind == "filez" && kinds.contains(&"file"))
                });
                Step::DamageObject {
                    repo: repo.clone(),
                    name: match names.is_empty() {
                        true => String::new(),
                        false => names.swap_remove((*pick as usize) % names.len()),
                    },
                    how: how.clone(),
                }
            }
            other => other.clone(),
        }
    }

    /// Does a settled step; gives what a command did.
    pub fn step(&self, step: &Step) -> io::Result<Option<Outcome>> {
        match step {
            Step::Run { args, stdin } => return self.run(args, stdin).map(Some),
            Step::Plant { name, seed } => {
                remove(&self.root.join(name))?;
                plant(&self.root.join(name), *seed)?;
            }
            Step::Edit { name, seed } => edit(&self.root.join(name), *seed)?,
            Step::Write { name, text } => fs::write(self.root.join(name), text)?,
            Step::DamageObject { repo, name, how } => {
                if !name.is_empty() {
                    damage(&self.root.join(repo), name, how)?;
                }
            }
            Step::Damage { .. } => unreachable!("settled"),
            Step::Remove(name) => remove(&self.root.join(name))?,
        }
        Ok(None)
    }

    fn run(&self, args: &[String], stdin: &str) -> io::Result<Outcome> {
        let mut command = self.tool.command(args);
        command.current_dir(&self.root);
        if !stdin.is_empty() {
            let (read, write) = io::pipe()?;
            let mut write = write;
            // Small enough for the pipe's buffer.
            write.write_all(stdin.as_bytes())?;
            command.stdin(Stdio::from(read));
        }
        Ok(self.tool.finish(&mut command))
    }
}

/// Deletes whatever is at `path`.
pub fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}

/// Fills in `{c3}`, `{c3:8}` and `{x:repo:5}`.
fn resolve(arg: &str, memory: &Memory, root: &Path) -> String {
    let Some((before, rest)) = arg.split_once('{') else {
        return arg.to_owned();
    };
    let Some((inside, after)) = rest.split_once('}') else {
        return arg.to_owned();
    };
    let value = if let Some(which) = inside.strip_prefix('c') {
        let (number, digits) = which.split_once(':').unwrap_or((which, "64"));
        let number: usize = number.parse().unwrap_or_default();
        let all = &memory.commits;
        let commit = match all.is_empty() {
            true => "a".repeat(64),
            false => all[number % all.len()].clone(),
        };
        commit[..digits.parse().unwrap_or(64)].to_owned()
    } else if let Some((repo, number)) = inside
        .strip_prefix("x:")
        .and_then(|rest| rest.split_once(':'))
    {
        let names = object_names(&root.join(repo)).unwrap_or_default();
        match names.is_empty() {
            true => "b".repeat(64),
            false => {
                let name = &names[number.parse::<usize>().unwrap_or_default() % names.len()];
                name.split('.').next().unwrap_or_default().replace('/', "")
            }
        }
    } else {
        return arg.to_owned();
    };
    format!("{before}{value}{}", resolve(after, memory, root))
}
