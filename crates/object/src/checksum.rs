//! SHA-256 checksums and the ids made of them.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::Error;

/// A SHA-256 digest: 32 bytes, as text 64 lowercase hexadecimal digits.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Checksum(pub [u8; 32]);

const HEX: &[u8; 16] = b"0123456789abcdef";
/// Standard base64 with `_` for `/`, so that a digest can be part of a file name.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_";

/// Value of each lowercase hexadecimal digit, 0xff for every other byte.
const HEX_VALUES: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut i = 0;
    while i < 16 {
        table[HEX[i] as usize] = i as u8;
        i += 1;
    }
    table
};

impl Checksum {
    /// Length in bytes.
    pub const LEN: usize = 32;
    /// Length as hexadecimal text.
    pub const HEX_LEN: usize = 64;

    /// Takes the 32 bytes of an `ay`.
    ///
    /// # Errors
    /// [`Error::ChecksumLength`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        bytes
            .try_into()
            .map(Checksum)
            .map_err(|_| Error::ChecksumLength(bytes.len()))
    }

    /// Parses exactly 64 lowercase hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let hex: &[u8; 64] = hex.try_into().ok()?;
        let mut out = [0; 32];
        let mut bad = 0;
        for (byte, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
            let (high, low) = (HEX_VALUES[pair[0] as usize], HEX_VALUES[pair[1] as usize]);
            bad |= (high | low) & 0xf0;
            *byte = (high << 4) | (low & 0xf);
        }
        (bad == 0).then_some(Checksum(out))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lowercase hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.with_hex(str::to_owned)
    }

    /// Hands out the hexadecimal text without allocating.
    pub fn with_hex<T>(&self, f: impl FnOnce(&str) -> T) -> T {
        let mut out = [0; 64];
        for (pair, byte) in out.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 0xf)];
        }
        // All bytes come from HEX, so this cannot fail.
        f(std::str::from_utf8(&out).unwrap_or_default())
    }

    /// 43 characters of base64 without padding, `_` instead of `/`; used in delta names.
    pub fn modified_base64(&self) -> String {
        let mut out = String::with_capacity(43);
        for chunk in self.0.chunks(3) {
            let mut group = [0; 4];
            group[1..=chunk.len()].copy_from_slice(chunk);
            let bits = u32::from_be_bytes(group);
            for i in 0..=chunk.len() {
                out.push(BASE64[(bits >> (18 - 6 * i)) as usize & 63] as char);
            }
        }
        out
    }

    /// Parses [`Checksum::modified_base64`], accepting only what that would write.
    pub fn from_modified_base64(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        let mut out = [0; 32];
        let mut at = 0;
        let (mut bits, mut held) = (0u32, 0);
        for letter in text.bytes() {
            let value = BASE64.iter().position(|&l| l == letter)? as u32;
            bits = (bits << 6) | value;
            held += 6;
            if held >= 8 {
                held -= 8;
                *out.get_mut(at)? = (bits >> held) as u8;
                bits &= (1 << held) - 1;
                at += 1;
            }
        }
        (bits == 0).then_some(Checksum(out))
    }
}

/// The SHA-256 of some bytes: the name of every metadata object.
pub fn hash(bytes: &[u8]) -> Checksum {
    Checksum(Sha256::digest(bytes).into())
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_hex(|hex| f.pad(hex))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_hex(|hex| f.write_str(hex))
    }
}

impl FromStr for Checksum {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_hex(text.as_bytes()).ok_or_else(|| Error::InvalidRev(text.to_owned()))
    }
}

impl AsRef<[u8]> for Checksum {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; 32]> for Checksum {
    fn from(bytes: [u8; 32]) -> Self {
        Checksum(bytes)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $ty:ident) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub struct $name(pub Checksum);

        impl $name {
            /// The bare checksum.
            pub fn checksum(&self) -> &Checksum {
                &self.0
            }

            /// The name of the object with this id.
            pub fn object_name(&self) -> crate::ObjectName {
                crate::ObjectName::new(self.0, crate::ObjectType::$ty)
            }
        }

        impl Deref for $name {
            type Target = Checksum;
            fn deref(&self) -> &Checksum {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                text.parse().map($name)
            }
        }

        impl From<Checksum> for $name {
            fn from(checksum: Checksum) -> Self {
                $name(checksum)
            }
        }

        impl From<$name> for Checksum {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<$name> for crate::ObjectName {
            fn from(id: $name) -> Self {
                id.object_name()
            }
        }
    };
}

id!(
    /// Names a commit object.
    CommitId,
    Commit
);
id!(
    /// Names a content object: a regular file or symlink with its owner, mode and xattrs.
    ContentId,
    File
);
id!(
    /// Names a dirtree object: the names in a directory.
    DirtreeId,
    Dirtree
);
id!(
    /// Names a dirmeta object: owner, mode and xattrs of a directory.
    DirmetaId,
    Dirmeta
);
