//! Boot entries: one file per deployment in `boot/loader/entries`, as the Boot Loader Specification
//! has them. Source: docs/formats/sysroot.md.

use crate::kargs::{KargsError, KernelArgs};

/// Fields with a place of their own, in the order they are written.
const ORDER: [&str; 6] = [
    "title",
    "version",
    "options",
    "devicetree",
    "linux",
    "initrd",
];

/// One boot entry: `KEY VALUE` lines.
///
/// Reading keeps only lines that start with a letter and have a value; of several lines with one
/// key the last counts, except `initrd`: the first is the deployment's, the others are overlays in
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootEntry {
    /// Key and value, in order of first appearance; no `initrd` beyond the first.
    fields: Vec<(String, String)>,
    overlay_initrds: Vec<String>,
}

impl BootEntry {
    /// An entry without lines.
    pub fn new() -> BootEntry {
        BootEntry::default()
    }

    /// Reads an entry's text.
    pub fn parse(text: &str) -> BootEntry {
        let mut entry = BootEntry::new();
        for line in text.lines() {
            if !line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let Some((key, value)) = line.split_once([' ', '\t']) else {
                continue;
            };
            if key == "initrd" && entry.get("initrd").is_some() {
                entry.overlay_initrds.push(value.to_owned());
            } else {
                entry.set(key, value);
            }
        }
        entry
    }

    /// The entry's text: the well-known fields in their order, overlay initrds after the first
    /// initrd, all others at the end.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            text.push_str(key);
            text.push(' ');
            text.push_str(value);
            text.push('\n');
        };
        for key in ORDER {
            if let Some(value) = self.get(key) {
                line(key, value);
            }
        }
        for value in &self.overlay_initrds {
            line("initrd", value);
        }
        for (key, value) in self.extra() {
            line(key, value);
        }
        text
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }

    /// Sets `key`, in its old place if it has one.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.fields.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((key.to_owned(), value.to_owned())),
        }
    }

    /// Removes `key` if it is there.
    pub fn remove(&mut self, key: &str) {
        self.fields.retain(|(k, _)| k != key);
    }

    /// Fields outside the well-known ones, such as `fdtdir` or what an administrator added.
    pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .filter(|(key, _)| !ORDER.contains(&key.as_str()))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Initrds after the deployment's own.
    pub fn overlay_initrds(&self) -> &[String] {
        &self.overlay_initrds
    }

    /// Replaces the initrds after the deployment's own.
    pub fn set_overlay_initrds(&mut self, paths: Vec<String>) {
        self.overlay_initrds = paths;
    }

    /// The `options` line as arguments; none without that line.
    ///
    /// # Errors
    /// A list that cannot be split, see [`KargsError`].
    pub fn kargs(&self) -> Result<KernelArgs, KargsError> {
        self.get("options").unwrap_or_default().parse()
    }

    /// The value of the first `ostree=` argument. The line is cut at every single space, quotes or
    /// not, as the boot programs do.
    pub fn ostree_arg(&self) -> Option<&str> {
        self.get("options")?
            .split(' ')
            .find_map(|token| token.strip_prefix("ostree="))
    }
}

/// Number of boots left to try and done, from an entry's file name `NAME[+LEFT[-DONE]].conf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootCount {
    /// Tries left.
    pub left: u32,
    /// Tries done.
    pub done: u32,
}

impl BootCount {
    /// Reads the counter of a file name without `.conf`.
    pub fn parse(stem: &str) -> Option<BootCount> {
        let (_, counter) = stem.rsplit_once('+')?;
        let (left, done) = match counter.split_once('-') {
            Some((left, done)) => (left, done.parse().ok()?),
            None => (counter, 0),
        };
        Some(BootCount {
            left: left.parse().ok()?,
            done,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title T 1 (ostree:0)\nversion 2\noptions a b  c ostree=/ostree/boot.1/o/ab/0\nlinux /l\ninitrd /i\ninitrd /o1\ninitrd /o2\nfdtdir /d\n";

    #[test]
    fn text_round_trip() {
        let entry = BootEntry::parse(TEXT);
        assert_eq!(entry.to_text(), TEXT);
        assert_eq!(entry.get("initrd"), Some("/i"));
        assert_eq!(entry.overlay_initrds(), ["/o1", "/o2"]);
        assert_eq!(entry.ostree_arg(), Some("/ostree/boot.1/o/ab/0"));
        assert_eq!(entry.extra().collect::<Vec<_>>(), [("fdtdir", "/d")]);
    }

    #[test]
    fn odd_lines() {
        let entry = BootEntry::parse(
            "# c\n\n title x\nTitle\tone two \nversion 1\nversion 2\nlone\nlinux  /two\n",
        );
        assert_eq!(entry.get("Title"), Some("one two "));
        assert_eq!(entry.get("version"), Some("2"));
        assert_eq!(entry.get("title"), None);
        assert_eq!(entry.get("lone"), None);
        assert_eq!(entry.get("linux"), Some(" /two"));
        assert_eq!(entry.to_text(), "version 2\nlinux  /two\nTitle one two \n");
    }

    #[test]
    fn written_order_is_fixed() {
        let mut entry = BootEntry::new();
        for key in [
            "zz",
            "initrd",
            "linux",
            "title",
            "devicetree",
            "options",
            "version",
        ] {
            entry.set(key, "v");
        }
        entry.set_overlay_initrds(vec!["w".to_owned()]);
        entry.remove("version");
        assert_eq!(
            entry.to_text(),
            "title v\noptions v\ndevicetree v\nlinux v\ninitrd v\ninitrd w\nzz v\n"
        );
    }

    #[test]
    fn counters() {
        let parse = BootCount::parse;
        assert_eq!(parse("ostree-1"), None);
        assert_eq!(parse("ostree-1+3"), Some(BootCount { left: 3, done: 0 }));
        assert_eq!(parse("ostree-1+2-1"), Some(BootCount { left: 2, done: 1 }));
        assert_eq!(parse("ostree-1+x"), None);
    }
}
