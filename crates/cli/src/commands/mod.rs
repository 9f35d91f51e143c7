//! One file per command.

pub mod cat;
pub mod commit;
pub mod config;
pub mod init;
pub mod log;
pub mod ls;
pub mod refs;
pub mod remote;
pub mod reset;
pub mod rev_parse;
pub mod show;
