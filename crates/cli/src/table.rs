//! Which commands exist, and what each needs opened before it runs.

use anyhow::Result;
use clap::ArgMatches;
use osier_store::Repo;

use crate::context::Cx;
use crate::{admin, commands};

/// What is opened before a command's `run` is called. It also decides which
/// general options the command accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// Nothing: no `--repo`, no `--sysroot`.
    Nothing,
    /// `--repo` is accepted, but the command opens (or creates) it itself.
    RepoPath,
    /// The repository, found as [`crate::open`] describes.
    Repo,
    /// `--sysroot` is accepted; the command opens it itself.
    Sysroot,
}

/// A name in the command tree.
pub struct Entry {
    pub name: &'static str,
    /// Hidden entries run, but no list shows them.
    pub hidden: bool,
    pub kind: Kind,
}

/// Either a command or a list of further names.
pub enum Kind {
    Command(Command),
    Group(Group),
}

/// A command: how to parse it, how to run it.
pub struct Command {
    pub needs: Needs,
    /// The positional part of the usage line, as `COMMIT PATH...`.
    pub positionals: &'static str,
    /// `-v` is `--verbose`, unless the command uses the letter otherwise.
    pub short_verbose: bool,
    pub augment: fn(clap::Command) -> clap::Command,
    pub run: fn(&ArgMatches, &mut Cx) -> Result<()>,
}

/// A command that only has sub-commands.
pub struct Group {
    pub about: &'static str,
    pub commands: &'static [Entry],
    /// Run when no sub-command is named (`ostree admin --print-current-dir`).
    pub bare: Option<Command>,
}

/// What every command's argument struct says about itself beside its doc comments.
pub trait Usage: clap::Args {
    /// The positional part of the usage line.
    const POSITIONALS: &'static str = "";
    /// Whether `-v` means `--verbose` here.
    const SHORT_VERBOSE: bool = true;
}

/// A command that is given no opened repository ([`Needs::Nothing`],
/// [`Needs::RepoPath`] or [`Needs::Sysroot`]).
pub trait PlainCommand: Usage {
    /// Does the work.
    fn run(self, cx: &mut Cx) -> Result<()>;
}

/// A command that works on an opened repository.
pub trait RepoCommand: Usage {
    /// Does the work.
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()>;
}

fn run_plain<C: PlainCommand>(matches: &ArgMatches, cx: &mut Cx) -> Result<()> {
    C::from_arg_matches(matches)?.run(cx)
}

fn run_repo<C: RepoCommand>(matches: &ArgMatches, cx: &mut Cx) -> Result<()> {
    let args = C::from_arg_matches(matches)?;
    let repo = crate::open::repo(cx)?;
    args.run(cx, &repo)
}

/// A command's parser and runner, for [`Group::bare`].
pub const fn bare<C: PlainCommand>(needs: Needs) -> Command {
    Command {
        needs,
        positionals: C::POSITIONALS,
        short_verbose: C::SHORT_VERBOSE,
        augment: C::augment_args,
        run: run_plain::<C>,
    }
}

/// Table entry for a command that opens what it needs itself.
pub const fn plain<C: PlainCommand>(name: &'static str, needs: Needs) -> Entry {
    Entry {
        name,
        hidden: false,
        kind: Kind::Command(bare::<C>(needs)),
    }
}

/// Table entry for a command on a repository.
pub const fn repo<C: RepoCommand>(name: &'static str) -> Entry {
    Entry {
        name,
        hidden: false,
        kind: Kind::Command(Command {
            needs: Needs::Repo,
            positionals: C::POSITIONALS,
            short_verbose: C::SHORT_VERBOSE,
            augment: C::augment_args,
            run: run_repo::<C>,
        }),
    }
}

/// Table entry for a list of sub-commands.
pub const fn group(name: &'static str, about: &'static str, commands: &'static [Entry]) -> Entry {
    Entry {
        name,
        hidden: false,
        kind: Kind::Group(Group {
            about,
            commands,
            bare: None,
        }),
    }
}

impl Entry {
    /// The same entry, not shown in lists.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// A group that also does something without a sub-command.
    #[must_use]
    pub const fn with_bare(self, command: Command) -> Self {
        match self.kind {
            Kind::Group(Group {
                about, commands, ..
            }) => Self {
                name: self.name,
                hidden: self.hidden,
                kind: Kind::Group(Group {
                    about,
                    commands,
                    bare: Some(command),
                }),
            },
            Kind::Command(_) => panic!("only a group can have a bare form"),
        }
    }
}

/// The program's commands, in the order of its help.
pub static ROOT: Entry = group(
    "ostree",
    "",
    &[
        group("admin", "Manage the deployments of a host", admin::COMMANDS).with_bare(admin::BARE),
        repo::<commands::cat::Args>("cat"),
        repo::<commands::checkout::Args>("checkout"),
        plain::<commands::checksum::Args>("checksum", Needs::Nothing),
        repo::<commands::commit::Args>("commit"),
        repo::<commands::config::Args>("config"),
        repo::<commands::create_usb::Args>("create-usb"),
        repo::<commands::diff::Args>("diff"),
        repo::<commands::du::Args>("du"),
        repo::<commands::export::Args>("export"),
        repo::<commands::find_remotes::Args>("find-remotes"),
        repo::<commands::fsck::Args>("fsck"),
        repo::<commands::gpg_sign::Args>("gpg-sign"),
        plain::<commands::init::Args>("init", Needs::RepoPath),
        repo::<commands::log::Args>("log"),
        repo::<commands::ls::Args>("ls"),
        repo::<commands::prune::Args>("prune"),
        repo::<commands::pull::Args>("pull"),
        repo::<commands::pull_local::Args>("pull-local"),
        repo::<commands::push::Args>("push"),
        repo::<commands::receive::Args>("receive").hidden(),
        repo::<commands::refs::Args>("refs"),
        group(
            "remote",
            "Manage remotes, and ask them for their refs",
            commands::remote::COMMANDS,
        ),
        repo::<commands::reset::Args>("reset"),
        repo::<commands::rev_parse::Args>("rev-parse"),
        repo::<commands::serve::Args>("serve"),
        repo::<commands::show::Args>("show"),
        repo::<commands::sign::Args>("sign"),
        group(
            "static-delta",
            "Make, apply and list static deltas: what changed, as few files",
            commands::static_delta::COMMANDS,
        ),
        repo::<commands::summary::Args>("summary"),
    ],
);
