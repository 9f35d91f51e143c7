//! What a request asks for, read from its path.

use osier_object::refs::{validate_collection_id, validate_ref_name};
use osier_object::{Checksum, ObjectName, ObjectType};
use osier_store::RefKey;

/// Something a repository has for its clients. There is no other way to a file than through one of these, and none of them
/// can be made of a path that leads elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// What clients need to know of the configuration.
    Config,
    /// `summary`.
    Summary,
    /// `summary.sig`.
    SummarySignature,
    /// A local or mirrored ref.
    Ref(RefKey),
    /// An object as an archive stores it.
    Object(ObjectName),
    /// A file of a static delta or an index of deltas: its path below the repository.
    Delta(String),
}

/// Longer paths name nothing.
const LONGEST: usize = 4096;

impl Wanted {
    /// Reads the path of a request target, as it is sent: `/objects/…`, percent-encoded. Empty parts (`//`) count for
    /// nothing, as some clients join addresses that way. What a server announces to its network lies below a number, which for the
    /// only repository is 0.
    ///
    /// ```
    /// use osier_serve::Wanted;
    /// assert_eq!(Wanted::parse("/summary"), Some(Wanted::Summary));
    /// assert_eq!(Wanted::parse("/0/summary"), Some(Wanted::Summary));
    /// assert_eq!(Wanted::parse("/refs/heads/../../config"), None);
    /// assert_eq!(Wanted::parse("/refs/heads/%2e%2e%2f%2e%2e%2fconfig"), None);
    /// ```
    pub fn parse(path: &str) -> Option<Wanted> {
        let path = path.strip_prefix('/')?;
        if path.len() > LONGEST {
            return None;
        }
        let parts = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect::<Option<Vec<String>>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let parts = parts.strip_prefix(&["0"]).unwrap_or(&parts);
        match parts[..] {
            ["config"] => Some(Wanted::Config),
            ["summary"] => Some(Wanted::Summary),
            ["summary.sig"] => Some(Wanted::SummarySignature),
            ["refs", "heads", ..] => {
                let name = ref_name(&parts[2..])?;
                Some(Wanted::Ref(RefKey::Local(name)))
            }
            ["refs", "mirrors", collection, ..] => {
                validate_collection_id(collection).ok()?;
                let name = ref_name(&parts[3..])?;
                Some(Wanted::Ref(RefKey::Mirror(collection.to_owned(), name)))
            }
            ["objects", prefix, file] => object(prefix, file).map(Wanted::Object),
            ["deltas", prefix, rest, file] if is_delta(prefix, rest) && is_delta_file(file) => {
                Some(Wanted::Delta(format!("deltas/{prefix}/{rest}/{file}")))
            }
            ["delta-indexes", prefix, file] => {
                let rest = file.strip_suffix(".index")?;
                is_checksum(prefix, rest)
                    .then(|| Wanted::Delta(format!("delta-indexes/{prefix}/{file}")))
            }
            _ => None,
        }
    }

    /// Whether the name alone decides the bytes, for ever.
    pub(crate) fn is_immutable(&self) -> bool {
        let Wanted::Object(name) = self else {
            return false;
        };
        matches!(
            name.ty,
            ObjectType::File | ObjectType::Dirtree | ObjectType::Dirmeta | ObjectType::Commit
        )
    }
}

/// One part of a path with `%XX` resolved; none when that hides a separator, a NUL or bytes that are no UTF-8.
fn decode(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'%' => {
                let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
                bytes.push((digit(0)? * 16 + digit(1)?) as u8);
                rest = &after[2..];
            }
            other => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(['/', '\0'])).then_some(text)
}

fn ref_name(parts: &[&str]) -> Option<String> {
    let name = parts.join("/");
    validate_ref_name(&name).ok()?;
    Some(name)
}

fn object(prefix: &str, file: &str) -> Option<ObjectName> {
    let (name, archive) = ObjectName::from_loose(prefix, file)?;
    let served = match name.ty {
        ObjectType::File => archive,
        ObjectType::Dirtree
        | ObjectType::Dirmeta
        | ObjectType::Commit
        | ObjectType::Commitmeta
        | ObjectType::TombstoneCommit => true,
        _ => false,
    };
    // One spelling only.
    (served && name.loose_path(true) == format!("{prefix}/{file}")).then_some(name)
}

fn is_checksum(prefix: &str, rest: &str) -> bool {
    prefix.len() == 2 && Checksum::from_modified_base64(&format!("{prefix}{rest}")).is_some()
}

/// `TO` or `FROM-TO`, cut after two characters. No checksum in this spelling holds a `-`.
fn is_delta(prefix: &str, rest: &str) -> bool {
    match rest.split_once('-') {
        None => is_checksum(prefix, rest),
        Some((from, to)) => {
            is_checksum(prefix, from) && Checksum::from_modified_base64(to).is_some()
        }
    }
}

fn is_delta_file(file: &str) -> bool {
    file == "superblock"
        || (file.len() <= 10 && !file.is_empty() && file.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "81381808c56d4f3d643ec12f6a18fcf2993af8daba7c2a1b2cbfc315b39424c6";

    #[test]
    fn what_clients_ask_for() {
        let rest = &HEX[2..];
        for (path, ty) in [
            (format!("/objects/81/{rest}.filez"), ObjectType::File),
            (format!("//objects//81/{rest}.dirtree"), ObjectType::Dirtree),
            (
                format!("/objects/81/{rest}.commitmeta"),
                ObjectType::Commitmeta,
            ),
            (
                format!("/objects/81/{rest}.tombstone-commit"),
                ObjectType::TombstoneCommit,
            ),
        ] {
            let Some(Wanted::Object(name)) = Wanted::parse(&path) else {
                panic!("{path}");
            };
            assert_eq!((name.checksum.to_hex().as_str(), name.ty), (HEX, ty));
        }
        assert_eq!(
            Wanted::parse("/refs/heads/%C3%A9t%C3%A9/x%2By"),
            None,
            "+ is in no name"
        );
        assert_eq!(
            Wanted::parse("/refs/heads/%C3%A9t%C3%A9/x"),
            Some(Wanted::Ref(RefKey::Local("été/x".into())))
        );
        assert_eq!(
            Wanted::parse("/refs/mirrors/org.example.Os/main"),
            Some(Wanted::Ref(RefKey::Mirror(
                "org.example.Os".into(),
                "main".into()
            )))
        );
        let sum: Checksum = HEX.parse().unwrap();
        let b64 = sum.modified_base64();
        let (prefix, rest) = b64.split_at(2);
        for path in [
            format!("deltas/{prefix}/{rest}/superblock"),
            format!("deltas/{prefix}/{rest}-{b64}/0"),
            format!("delta-indexes/{prefix}/{rest}.index"),
        ] {
            assert_eq!(
                Wanted::parse(&format!("/{path}")),
                Some(Wanted::Delta(path.clone()))
            );
        }
    }

    #[test]
    fn what_is_refused() {
        let rest = &HEX[2..];
        for path in [
            "".to_owned(),
            "/".to_owned(),
            "config".to_owned(),
            "/.lock".to_owned(),
            "/0".to_owned(),
            "/0/0/config".to_owned(),
            "/1/config".to_owned(),
            "/0/../config".to_owned(),
            "/tmp/x".to_owned(),
            "/state/x.commitpartial".to_owned(),
            "/origin.trustedkeys.gpg".to_owned(),
            "/origin.cookies.txt".to_owned(),
            "/refs/remotes/origin/main".to_owned(),
            "/refs/heads".to_owned(),
            "/refs/heads/.hidden".to_owned(),
            "/refs/heads/a/..".to_owned(),
            "/refs/heads/%00".to_owned(),
            "/refs/heads/a%2fb".to_owned(),
            "/refs/heads/%ff".to_owned(),
            "/refs/heads/%".to_owned(),
            "/refs/heads/%4".to_owned(),
            "/refs/mirrors/main".to_owned(),
            "/refs/mirrors/../heads/main".to_owned(),
            "/%2e%2e/etc/passwd".to_owned(),
            "/../etc/passwd".to_owned(),
            "/objects/../config".to_owned(),
            format!("/objects/82/{rest}"),
            format!("/objects/81/{rest}.file"),
            format!("/objects/81/{}.filez", rest.to_uppercase()),
            format!("/objects/81/{rest}.filez/"),
            format!("/objects/81/{rest}.payload-link"),
            format!("/objects/81/{rest}.commitz"),
            "/deltas/ab/cd/superblock".to_owned(),
            format!("/{}", "a".repeat(100_000)),
        ] {
            let found = Wanted::parse(&path);
            // An empty last part counts for nothing.
            if path.ends_with(".filez/") {
                assert!(matches!(found, Some(Wanted::Object(_))));
            } else {
                assert_eq!(found, None, "{path}");
            }
        }
    }
}
