//! The binary codec: normal form both ways, and nothing but normal form.

mod crate_cross_check;
mod dict;
mod frame;
mod normal_form;
mod properties;
mod strategies;
