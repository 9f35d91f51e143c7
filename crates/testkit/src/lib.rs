//! What the tests of the other crates share.

pub mod httpd;
