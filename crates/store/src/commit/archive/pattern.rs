//! Regular expressions in Perl's spelling, as far as it differs from that of the library here.

/// Horizontal and vertical white space, as members of a class.
const HORIZONTAL: &str =
    "\\t \\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}";
const VERTICAL: &str = "\\n\\x0b\\f\\r\\x{85}\\x{2028}\\x{2029}";

/// Rewrites `\Q…\E`, `\h`, `\H`, `\v` and `\V`: the library lacks the first, and has other meanings for the others.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let Some(escape) = rest.strip_prefix('\\') else {
            match c {
                '[' if !in_class => {
                    in_class = true;
                    // A bracket that comes first is a member.
                    let start = ["[^]", "[]", "[^", "["]
                        .into_iter()
                        .find(|s| rest.starts_with(s));
                    let start = start.unwrap_or("[");
                    out.push_str(&start.replace(']', "\\]"));
                    rest = &rest[start.len()..];
                    continue;
                }
                '[' if rest.starts_with("[:") => {
                    // A class by name ends with a bracket of its own.
                    let len = rest.find(":]").map_or(1, |at| at + 2);
                    out.push_str(&rest[..len]);
                    rest = &rest[len..];
                    continue;
                }
                '[' => out.push('\\'),
                ']' => in_class = false,
                _ => {}
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        if let Some(quoted) = escape.strip_prefix('Q') {
            let (text, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            for c in text.chars() {
                if !c.is_alphanumeric() && c.is_ascii() && c != '_' && !c.is_ascii_control() {
                    out.push('\\');
                }
                out.push(c);
            }
            rest = after;
            continue;
        }
        let class = match escape.chars().next() {
            Some('h') => Some((HORIZONTAL, "[")),
            Some('H') => Some((HORIZONTAL, "[^")),
            Some('v') => Some((VERTICAL, "[")),
            Some('V') => Some((VERTICAL, "[^")),
            _ => None,
        };
        match class {
            Some((members, "[")) if in_class => out.push_str(members),
            Some((members, open)) => out.extend([open, members, "]"]),
            None => {
                let len = 1 + escape.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..len]);
                rest = &rest[len..];
                continue;
            }
        }
        rest = &rest[2..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_changes() {
        for same in [
            "^a\\.b[^/]+(?P<n>x)$",
            "[[:digit:]]+",
            "\\d\\pL\\x{17c}",
            "[a\\]b]",
            "\\\\Q",
        ] {
            assert_eq!(translate(same), same);
        }
        assert_eq!(translate("\\Qa.b_c\\E.d"), "a\\.b_c.d");
        assert_eq!(translate("\\Q/etc"), "\\/etc");
        assert_eq!(translate("\\h"), format!("[{HORIZONTAL}]"));
        assert_eq!(
            translate("[x\\h]\\V"),
            format!("[x{HORIZONTAL}][^{VERTICAL}]")
        );
        assert_eq!(translate("[]a]"), "[\\]a]");
        assert_eq!(translate("[a[b]"), "[a\\[b]");
    }
}
