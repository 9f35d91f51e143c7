//! `ostree admin SUB`.

mod bare;
mod cleanup;
mod config_diff;
mod deploy;
mod fetch;
mod init_fs;
mod instutil;
mod kargs;
mod open;
mod pin;
mod reboot;
mod set_default;
mod set_origin;
mod signatures;
mod stateroot_init;
mod status;
mod status_json;
mod switch;
mod undeploy;
mod upgrade;

use crate::table::{self, Command, Entry, Needs, group, plain};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[
    plain::<cleanup::Args>("cleanup", Needs::Sysroot),
    plain::<config_diff::Args>("config-diff", Needs::Sysroot),
    plain::<deploy::Args>("deploy", Needs::Sysroot),
    plain::<init_fs::Args>("init-fs", Needs::Sysroot),
    group(
        "instutil",
        "Deprecated commands intended for installer programs",
        instutil::COMMANDS,
    )
    .hidden(),
    plain::<stateroot_init::Args>("os-init", Needs::Sysroot),
    plain::<stateroot_init::Args>("stateroot-init", Needs::Sysroot),
    plain::<pin::Args>("pin", Needs::Sysroot),
    plain::<set_origin::Args>("set-origin", Needs::Sysroot),
    plain::<status::Args>("status", Needs::Sysroot),
    plain::<switch::Args>("switch", Needs::Sysroot),
    plain::<undeploy::Args>("undeploy", Needs::Sysroot),
    plain::<set_default::Args>("set-default", Needs::Sysroot),
    plain::<upgrade::Args>("upgrade", Needs::Sysroot),
    group("kargs", "Change kernel arguments", kargs::COMMANDS)
        .with_bare(table::bare::<kargs::NoCommand>(Needs::Sysroot)),
];

/// `ostree admin` without a sub-command.
pub const BARE: Command = table::bare::<bare::Args>(Needs::Sysroot);
