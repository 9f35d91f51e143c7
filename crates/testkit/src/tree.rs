//! Building a directory tree entry by entry, with exact modes whatever the umask is.

use crate::xattr;
use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// A tree being built. Paths are relative to its top; missing parents are made with mode 0755.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Makes the top directory, mode 0755. It must not exist, its parent must.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        fs::create_dir(&root).with_context(|| format!("creating {}", root.display()))?;
        let tree = Tree { root };
        tree.mode("", 0o755)?;
        Ok(tree)
    }

    /// Goes on building in a directory that exists.
    pub fn existing(root: impl Into<PathBuf>) -> Self {
        Tree { root: root.into() }
    }

    /// The top directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A path in the tree.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A directory with `mode`; one that exists gets the mode.
    pub fn dir(&self, path: &str, mode: u32) -> Result<&Self> {
        self.parents(path)?;
        let full = self.join(path);
        if !full.is_dir() {
            fs::create_dir(&full).with_context(|| format!("creating {}", full.display()))?;
        }
        self.mode(path, mode)
    }

    /// A regular file, mode 0644; one that exists is replaced, so that hard links to it keep the old content.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<&Self> {
        self.parents(path)?;
        let full = self.join(path);
        if full.symlink_metadata().is_ok() {
            fs::remove_file(&full).with_context(|| format!("replacing {}", full.display()))?;
        }
        fs::write(&full, content).with_context(|| format!("writing {}", full.display()))?;
        self.mode(path, 0o644)
    }

    /// A symbolic link.
    pub fn symlink(&self, path: &str, target: &str) -> Result<&Self> {
        self.parents(path)?;
        let full = self.join(path);
        symlink(target, &full).with_context(|| format!("linking {}", full.display()))?;
        Ok(self)
    }

    /// A second name for a file of the tree.
    pub fn hardlink(&self, path: &str, existing: &str) -> Result<&Self> {
        self.parents(path)?;
        let full = self.join(path);
        fs::hard_link(self.join(existing), &full)
            .with_context(|| format!("linking {}", full.display()))?;
        Ok(self)
    }

    /// Sets permission bits, setuid, setgid and sticky included.
    pub fn mode(&self, path: &str, mode: u32) -> Result<&Self> {
        let full = self.join(path);
        fs::set_permissions(&full, Permissions::from_mode(mode))
            .with_context(|| format!("setting the mode of {}", full.display()))?;
        Ok(self)
    }

    /// Gives an entry away; needs root. The kernel clears setuid then, so set the mode after.
    pub fn owner(&self, path: &str, uid: u32, gid: u32) -> Result<&Self> {
        let full = self.join(path);
        lchown(&full, Some(uid), Some(gid))
            .with_context(|| format!("giving {} away", full.display()))?;
        Ok(self)
    }

    /// Sets an extended attribute.
    pub fn xattr(&self, path: &str, name: &str, value: impl AsRef<[u8]>) -> Result<&Self> {
        xattr::set(&self.join(path), name, value.as_ref())?;
        Ok(self)
    }

    /// Removes a file, or a directory with all that is in it.
    pub fn remove(&self, path: &str) -> Result<&Self> {
        let full = self.join(path);
        let result = match full.symlink_metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&full),
            _ => fs::remove_file(&full),
        };
        result.with_context(|| format!("removing {}", full.display()))?;
        Ok(self)
    }

    fn parents(&self, path: &str) -> Result<()> {
        let mut at = PathBuf::new();
        let parent = Path::new(path).parent().unwrap_or(Path::new(""));
        for part in parent {
            at.push(part);
            let full = self.join(&at);
            if !full.is_dir() {
                fs::create_dir(&full).with_context(|| format!("creating {}", full.display()))?;
                fs::set_permissions(&full, Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }
}
