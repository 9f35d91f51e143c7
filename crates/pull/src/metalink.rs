//! Metalink 3.0 documents: where the summary is to be had, and how it must look.

use crate::Error;
use crate::fetch::{BaseUrl, FetchError, Fetcher, Mirrors, Want};
use crate::summary::Kept;
use roxmltree::{Document, Node};
use sha2::{Digest, Sha256, Sha512};

/// A document names a few mirrors; more than this is no document.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Why a metalink is of no use. The words are those of the C tool.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetalinkError {
    /// It is no XML, or its content is wrong, at this place.
    #[error("Error on line {line} char {column}: {cause}")]
    At {
        /// Counted from 1.
        line: u32,
        /// Counted from 1.
        column: u32,
        /// What is wrong.
        cause: String,
    },
    /// Something that must be there is not.
    #[error("{0}")]
    Missing(&'static str),
    /// A digest that is none.
    #[error("Invalid hash digest for {0}")]
    Digest(&'static str),
    /// No mirror has the summary as it must be.
    #[error("Exhausted {count} metalink targets, last error: {last}")]
    Exhausted {
        /// How many were tried.
        count: usize,
        /// Why the last one failed.
        last: String,
    },
}

#[derive(Debug, Eq, PartialEq)]
enum Hash {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

/// What a document says of the summary.
#[derive(Debug, Eq, PartialEq)]
struct Metalink {
    size: u64,
    hash: Hash,
    urls: Vec<String>,
}

/// Fetches a metalink, then the summary from the first of its mirrors that has it right. The mirror's folder becomes
/// the base URL.
pub(crate) async fn fetch(fetcher: &Fetcher, url: &str) -> Result<(Mirrors, Kept), Error> {
    let at = Mirrors::one(BaseUrl::parse(url)?);
    let mut document = Vec::new();
    fetcher
        .fetch(
            &Want {
                max_size: Some(MAX_DOCUMENT),
                ..Want::small(&at, "")
            },
            &mut document,
        )
        .await?;
    let metalink = parse(&String::from_utf8_lossy(&document))?;
    let mut last = String::new();
    for target in &metalink.urls {
        match attempt(fetcher, &metalink, target).await {
            Ok(found) => return Ok(found),
            Err(error @ Error::Fetch(FetchError::Cancelled)) => return Err(error),
            Err(error) => {
                tracing::debug!(%error, target, "metalink target");
                last = error.to_string();
            }
        }
    }
    Err(MetalinkError::Exhausted {
        count: metalink.urls.len(),
        last,
    }
    .into())
}

async fn attempt(
    fetcher: &Fetcher,
    metalink: &Metalink,
    target: &str,
) -> Result<(Mirrors, Kept), Error> {
    let at = Mirrors::one(BaseUrl::parse(target)?);
    let mut bytes = Vec::new();
    let fetched = fetcher.fetch(&Want::small(&at, ""), &mut bytes).await?;
    metalink.check(&bytes).map_err(Error::MetalinkTarget)?;
    let (folder, _) = target.rsplit_once('/').unwrap_or((target, ""));
    let validators = match fetched {
        crate::fetch::Fetched::Body(validators) => validators,
        crate::fetch::Fetched::NotModified => Default::default(),
    };
    Ok((
        Mirrors::one(BaseUrl::parse(folder)?),
        Kept { bytes, validators },
    ))
}

impl Metalink {
    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() as u64 != self.size {
            return Err(format!(
                "Expected size is {} bytes but content is {} bytes",
                self.size,
                bytes.len()
            ));
        }
        let (expected, actual) = match &self.hash {
            Hash::Sha256(expected) => (hex(expected), hex(&Sha256::digest(bytes))),
            Hash::Sha512(expected) => (hex(expected), hex(&Sha512::digest(bytes))),
        };
        if expected != actual {
            return Err(format!(
                "Expected checksum is {expected} but actual is {actual}"
            ));
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Metalink, MetalinkError> {
    if text.trim().is_empty() {
        return Err(MetalinkError::Missing("No <file> element found"));
    }
    // White space in front of the declaration is not XML, but it is what some servers have.
    let document = Document::parse(text.trim_start()).map_err(|e| malformed(text, &e))?;
    let metalink = document.root_element();
    let files = || {
        children(metalink, "metalink")
            .flat_map(|m| children_of(m, "files"))
            .flat_map(|f| children_of(f, "file"))
    };
    if files().next().is_none() {
        return Err(MetalinkError::Missing("No <file> element found"));
    }
    let file = files()
        .find(|file| file.attribute("name") == Some("summary"))
        .ok_or(MetalinkError::Missing("No <file name='summary'> found"))?;
    let size = children_of(file, "size")
        .find_map(|s| s.text()?.trim().parse().ok())
        .filter(|size| *size > 0);
    let resources = children_of(file, "resources").next();
    let size = size.ok_or_else(|| {
        at(
            resources.unwrap_or(file),
            "No <size> element found or it is zero",
        )
    })?;
    let hashes = || children_of(file, "verification").flat_map(|v| children_of(v, "hash"));
    let digest = |kind: &str| {
        let found = hashes().find(|hash| hash.attribute("type") == Some(kind))?;
        Some(found.text().unwrap_or("").trim().to_owned())
    };
    let (sha256, sha512) = (digest("sha256"), digest("sha512"));
    let hash = match (&sha512, &sha256) {
        (Some(text), _) => Hash::Sha512(unhex(text).ok_or(MetalinkError::Digest("sha512"))?),
        (None, Some(text)) => Hash::Sha256(unhex(text).ok_or(MetalinkError::Digest("sha256"))?),
        (None, None) => {
            let what = "No <verification> element with known <hash type=> found";
            return Err(at(resources.unwrap_or(file), what));
        }
    };
    let urls: Vec<String> = resources
        .into_iter()
        .flat_map(|r| children_of(r, "url"))
        .filter(|url| matches!(url.attribute("protocol"), Some("http" | "https")))
        .filter_map(|url| Some(url.text()?.trim().to_owned()))
        // Whatever the document calls it: a server does not choose files of this machine.
        .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
        .collect();
    if urls.is_empty() {
        return Err(MetalinkError::Missing(
            "No <url method='http'> elements found",
        ));
    }
    Ok(Metalink { size, hash, urls })
}

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    std::iter::once(node).filter(move |n| n.tag_name().name() == name)
}

fn children_of<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children()
        .filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn at(node: Node<'_, '_>, cause: &str) -> MetalinkError {
    let pos = node.document().text_pos_at(node.range().start);
    MetalinkError::At {
        line: pos.row,
        column: pos.col,
        cause: cause.to_owned(),
    }
}

fn malformed(text: &str, error: &roxmltree::Error) -> MetalinkError {
    let pos = error.pos();
    let cause = if text.trim_start().starts_with('<') {
        error.to_string()
    } else {
        "Document must begin with an element (e.g. <book>)".to_owned()
    };
    MetalinkError::At {
        line: pos.row,
        column: pos.col,
        cause,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> String {
        let (sha256, sha512) = (hex(&Sha256::digest(b"text")), hex(&Sha512::digest(b"text")));
        format!(
            r#"<?xml version="1.0"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/"><deep><er>x</er></deep><files>
<file name="other"/><file name="summary"><size>4</size><verification>
<hash type="md5">00</hash>
<hash type="sha256">{sha256}</hash>
<hash type="sha512">{sha512}</hash>
</verification><resources>
<url protocol="ftp">ftp://x/summary</url>
<url protocol="http" preference="1">http://one/summary</url>
<url protocol="https" preference="2">https://two/a/summary</url>
</resources></file></files></metalink>"#
        )
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_strongest_hash_and_the_documents_order_count() {
        let metalink = parse(&good()).unwrap();
        assert_eq!(
            metalink.urls,
            ["http://one/summary", "https://two/a/summary"]
        );
        assert!(matches!(metalink.hash, Hash::Sha512(_)));
        assert!(metalink.check(b"text").is_ok());
        assert!(
            metalink
                .check(b"Text")
                .unwrap_err()
                .starts_with("Expected checksum is ")
        );
        assert_eq!(
            metalink.check(b"moo").unwrap_err(),
            "Expected size is 4 bytes but content is 3 bytes"
        );
    }

    /// Pinned against 2026.4, but for the places.
    #[test]
    fn messages() {
        let without = |part: &str| {
            good()
                .lines()
                .filter(|l| !l.contains(part))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(
            message(&without("<url")),
            "No <url method='http'> elements found"
        );
        assert!(
            message(&without("\"sha"))
                .ends_with("No <verification> element with known <hash type=> found")
        );
        assert_eq!(
            message(&good().replace("name=\"summary\"", "name=\"x\"")),
            "No <file name='summary'> found"
        );
        assert!(
            message(&good().replace("<size>4", "<size>0"))
                .ends_with("No <size> element found or it is zero")
        );
        let bad = good()
            .replace(">http://one", ">file://")
            .replace(">https://two", ">file://");
        assert_eq!(message(&bad), "No <url method='http'> elements found");
        let bad = good().replace("<hash type=\"sha512\">", "<hash type=\"sha512\">bacon");
        assert_eq!(message(&bad), "Invalid hash digest for sha512");
        assert_eq!(
            message("bacon"),
            "Error on line 1 char 1: Document must begin with an element (e.g. <book>)"
        );
        assert_eq!(message(""), "No <file> element found");
        assert_eq!(message("<x><files/></x>"), "No <file> element found");
        assert!(message("<metalink>").starts_with("Error on line "));
    }

    #[test]
    fn entities_do_not_explode() {
        let mut text = "<!DOCTYPE m [<!ENTITY a0 \"aaaaaaaaaa\">".to_owned();
        for n in 1..12 {
            text.push_str(&format!(
                "<!ENTITY a{n} \"{}\">",
                format!("&a{};", n - 1).repeat(10)
            ));
        }
        text.push_str("]><metalink>&a11;</metalink>");
        assert!(parse(&text).is_err());
    }
}
