//! composefs images: a whole file tree in one small EROFS image that names the files' content instead of holding it.
//!
//! Mounted with overlayfs over a folder of content files, such an image is the tree; and as the same tree always
//! gives the same image, the image's fs-verity digest vouches for everything in it. Images are those of composefs
//! format version 0, to the byte. The format is described in `docs/formats/composefs.md`.
//!
//! ```
//! use osier_composefs::{Attributes, Image, Tree, Verity};
//!
//! let mut tree = Tree::new(Attributes::directory(0o755));
//! let etc = tree.directory(Tree::ROOT, b"etc", Attributes::directory(0o755))?;
//! tree.file(etc, b"motd", Attributes::file(0o644), 6, b"/8d/07.file", Some(Verity::digest_of(b"hello\n")))?;
//! tree.symlink(Tree::ROOT, b"bin", Attributes::symlink(), b"usr/bin")?;
//! let image = Image::new(tree)?;
//! let mut bytes = Vec::new();
//! image.write(&mut bytes)?;
//! assert_eq!(bytes.len() as u64, image.len());
//! assert_eq!(image.digest(), Verity::digest_of(&bytes));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate knows nothing of OSTree and touches no file.
#![forbid(unsafe_code)]

mod attributes;
mod directory;
mod error;
mod image;
mod inode;
mod tree;
mod verity;
mod write;
mod xattrs;

pub use attributes::Attributes;
pub use error::Error;
pub use image::Image;
pub use tree::{DirId, Tree};
pub use verity::{Digest, Verity};

/// Bytes of a block: of the image, of a directory, of an fs-verity tree.
const BLOCK: u64 = 4096;

/// Inodes are numbered by their offset in units of this many bytes.
const SLOT: u64 = 32;
