//! `etc/selinux/config`: whether a policy is in force, and which.

/// What `etc/selinux/config` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `SELINUX=enforcing` or `permissive`.
    pub enabled: bool,
    /// `SELINUXTYPE=`: the folder beside the file in which the policy is.
    pub policy: Option<String>,
}

impl Config {
    /// Reads the file's text as the C tool does: case of the state does not matter, nor what follows it on its line;
    /// one line that enables is enough; the last type counts.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        for line in text.lines() {
            if let Some(state) = line.strip_prefix("SELINUX=") {
                let is = |word: &str| {
                    state
                        .get(..word.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(word))
                };
                config.enabled |= is("enforcing") || is("permissive");
            } else if let Some(policy) = line.strip_prefix("SELINUXTYPE=") {
                config.policy = Some(policy.trim().to_owned());
            }
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn what_enables_and_what_names() {
        let parse = |text: &str| {
            let config = Config::parse(text);
            (config.enabled, config.policy.unwrap_or_default())
        };
        for (text, enabled, policy) in [
            ("SELINUX=enforcing\nSELINUXTYPE=x\n", true, "x"),
            ("# c\n\njunk\nSELINUXTYPE=x \nSELINUX=Permissive", true, "x"),
            (
                "SELINUX=enforcing\nSELINUX=disabled\nSELINUXTYPE=x\nSELINUXTYPE=y",
                true,
                "y",
            ),
            ("SELINUX=enforcingly\nSELINUXTYPE=x # c", true, "x # c"),
            ("SELINUX= enforcing\nSELINUXTYPE= x", false, "x"),
            (" SELINUX=enforcing\nSELINUXTYPE=x", false, "x"),
            ("SELINUX=disabled\nSELINUXTYPE=x", false, "x"),
            ("SELINUX=\"enforcing\"", false, ""),
            ("SELINUX=enf", false, ""),
            ("", false, ""),
        ] {
            assert_eq!(parse(text), (enabled, policy.to_owned()), "{text}");
        }
    }
}
