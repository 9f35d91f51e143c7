//! Paths in archives: who made them is not trusted, and they are relative to the root of the tree.

use crate::error::{Error, Result};

/// Longest path that can be checked out.
const MAX_PATH: usize = 4096;

/// Without leading slashes and `./`.
///
/// # Errors
/// When a component is `..`, or it is too long.
pub(super) fn relative(path: &str) -> Result<&str> {
    let mut rest = path;
    loop {
        let next = rest.trim_start_matches('/');
        let next = match next.strip_prefix("./") {
            Some(next) => next,
            None if next == "." => "",
            None => next,
        };
        if next.len() == rest.len() {
            break;
        }
        rest = next;
    }
    // Without a space behind the colon, as scripts know it.
    let context = |e| Error::other(format!("While making relative path \"{rest}\":{e}"));
    if rest.len() > MAX_PATH {
        return Err(context(Error::other(format!("Path '{rest}' is too long"))));
    }
    check_uplinks(rest).map_err(context)?;
    Ok(rest)
}

/// The components of the directory that something lies in, and its name; "" is the root.
///
/// # Errors
/// When a component is `..`, or the last one is `.`.
pub(super) fn split(path: &str) -> Result<(Vec<&str>, &str)> {
    check_uplinks(path)?;
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let name = parts.pop().unwrap_or_default();
    if name == "." {
        return Err(Error::other("Invalid self-referential filename '.'"));
    }
    parts.retain(|part| *part != ".");
    Ok((parts, name))
}

fn check_uplinks(path: &str) -> Result<()> {
    match path.split('/').any(|part| part == "..") {
        true => Err(Error::other(format!("Invalid uplink '..' in path {path}"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_slashes_and_dots_go() {
        for (path, expected) in [
            ("a/b", "a/b"),
            ("./a", "a"),
            ("/a", "a"),
            ("//././/a//b/", "a//b/"),
            (".", ""),
            ("./", ""),
            ("/", ""),
            ("", ""),
            ("...", "..."),
            ("..a", "..a"),
        ] {
            assert_eq!(relative(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn nothing_leads_upwards() {
        for path in ["..", "a/..", "a/../b", "/../b", "./../b"] {
            let error = relative(path).unwrap_err().to_string();
            assert!(error.contains("Invalid uplink '..' in path"), "{error}");
            assert!(split(path).is_err());
        }
    }

    #[test]
    fn components() {
        assert_eq!(split("a//b/./c").unwrap(), (vec!["a", "b"], "c"));
        assert_eq!(split("a/").unwrap(), (vec![], "a"));
        assert_eq!(split("").unwrap(), (vec![], ""));
        assert!(split("a/.").is_err());
        assert!(split("a/./").is_err());
    }
}
