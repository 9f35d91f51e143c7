//! User IDs: `Name (comment) <address>`, by custom only.

/// A user ID taken apart as GnuPG's library does it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserName {
    /// What stands before comment and address.
    pub name: String,
    /// What stands in `<>`, or the whole if it is an address alone.
    pub email: String,
}

impl UserName {
    /// Takes a user ID apart. What is not UTF-8 is replaced, control characters are written out: the text comes from
    /// a key, and goes to a terminal.
    #[must_use]
    pub fn parse(id: &[u8]) -> UserName {
        let text = printable(id);
        let mut name = String::new();
        let mut email = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(['<', '(']) {
            name.push_str(&rest[..start]);
            let (open, close) = match rest[start..].starts_with('<') {
                true => ('<', '>'),
                false => ('(', ')'),
            };
            let inner = &rest[start + 1..];
            let end = closing(inner, open, close);
            if open == '<' && email.is_empty() {
                email = inner[..end].to_owned();
            }
            rest = inner.get(end + 1..).unwrap_or("");
        }
        name.push_str(rest);
        let name = name.trim().to_owned();
        if email.is_empty() && is_address(&text) {
            return UserName {
                name: String::new(),
                email: text,
            };
        }
        UserName { name, email }
    }
}

/// Where the bracket that opened before `text` closes, or the end. Comments may hold brackets themselves.
fn closing(text: &str, open: char, close: char) -> usize {
    let mut depth = 1;
    for (position, character) in text.char_indices() {
        if character == close {
            depth -= 1;
        } else if character == open && open == '(' {
            depth += 1;
        }
        if depth == 0 {
            return position;
        }
    }
    text.len()
}

/// Whether a text is a mail address and nothing else.
fn is_address(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}

/// Text for a terminal.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        for (id, name, email) in [
            ("Bob B (work) <bob@example.com>", "Bob B", "bob@example.com"),
            ("Dsa Only", "Dsa Only", ""),
            ("curve@example.com", "", "curve@example.com"),
            ("<a@b.c>", "", "a@b.c"),
            ("", "", ""),
            ("cut <a@b", "cut", "a@b"),
            ("\u{1b}[2J", "\\u{1b}[2J", ""),
        ] {
            let user = UserName::parse(id.as_bytes());
            assert_eq!(
                (user.name.as_str(), user.email.as_str()),
                (name, email),
                "{id}"
            );
        }
    }
}
