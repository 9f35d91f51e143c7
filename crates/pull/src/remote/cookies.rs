//! The cookies of a remote: a Netscape cookie jar, `NAME.cookies.txt` in the repository.

/// Years that an added cookie lives.
const LIFETIME: i64 = 25;

/// One line of a jar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cookie {
    /// The host it is for; with a leading dot, the hosts below too.
    pub domain: String,
    /// The path below which it is sent.
    pub path: String,
    /// Only over TLS.
    pub secure: bool,
    /// Seconds since the epoch; 0 for the session's end.
    pub expires: i64,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A jar's text, edited by line so that what is not understood stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CookieJar {
    text: String,
}

impl CookieJar {
    /// A jar from the text of its file.
    #[must_use]
    pub fn new(text: String) -> CookieJar {
        CookieJar { text }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cookies that can be understood; the tail-match field is implied by the domain's leading dot.
    pub fn cookies(&self) -> impl Iterator<Item = Cookie> + '_ {
        self.text.lines().filter_map(parse)
    }

    /// Appends a cookie that expires 25 years from `now`, in seconds since the epoch.
    pub fn add(&mut self, domain: &str, path: &str, name: &str, value: &str, now: i64) {
        let tail = if domain.starts_with('.') {
            "TRUE"
        } else {
            "FALSE"
        };
        let expires = crate::http_date::add_years(now, LIFETIME);
        self.text.push_str(&format!(
            "{domain}\t{tail}\t{path}\tFALSE\t{expires}\t{name}\t{value}\n"
        ));
    }

    /// Removes the first cookie of this domain, path and name; false when there is none.
    pub fn delete(&mut self, domain: &str, path: &str, name: &str) -> bool {
        let hit = |line: &str| {
            parse(line).is_some_and(|c| c.domain == domain && c.path == path && c.name == name)
        };
        let mut found = false;
        let mut text = String::with_capacity(self.text.len());
        for line in self.text.split_inclusive('\n') {
            if !found && hit(line.trim_end_matches('\n')) {
                found = true;
            } else {
                text.push_str(line);
            }
        }
        self.text = text;
        found
    }

    /// The value of the `Cookie` header for a request, if any cookie is for it.
    #[must_use]
    pub fn header(&self, https: bool, host: &str, path: &str, now: i64) -> Option<String> {
        let mut out = String::new();
        for cookie in self.cookies() {
            let live = cookie.expires == 0 || cookie.expires > now;
            if live
                && (https || !cookie.secure)
                && domain_matches(&cookie.domain, host)
                && below(&cookie.path, path)
            {
                if !out.is_empty() {
                    out.push_str("; ");
                }
                out.push_str(&cookie.name);
                out.push('=');
                out.push_str(&cookie.value);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

fn parse(line: &str) -> Option<Cookie> {
    let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split('\t');
    let (domain, _tail, path) = (fields.next()?, fields.next()?, fields.next()?);
    let (secure, expires) = (fields.next()?, fields.next()?);
    let (name, value) = (fields.next()?, fields.next().unwrap_or(""));
    Some(Cookie {
        domain: domain.to_owned(),
        path: path.to_owned(),
        secure: secure == "TRUE",
        expires: expires.parse().ok()?,
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

fn domain_matches(domain: &str, host: &str) -> bool {
    let Some(parent) = domain.strip_prefix('.') else {
        return domain.eq_ignore_ascii_case(host);
    };
    if parent.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(at) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    host.get(at..)
        .is_some_and(|tail| tail.eq_ignore_ascii_case(domain))
}

fn below(cookie: &str, path: &str) -> bool {
    let Some(rest) = path.strip_prefix(cookie) else {
        return false;
    };
    cookie.ends_with('/') || rest.is_empty() || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned against `ostree remote add-cookie` 2026.4.
    #[test]
    fn written_as_the_c_tool_does() {
        let mut jar = CookieJar::default();
        jar.add("d.com", "/", "c", "v", 1_795_647_071);
        jar.add(".d.com", "/x", "c2", "v2", 1_795_647_071);
        assert_eq!(
            jar.text(),
            "d.com\tFALSE\t/\tFALSE\t2584565471\tc\tv\n.d.com\tTRUE\t/x\tFALSE\t2584565471\tc2\tv2\n"
        );
        assert!(jar.delete("d.com", "/", "c"));
        assert!(!jar.delete("d.com", "/", "c"));
        assert_eq!(jar.text(), ".d.com\tTRUE\t/x\tFALSE\t2584565471\tc2\tv2\n");
    }

    #[test]
    fn sent_only_where_they_belong() {
        let jar = CookieJar::new(
            "# Netscape HTTP Cookie File\nhost.example\tFALSE\t/\tFALSE\t0\ta\t1\n.example\tTRUE\t/sub\tFALSE\t2000\tb\t2\nhost.example\tFALSE\t/\tTRUE\t0\tc\t3\nbroken line\n".into(),
        );
        let header = |https, host, path, now| jar.header(https, host, path, now);
        assert_eq!(
            header(false, "host.example", "/", 0).as_deref(),
            Some("a=1")
        );
        assert_eq!(
            header(false, "HOST.example", "/sub/x", 0).as_deref(),
            Some("a=1; b=2")
        );
        assert_eq!(
            header(false, "other.example", "/sub", 0).as_deref(),
            Some("b=2")
        );
        assert_eq!(header(false, "badexample", "/sub", 0), None);
        assert_eq!(header(false, "other.example", "/subway", 0), None);
        assert_eq!(header(false, "other.example", "/sub", 2000), None);
        assert_eq!(
            header(true, "host.example", "/", 0).as_deref(),
            Some("a=1; c=3")
        );
    }
}
