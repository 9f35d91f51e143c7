//! `unsafe` stands in `crates/sys` only, and every other crate forbids it in its first lines.

use super::sources;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Each `unsafe` outside `crates/sys`, and each crate that does not forbid it.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in sources(root)? {
        if path.starts_with("crates/sys") {
            continue;
        }
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("reading {}", path.display()))?;
        for (number, line) in text.lines().enumerate() {
            if has_unsafe(line) {
                faults.push(format!(
                    "{}:{}: unsafe belongs in crates/sys",
                    path.display(),
                    number + 1
                ));
            }
        }
        let is_library = path.starts_with("crates") && path.ends_with("src/lib.rs");
        if is_library && !text.contains("#![forbid(unsafe_code)]") {
            faults.push(format!("{}: lacks #![forbid(unsafe_code)]", path.display()));
        }
    }
    Ok(faults)
}

/// Whether the keyword stands in the code of a line, outside comments and strings.
fn has_unsafe(line: &str) -> bool {
    // Spelled in two parts, so that this file passes its own check.
    const WORD: &str = concat!("un", "safe");
    let mut code = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in line.split("//").next().unwrap_or_default().chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            _ if !quoted => code.push(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_told_from_comments_strings_and_other_words() {
        let word = concat!("un", "safe");
        assert!(has_unsafe(&format!("    {word} {{ call() }}")));
        assert!(has_unsafe(&format!("pub {word} fn x() {{}} // fine")));
        assert!(!has_unsafe("#![forbid(unsafe_code)]"));
        assert!(!has_unsafe(&format!("// {word} is not used here")));
        assert!(!has_unsafe(&format!("let text = \"{word} words\";")));
    }
}
