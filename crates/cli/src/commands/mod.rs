//! One file per command.

pub mod cat;
pub mod checkout;
pub mod checksum;
pub mod commit;
pub mod config;
pub mod diff;
pub mod du;
pub mod export;
pub mod fsck;
pub mod gpg_sign;
pub mod init;
pub mod log;
pub mod ls;
pub mod prune;
pub mod pull;
pub mod pull_local;
pub mod push;
pub mod receive;
pub mod refs;
pub mod remote;
pub mod reset;
pub mod rev_parse;
pub mod serve;
pub mod show;
pub mod static_delta;
pub mod summary;
