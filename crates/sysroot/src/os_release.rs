//! The name of a tree, from its `os-release`.

/// Values of the keys that name the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsRelease {
    pretty_name: Option<String>,
    id: Option<String>,
}

impl OsRelease {
    /// Reads shell-style `KEY=value` lines; lines that cannot be unquoted count as absent.
    pub fn parse(text: &str) -> OsRelease {
        let mut release = OsRelease::default();
        for line in text.lines() {
            if line.starts_with('#') {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let slot = match key {
                "PRETTY_NAME" => &mut release.pretty_name,
                "ID" => &mut release.id,
                _ => continue,
            };
            if let Some(value) = unquote(value) {
                *slot = Some(value);
            }
        }
        release
    }

    /// `PRETTY_NAME`, else `ID`.
    pub fn name(&self) -> Option<&str> {
        self.pretty_name.as_deref().or(self.id.as_deref())
    }
}

/// Removes one level of shell quoting; `None` if a quote is left open.
fn unquote(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()? {
                    '\'' => break,
                    c => out.push(c),
                }
            },
            '"' => loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => match chars.next()? {
                        c @ ('"' | '\\' | '`' | '$') => out.push(c),
                        '\n' => {}
                        c => out.extend(['\\', c]),
                    },
                    c => out.push(c),
                }
            },
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        OsRelease::parse(text).name().map(str::to_owned)
    }

    #[test]
    fn names() {
        assert_eq!(
            name("ID=x\nPRETTY_NAME=\"A \\\"B\\\" c\"\n").unwrap(),
            "A \"B\" c"
        );
        assert_eq!(name("PRETTY_NAME='A $x'\nID=x\n").unwrap(), "A $x");
        assert_eq!(name("# PRETTY_NAME=no\nNAME=y\nID=x\n").unwrap(), "x");
        assert_eq!(name("PRETTY_NAME=a\\ b\n").unwrap(), "a b");
        assert_eq!(name("NAME=y\n"), None);
        assert_eq!(name("ID=ok\nPRETTY_NAME=\"open\n").unwrap(), "ok");
    }
}
