//! SELinux labels of what a checkout makes.

use super::dir::Checkout;
use crate::error::Result;
use crate::selinux::{Policy, XATTR};
use osier_object::Xattrs;
use std::borrow::Cow;
use std::sync::Arc;

/// How to label what is checked out. Files cannot be links to objects then.
///
/// Only what has no label in the repository gets the policy's. In user mode, in which attributes are left alone, labels
/// are too.
#[derive(Clone, Debug)]
pub struct Labelling {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The path that the destination is labelled as, in place of its path in the commit.
    pub prefix: Option<String>,
}

impl Labelling {
    /// The path that the destination is labelled as, without a slash at its end.
    pub(super) fn base(&self, subpath: Option<&str>) -> String {
        let base = self.prefix.as_deref().or(subpath).unwrap_or_default();
        let base = base.trim_end_matches('/');
        match base.starts_with('/') || base.is_empty() || self.prefix.is_some() {
            true => base.to_owned(),
            false => format!("/{base}"),
        }
    }
}

impl Checkout<'_> {
    /// Where a file is for the policy; `path` is that of its directory in the destination, with its slash.
    pub(super) fn labelled_as(&self, path: &str, name: &str) -> Option<String> {
        let _ = self.options.selinux.as_ref()?;
        Some(format!("{}{path}{name}", self.label_base))
    }

    /// The attributes to give a file: its own, and the policy's label if it has none.
    pub(super) fn with_label<'a>(
        &self,
        xattrs: &'a Xattrs,
        path: Option<&str>,
        mode: u32,
    ) -> Result<Cow<'a, Xattrs>> {
        let (Some(labelling), Some(path)) = (&self.options.selinux, path) else {
            return Ok(Cow::Borrowed(xattrs));
        };
        if xattrs.get(XATTR).is_some() {
            return Ok(Cow::Borrowed(xattrs));
        }
        let path = if path.is_empty() { "/" } else { path };
        let Some(label) = labelling.policy.label(path, mode)? else {
            return Ok(Cow::Borrowed(xattrs));
        };
        let mut pairs = xattrs.clone().into_pairs();
        // Without the NUL that commits have: the C tool leaves it away here.
        pairs.push((XATTR.to_vec(), label.as_bytes().to_vec()));
        Ok(Cow::Owned(Xattrs::from_pairs(pairs)))
    }
}
