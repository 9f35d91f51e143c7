//! Kernel arguments: an ordered list of `key` or `key=value`.
//!
//! The text form is one line, arguments separated by spaces; a space between double quotes does not
//! separate, and the quotes are part of the argument. Source: docs/formats/sysroot.md.

use std::fmt;
use std::str::FromStr;

/// Why a list of arguments cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KargsError {
    /// A `"` without its partner: everything after it would melt into one argument, the
    /// `ostree=` that is put behind it too, and the deployment could not be loaded again.
    #[error("unterminated quote in kernel arguments '{0}'")]
    UnterminatedQuote(String),
    /// A line break would end the `options` line of the boot entry.
    #[error("line break in kernel arguments '{0}'")]
    LineBreak(String),
    /// `--karg-delete=K=V` and there is no such pair.
    #[error("No karg '{0}' found")]
    NotFound(String),
    /// `--karg-delete=K` and several values to choose from.
    #[error("Multiple values for key '{0}' found")]
    MultipleValues(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arg {
    key: String,
    /// `None` for a bare `key`; `key=` has the value "".
    value: Option<String>,
}

impl Arg {
    fn new(token: &str) -> Arg {
        match token.split_once('=') {
            Some((key, value)) => Arg {
                key: key.to_owned(),
                value: Some(value.to_owned()),
            },
            None => Arg {
                key: token.to_owned(),
                value: None,
            },
        }
    }
}

/// An ordered list of kernel arguments; doubles are kept.
///
/// ```
/// use osier_sysroot::kargs::KernelArgs;
/// let mut args: KernelArgs = "root=LABEL=root rw quiet".parse()?;
/// args.replace("rw=now")?;
/// args.append("console=ttyS0  console=tty0")?;
/// args.delete("quiet")?;
/// assert_eq!(args.to_string(), "root=LABEL=root rw=now console=ttyS0 console=tty0");
/// # Ok::<(), osier_sysroot::kargs::KargsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelArgs {
    args: Vec<Arg>,
}

impl KernelArgs {
    /// No arguments.
    pub fn new() -> KernelArgs {
        KernelArgs::default()
    }

    /// The arguments of a running kernel without those that the boot loader added itself
    /// (`BOOT_IMAGE=`, `initrd=`); `cmdline` is the text of `/proc/cmdline`.
    ///
    /// # Errors
    /// [`KargsError::UnterminatedQuote`].
    pub fn from_proc_cmdline(cmdline: &str) -> Result<KernelArgs, KargsError> {
        let mut args: KernelArgs = cmdline.trim_end_matches('\n').parse()?;
        args.args.retain(|arg| {
            arg.value.is_none() || !matches!(arg.key.as_str(), "BOOT_IMAGE" | "initrd")
        });
        Ok(args)
    }

    /// Splits `text` and puts each argument at the end.
    ///
    /// # Errors
    /// [`KargsError::UnterminatedQuote`], [`KargsError::LineBreak`].
    pub fn append(&mut self, text: &str) -> Result<(), KargsError> {
        self.args.extend(split(text)?.into_iter().map(Arg::new));
        Ok(())
    }

    /// As [`KernelArgs::append`], unless an argument with the key of `text` is there: what stands
    /// before its first `=`.
    ///
    /// # Errors
    /// As [`KernelArgs::append`].
    pub fn append_if_missing(&mut self, text: &str) -> Result<(), KargsError> {
        if self.contains_key(&Arg::new(text).key) {
            return split(text).map(drop);
        }
        self.append(text)
    }

    /// Puts the one argument `token` (not split) in the place of the first with its key and drops
    /// the others with that key; at the end if there is none.
    ///
    /// # Errors
    /// As [`KernelArgs::append`].
    pub fn replace(&mut self, token: &str) -> Result<(), KargsError> {
        split(token)?;
        let arg = Arg::new(token);
        let at = self.args.iter().position(|old| old.key == arg.key);
        self.args.retain(|old| old.key != arg.key);
        self.args.insert(at.unwrap_or(self.args.len()), arg);
        Ok(())
    }

    /// Removes one argument, named by key or by `key=value`. A key that is not there at all is no
    /// error; a key with several arguments needs the exact one.
    ///
    /// # Errors
    /// [`KargsError::NotFound`], [`KargsError::MultipleValues`].
    pub fn delete(&mut self, token: &str) -> Result<(), KargsError> {
        let wanted = Arg::new(token);
        let count = self.args.iter().filter(|arg| arg.key == wanted.key).count();
        if count == 0 {
            return Ok(());
        }
        let exact = self.args.iter().position(|arg| *arg == wanted);
        let at = match (exact, &wanted.value) {
            (Some(at), _) => at,
            (None, Some(_)) => return Err(KargsError::NotFound(token.to_owned())),
            (None, None) if count > 1 => {
                return Err(KargsError::MultipleValues(token.to_owned()));
            }
            (None, None) => self
                .args
                .iter()
                .position(|arg| arg.key == wanted.key)
                .unwrap_or_default(),
        };
        self.args.remove(at);
        Ok(())
    }

    /// Removes every argument with this key.
    pub fn remove_key(&mut self, key: &str) {
        self.args.retain(|arg| arg.key != key);
    }

    /// Whether any argument has this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.args.iter().any(|arg| arg.key == key)
    }

    /// The value of the last argument with this key; `Some("")` for a bare key.
    pub fn last_value(&self, key: &str) -> Option<&str> {
        self.args
            .iter()
            .rev()
            .find(|arg| arg.key == key)
            .map(|arg| arg.value.as_deref().unwrap_or_default())
    }

    /// Whether there is nothing in the list.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// Each argument as it stands on the command line.
    pub fn tokens(&self) -> impl Iterator<Item = String> {
        self.args.iter().map(Arg::to_string)
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for KernelArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arg) in self.args.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{arg}")?;
        }
        Ok(())
    }
}

impl FromStr for KernelArgs {
    type Err = KargsError;

    fn from_str(text: &str) -> Result<KernelArgs, KargsError> {
        let mut args = KernelArgs::new();
        args.append(text)?;
        Ok(args)
    }
}

/// Splits at spaces outside double quotes; empty tokens vanish.
fn split(text: &str) -> Result<Vec<&str>, KargsError> {
    if text.contains(['\n', '\0']) {
        return Err(KargsError::LineBreak(text.to_owned()));
    }
    let mut quoted = false;
    let tokens = text
        .split(|c| {
            quoted ^= c == '"';
            c == ' ' && !quoted
        })
        .filter(|token| !token.is_empty())
        .collect();
    if quoted {
        return Err(KargsError::UnterminatedQuote(text.to_owned()));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> KernelArgs {
        text.parse().unwrap()
    }

    #[test]
    fn quotes_keep_spaces() {
        let list = args("a  b=\"x y\" \"c d\"=1 ");
        assert_eq!(
            list.tokens().collect::<Vec<_>>(),
            ["a", "b=\"x y\"", "\"c d\"=1"]
        );
        assert_eq!(list.to_string(), "a b=\"x y\" \"c d\"=1");
    }

    #[test]
    fn a_quote_that_never_ends_is_refused() {
        let bad = || KargsError::UnterminatedQuote("a=\"x y".to_owned());
        assert_eq!("a=\"x y".parse::<KernelArgs>(), Err(bad()));
        assert_eq!(args("z").append("a=\"x y"), Err(bad()));
        assert_eq!(args("z").replace("a=\"x y"), Err(bad()));
        assert!(args("z").append("a\noptions=1").is_err());
    }

    #[test]
    fn replace_takes_the_first_place_and_all_values() {
        let mut list = args("a=1 k=1 b k=2 c k");
        list.replace("k=9=9").unwrap();
        assert_eq!(list.to_string(), "a=1 k=9=9 b c");
        list.replace("new two").unwrap();
        assert_eq!(list.to_string(), "a=1 k=9=9 b c new two");
    }

    #[test]
    fn delete_needs_to_know_which() {
        let mut list = args("a=1 k=1 k=2 b");
        list.delete("nothere").unwrap();
        list.delete("nothere=1").unwrap();
        assert_eq!(
            list.delete("a=2").unwrap_err().to_string(),
            "No karg 'a=2' found"
        );
        assert_eq!(
            list.delete("k").unwrap_err().to_string(),
            "Multiple values for key 'k' found"
        );
        list.delete("k=1").unwrap();
        list.delete("k").unwrap();
        list.delete("b").unwrap();
        list.delete("a=1").unwrap();
        assert!(list.is_empty());
        let mut list = args("k=1 k k=2");
        list.delete("k").unwrap();
        assert_eq!(list.to_string(), "k=1 k=2");
    }

    #[test]
    fn append_if_missing_looks_at_keys() {
        let mut list = args("a=1 b");
        for text in ["a=2", "b=3 x", "c=4", "c=5", "d e"] {
            list.append_if_missing(text).unwrap();
        }
        assert_eq!(list.to_string(), "a=1 b c=4 d e");
        assert!(list.append_if_missing("a=\"").is_err());
    }

    #[test]
    fn proc_cmdline_loses_what_the_boot_loader_added() {
        let list = KernelArgs::from_proc_cmdline(
            "BOOT_IMAGE=(hd0,1)/vmlinuz initrd=/i root=/dev/sda1 initrd.x=1 BOOT_IMAGEX=1\n",
        )
        .unwrap();
        assert_eq!(list.to_string(), "root=/dev/sda1 initrd.x=1 BOOT_IMAGEX=1");
    }

    #[test]
    fn values() {
        let list = args("a=1 b a=2");
        assert_eq!(list.last_value("a"), Some("2"));
        assert_eq!(list.last_value("b"), Some(""));
        assert_eq!(list.last_value("c"), None);
        assert!(list.contains_key("b"));
    }
}
