//! How things are printed, where several commands print them.

pub mod commit;
pub mod date;
pub mod summary;
pub mod variant;
