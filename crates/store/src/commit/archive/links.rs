//! Hard links of an archive, made when all else is there: their targets may come before or after them.

use super::Tree;
use crate::error::{Error, Result};
use osier_object::ContentId;
use std::collections::HashMap;

/// The links found so far.
#[derive(Default)]
pub(super) struct Links {
    links: Vec<Link>,
    /// Which of them has a path; the last one counts.
    by_path: HashMap<Box<str>, usize>,
}

struct Link {
    /// Relative, as the archive has it.
    target: Box<str>,
    path: Box<str>,
}

impl Links {
    /// Notes a link. Both paths are relative; `path` has no superfluous slashes.
    pub(super) fn push(&mut self, path: &str, target: &str) {
        self.by_path.insert(path.into(), self.links.len());
        self.links.push(Link {
            target: target.into(),
            path: path.into(),
        });
    }

    /// Gives each link the object of its target. A target that is itself a link is made first.
    pub(super) fn resolve(self, tree: &mut Tree<'_, '_>) -> Result<()> {
        let mut made = vec![false; self.links.len()];
        for first in 0..self.links.len() {
            let mut chain = vec![first];
            let id = loop {
                let top = chain[chain.len() - 1];
                if made[top] {
                    break None;
                }
                let target = &self.links[top].target;
                let error = match tree.file(target) {
                    Ok(id) => break Some(id),
                    Err(error) => error,
                };
                match self.by_path.get(target.trim_end_matches('/')) {
                    // Longer than there are links: a circle.
                    Some(next) if chain.len() <= self.links.len() && !made[*next] => {
                        chain.push(*next);
                    }
                    _ => return Err(deferred(target, error.within("Failed to find object"))),
                }
            };
            let Some(id) = id else { continue };
            for index in chain.into_iter().rev() {
                self.make(index, id, tree)?;
                made[index] = true;
            }
        }
        Ok(())
    }

    fn make(&self, index: usize, id: ContentId, tree: &mut Tree<'_, '_>) -> Result<()> {
        let link = &self.links[index];
        tree.put(&link.path, id)
            .map_err(|e| deferred(&link.target, e.within("Failed to replace file")))
    }
}

/// Says which link an error comes from.
pub(super) fn deferred(target: &str, error: Error) -> Error {
    error.within(format!("ostree-tar: Processing deferred hardlink {target}"))
}
