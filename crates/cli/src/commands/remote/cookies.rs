//! `ostree remote add-cookie`, `delete-cookie`, `list-cookies`.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use osier_object::refs::validate_remote_name;
use osier_pull::remote::CookieJar;
use osier_store::Repo;

use crate::clock;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// Add a cookie that is sent to a remote
#[derive(clap::Args)]
#[command(
    after_help = "ostree remote add-cookie --repo=repo origin ostree.example.com / token 7f3a"
)]
pub struct AddArgs {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

/// Delete a cookie of a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote delete-cookie --repo=repo origin ostree.example.com / token")]
pub struct DeleteArgs {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

/// List the cookies of a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote list-cookies --repo=repo origin")]
pub struct ListArgs {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for AddArgs {
    const POSITIONALS: &'static str = "NAME DOMAIN PATH COOKIE_NAME VALUE";
}

impl Usage for DeleteArgs {
    const POSITIONALS: &'static str = "NAME DOMAIN PATH COOKIE_NAME";
}

impl Usage for ListArgs {
    const POSITIONALS: &'static str = "NAME";
}

impl RepoCommand for AddArgs {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let [remote, domain, path, name, value, ..] = &self.args[..] else {
            return Err(usage(
                "NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified",
            ));
        };
        for field in [domain, path, name, value] {
            // A jar has one cookie a line, its fields between tabs.
            if field.contains(['\t', '\n', '\r']) {
                bail!("Invalid cookie: {field:?} holds a tab or line break");
            }
        }
        let (file, mut jar) = jar(repo, remote)?;
        jar.add(domain, path, name, value, i64::try_from(clock::now()?)?);
        save(&file, &jar)
    }
}

impl RepoCommand for DeleteArgs {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let [remote, domain, path, name, ..] = &self.args[..] else {
            return Err(usage(
                "NAME, DOMAIN, PATH and COOKIE_NAME must be specified",
            ));
        };
        let (file, mut jar) = jar(repo, remote)?;
        if !jar.delete(domain, path, name) {
            bail!("Cookie not found in jar");
        }
        save(&file, &jar)
    }
}

impl RepoCommand for ListArgs {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some(remote) = self.args.first() else {
            return Err(usage("NAME must be specified"));
        };
        for cookie in jar(repo, remote)?.1.cookies() {
            let expires = jiff::Timestamp::from_second(cookie.expires)?;
            let expires = expires
                .to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S %z");
            let secure = if cookie.secure { "TRUE" } else { "FALSE" };
            writeln!(
                cx.out,
                "--\nDomain: {}\nPath: {}\nName: {}",
                cookie.domain, cookie.path, cookie.name
            )?;
            writeln!(
                cx.out,
                "Secure: {secure}\nExpires: {expires}\nValue: {}",
                cookie.value
            )?;
        }
        Ok(())
    }
}

/// The jar of a remote, which need not be configured; an absent one is empty.
fn jar(repo: &Repo, remote: &str) -> Result<(PathBuf, CookieJar)> {
    // It becomes part of a file's name.
    validate_remote_name(remote)?;
    let file = repo.path().join(format!("{remote}.cookies.txt"));
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok((file, CookieJar::new(text))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok((file, CookieJar::default())),
        Err(e) => Err(e).with_context(|| format!("reading {}", file.display())),
    }
}

/// Replaces the jar at once. It holds secrets, so only its owner may read a new one.
fn save(file: &PathBuf, jar: &CookieJar) -> Result<()> {
    let write = || {
        let dir = file.parent().unwrap_or(std::path::Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(dir)?;
        if let Ok(old) = std::fs::metadata(file) {
            new.as_file().set_permissions(old.permissions())?;
        }
        new.write_all(jar.text().as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok::<_, std::io::Error>(())
    };
    write().with_context(|| format!("writing {}", file.display()))
}
