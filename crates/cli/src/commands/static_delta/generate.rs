//! `ostree static-delta generate`.

use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use osier_delta::format::superblock::Endianness;
use osier_delta::generate::{GenerateOptions, Generator, Outcome};
use osier_object::ObjectType;
use osier_sign::api::SecretKey;
use osier_store::size_text::si;
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo};

use crate::clock;
use crate::context::Cx;
use crate::delta_progress::DeltaProgress;
use crate::error::{OptionError, report};
use crate::interrupt::Interrupt;
use crate::signing;
use crate::table::{RepoCommand, Usage};
use crate::value;

/// Make a delta: what a commit adds to another, in few files
///
/// Clients that have FROM then fetch little more than what changed. Run `ostree summary -u` afterwards, so that they
/// find the delta. With --from-all, clients that are up to N versions behind have one each; those that fail are named, and
/// the others are made.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta generate --repo=repo exampleos/x86_64/stable")]
pub struct Args {
    /// Commit that clients have (default: the parent of TO)
    #[arg(long, value_name = "REV")]
    from: Option<String>,
    /// For clients that have nothing
    #[arg(long)]
    empty: bool,
    /// For clients that have nothing: as --empty, and beside --from-all
    #[arg(long)]
    scratch: bool,
    /// Make a delta from each of the last N commits before TO
    #[arg(long, value_name = "N", value_parser = value::positive)]
    from_all: Option<NonZero<u64>>,
    /// Put the parts into the superblock
    #[arg(long)]
    inline: bool,
    /// Commit the delta leads to
    #[arg(long, value_name = "REV")]
    to: Option<String>,
    /// Do not patch files
    #[arg(long)]
    disable_bsdiff: bool,
    /// Do nothing if there is such a delta already
    #[arg(short = 'n', long)]
    if_not_exists: bool,
    /// Order of numbers: l (little) or B (big; default: this machine's)
    #[arg(long, value_name = "ENDIAN")]
    set_endianness: Option<String>,
    /// The order of numbers that is not this machine's
    #[arg(long)]
    swap_endianness: bool,
    /// Leave out files larger than this many megabytes, for clients to fetch by themselves (default: 4; 0 for none)
    #[arg(long, value_name = "MB")]
    min_fallback_size: Option<String>,
    /// Do not patch files larger than this many megabytes, old and new together (default: 128)
    #[arg(long, value_name = "MB")]
    max_bsdiff_size: Option<String>,
    /// End parts before this many megabytes (default: 32)
    #[arg(long, value_name = "MB")]
    max_chunk_size: Option<String>,
    /// Use this many threads (default: one a core); the delta does not depend on it
    #[arg(long, value_name = "N", value_parser = value::positive)]
    threads: Option<NonZero<u64>>,
    /// Hold about this many megabytes in memory
    #[arg(long, value_name = "MB", value_parser = value::positive)]
    max_memory: Option<NonZero<u64>>,
    /// Take much longer for a smaller delta
    #[arg(long)]
    max_effort: bool,
    /// Write the superblock to this file, and parts beside it, not into the repository
    #[arg(long, value_name = "PATH")]
    filename: Option<PathBuf>,
    /// Sign the delta with this secret key
    #[arg(long, value_name = "KEY_ID")]
    sign: Vec<String>,
    /// Kind of signature (default: ed25519)
    #[arg(long, value_name = "NAME")]
    sign_type: Option<String>,
    /// Sign the delta with the secret keys in this file
    #[arg(long, value_name = "NAME")]
    keys_file: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "[TO]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        self.check_combinations()?;
        let Some(to) = self.args.first().or(self.to.as_ref()) else {
            bail!("TO revision must be specified");
        };
        let mut names = self.names(repo, to)?;
        if self.if_not_exists {
            let there = repo.list_static_deltas()?;
            for name in names.extract_if(.., |name| there.contains(name)) {
                writeln!(cx.out, "Delta {name} already exists.")?;
            }
        }
        let Some(first) = names.first() else {
            return Ok(());
        };
        let mut options = self.options()?;
        announce(cx, first)?;
        options.signing_keys = self.signing_keys()?.into();
        let progress = DeltaProgress::default();
        let interrupt = Interrupt::watch()?;
        let mut generator = Generator::new(repo, &options, &progress, interrupt.cancel())?;
        let mut failed = 0;
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                announce(cx, name)?;
            }
            let what = match names.len() {
                1 => String::new(),
                all => format!("Delta {}/{all}: ", i + 1),
            };
            let made = progress.watch(&what, || generator.generate(name));
            if made.is_err() {
                interrupt.obey();
            }
            match made {
                Ok(outcome) => {
                    statistics(&outcome)?;
                    if self.from_all.is_some() {
                        size(cx, &outcome)?;
                    }
                }
                Err(error) if self.from_all.is_none() => return Err(error.into()),
                Err(error) => {
                    failed += 1;
                    let text = report(&error.into()).text.unwrap_or_default();
                    writeln!(std::io::stderr(), "error: delta {name}: {text}")?;
                }
            }
        }
        if failed > 0 {
            bail!("{failed} of {} deltas were not made", names.len());
        }
        Ok(())
    }
}

/// What is about to be made, as the C tool says it.
fn announce(cx: &mut Cx, name: &DeltaName) -> Result<()> {
    let from = name
        .from
        .map_or_else(|| "empty".into(), |id| id.to_string());
    writeln!(
        cx.out,
        "Generating static delta:\n  From: {from}\n  To:   {}",
        name.to
    )?;
    Ok(cx.out.flush()?)
}

/// How large one of several became.
fn size(cx: &mut Cx, outcome: &Outcome) -> Result<()> {
    let bytes: u64 = outcome.parts.iter().map(|part| part.size).sum();
    let fallbacks = match outcome.fallbacks.len() {
        0 => String::new(),
        n => format!(", {n} files left out"),
    };
    let parts = match outcome.parts.len() {
        1 => "1 part".to_owned(),
        n => format!("{n} parts"),
    };
    writeln!(cx.out, "  Size: {} in {parts}{fallbacks}", si(bytes))?;
    Ok(cx.out.flush()?)
}

impl Args {
    fn check_combinations(&self) -> Result<()> {
        if self.empty && self.from.is_some() {
            bail!("Cannot specify both --empty and --from=REV");
        }
        if self.scratch && self.from.is_some() {
            bail!("Cannot specify both --scratch and --from=REV");
        }
        let several = self.from_all.is_some();
        for (option, given) in [
            ("--from", self.from.is_some()),
            ("--empty", self.empty),
            ("--filename", self.filename.is_some()),
        ] {
            if several && given {
                let text = format!("{option} and --from-all cannot be used together");
                return Err(OptionError(text).into());
            }
        }
        Ok(())
    }

    /// The deltas that are asked for.
    fn names(&self, repo: &Repo, to_rev: &str) -> Result<Vec<DeltaName>> {
        let Some(wanted) = self.from_all else {
            let from = match &self.from {
                _ if self.empty || self.scratch => None,
                Some(from) => Some(repo.resolve_rev(from)?),
                None => Some(repo.resolve_rev(&format!("{to_rev}^"))?),
            };
            let to = repo.resolve_rev(to_rev)?;
            return Ok(vec![DeltaName { from, to }]);
        };
        let to = repo.resolve_rev(to_rev)?;
        let mut names = Vec::new();
        let mut parent = repo.load_commit(&to)?.parent;
        while let Some(from) = parent
            && (names.len() as u64) < wanted.get()
        {
            let stored = repo.read_metadata_opt(ObjectType::Commit, &from.0)?;
            if stored.is_none() {
                break;
            }
            names.push(DeltaName {
                from: Some(from),
                to,
            });
            parent = repo.load_commit(&from)?.parent;
        }
        if names.is_empty() && !self.scratch {
            bail!(
                "no earlier commit of {to_rev} is here to make a delta from\n\
                 hint: --scratch makes one from nothing"
            );
        }
        if (names.len() as u64) < wanted.get() {
            writeln!(
                std::io::stderr(),
                "Only {} of {wanted} earlier commits of {to_rev} are here",
                names.len()
            )?;
        }
        if self.scratch {
            names.push(DeltaName { from: None, to });
        }
        Ok(names)
    }

    /// Those who are to sign: known before the work, not after it.
    fn signing_keys(&self) -> Result<Vec<SecretKey>> {
        // A type that is not used may be any.
        if self.sign.is_empty() && self.keys_file.is_none() {
            return Ok(Vec::new());
        }
        let kind = signing::kind(self.sign_type.as_deref())?;
        signing::secret_keys(kind, &self.sign, self.keys_file.as_slice())
    }

    fn options(&self) -> Result<GenerateOptions> {
        let defaults = GenerateOptions::default();
        let endianness = match self.set_endianness.as_deref() {
            Some("l") => Endianness::Little,
            Some("B") => Endianness::Big,
            Some(other) => bail!("Invalid endianness '{other}'"),
            None => Endianness::HOST,
        };
        let size = |option: &Option<String>, default| option.as_deref().map_or(default, megabytes);
        Ok(GenerateOptions {
            inline: self.inline,
            bsdiff: !self.disable_bsdiff,
            max_bsdiff_size: size(&self.max_bsdiff_size, defaults.max_bsdiff_size),
            min_fallback_size: size(&self.min_fallback_size, defaults.min_fallback_size),
            max_chunk_size: size(&self.max_chunk_size, defaults.max_chunk_size),
            endianness: match self.swap_endianness {
                true => endianness.swapped(),
                false => endianness,
            },
            filename: self.filename.clone(),
            timestamp: clock::commit_time()?,
            signing_keys: Arc::default(),
            threads: self
                .threads
                .map(|n| NonZero::try_from(n).unwrap_or(NonZero::<usize>::MAX)),
            max_memory: self.max_memory.map(|mb| mb.get().saturating_mul(1_000_000)),
            max_effort: self.max_effort,
        })
    }
}

/// The number a text starts with, in millions; 0 without one.
fn megabytes(text: &str) -> u64 {
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let number: u64 = match &digits[..end] {
        "" => 0,
        digits => digits.parse().unwrap_or(u64::MAX),
    };
    number.saturating_mul(1_000_000)
}

fn statistics(outcome: &Outcome) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    writeln!(err, "modified: {}", outcome.modified)?;
    writeln!(
        err,
        "new reachable: metadata={} content regular={} symlink={}",
        outcome.metadata, outcome.files, outcome.links
    )?;
    for (checksum, size) in &outcome.fallbacks {
        writeln!(err, "fallback for {checksum} ({})", si(*size))?;
    }
    let (mut packed, mut unpacked) = (0, 0);
    for (i, part) in outcome.parts.iter().enumerate() {
        writeln!(
            err,
            "part {} n:{} compressed:{} uncompressed:{}",
            i + 1,
            part.objects.len(),
            part.size,
            part.unpacked
        )?;
        packed += part.size;
        unpacked += part.unpacked;
    }
    writeln!(err, "uncompressed={unpacked} compressed={packed}")?;
    writeln!(
        err,
        "rollsum={} objects, {} bytes",
        outcome.copied, outcome.copied_bytes
    )?;
    writeln!(err, "bsdiff={} objects", outcome.patched)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("4", 4_000_000),
            ("0", 0),
            ("x", 0),
            ("", 0),
            ("7up", 7_000_000),
            ("+1", 1_000_000),
            ("-1", 0),
        ] {
            assert_eq!(super::megabytes(text), bytes, "{text}");
        }
        assert_eq!(super::megabytes("99999999999999999999"), u64::MAX);
    }
}
