//! Subject and body of a commit.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

#[derive(clap::Args)]
pub(super) struct MessageArgs {
    /// One line about the commit
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// More about the commit
    #[arg(short = 'm', long, value_name = "BODY")]
    body: Option<String>,
    /// Take the body from a file
    #[arg(short = 'F', long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Write subject and body in an editor
    #[arg(short, long)]
    editor: bool,
}

impl MessageArgs {
    /// Subject and body, from the options or from an editor.
    pub(super) fn read(&self, branch: Option<&str>) -> Result<(String, String)> {
        let subject = self.subject.clone().unwrap_or_default();
        if let Some(path) = &self.body_file {
            let body = std::fs::read_to_string(path)
                .with_context(|| format!("openat({})", path.display()))?;
            return Ok((subject, body));
        }
        let body = self.body.clone().unwrap_or_default();
        if self.editor {
            edit(&subject, &body, branch)
        } else {
            Ok((subject, body))
        }
    }
}

/// Lets the user write the message. `OSTREE_EDITOR`, `VISUAL`, `EDITOR` name the
/// editor, in that order; the value is a shell command, as git has it.
fn edit(subject: &str, body: &str, branch: Option<&str>) -> Result<(String, String)> {
    let mut file =
        tempfile::NamedTempFile::new().context("creating a file for the commit message")?;
    file.write_all(template(subject, body, branch).as_bytes())?;
    let editor = ["OSTREE_EDITOR", "VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg(&editor)
        .arg(file.path())
        .status()
        .with_context(|| format!("There was a problem with the editor '{editor}'"))?;
    if !status.success() {
        bail!("There was a problem with the editor '{editor}': {status}");
    }
    let mut text = String::new();
    // The editor may have replaced the file: open it anew by name.
    std::fs::File::open(file.path())?.read_to_string(&mut text)?;
    let (subject, body) = split(&text);
    if subject.is_empty() {
        bail!("Aborting commit due to empty commit subject.");
    }
    Ok((subject, body))
}

fn template(subject: &str, body: &str, branch: Option<&str>) -> String {
    let mut text = format!("{subject}\n");
    if !body.is_empty() {
        text.push_str(&format!("\n{body}\n"));
    }
    text.push_str("\n# The first line is the subject, the rest the body. Lines that start with # are left out.\n");
    text.push_str("# Without a subject nothing is committed.\n");
    if let Some(branch) = branch {
        text.push_str(&format!("#\n# Branch: {branch}\n"));
    }
    text
}

/// Subject and body of an edited message: comments are dropped, empty lines
/// around both as well.
fn split(text: &str) -> (String, String) {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut lines = lines.into_iter().skip_while(|line| line.trim().is_empty());
    let subject = lines.next().unwrap_or_default().trim_end().to_owned();
    let body: Vec<&str> = lines.skip_while(|line| line.trim().is_empty()).collect();
    (subject, body.join("\n").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_message_is_split_and_cleaned() {
        let edited = "\nSubject\n# comment\n\nbody\nline\n# x\n\n\n";
        assert_eq!(
            split(edited),
            ("Subject".to_owned(), "body\nline".to_owned())
        );
        assert_eq!(split("# only\n\n"), (String::new(), String::new()));
    }

    #[test]
    fn an_untouched_template_keeps_what_was_given() {
        let text = template("s", "b1\nb2", Some("main"));
        assert_eq!(split(&text), ("s".to_owned(), "b1\nb2".to_owned()));
        assert_eq!(
            split(&template("", "", None)),
            (String::new(), String::new())
        );
    }
}
