//! Answers that libselinux 3.11 gives (`selabel_lookup -b file`), and what must hold for any policy.

use osier_selinux_labels::{Error, Labels, Sources};
use proptest::prelude::*;

const FILE: u32 = 0o100_644;
const DIR: u32 = 0o040_755;
const LINK: u32 = 0o120_777;

fn parse(sources: Sources<'_>) -> Labels {
    Labels::parse(sources).unwrap()
}

fn main_only(file_contexts: &str) -> Labels {
    parse(Sources {
        file_contexts,
        ..Sources::default()
    })
}

#[track_caller]
fn check(labels: &Labels, expected: &[(&str, u32, &str)]) {
    for (path, mode, label) in expected {
        let found = labels.of(path, *mode).unwrap().unwrap_or("");
        assert_eq!(found, *label, "{path} {mode:o}");
    }
}

#[test]
fn the_last_pattern_counts() {
    check(
        &main_only("/a/.* one\n/a/b.* two\n/a/.*c three\n/.* any\n"),
        &[("/a/bc", FILE, "any"), ("/q", FILE, "any")],
    );
    check(
        &main_only("/.* any\n/a/.*c three\n/a/b.* two\n/a/.* one\n"),
        &[
            ("/a/bc", FILE, "one"),
            ("/a", FILE, "any"),
            ("/q", FILE, "any"),
        ],
    );
    // However long the part before the first special character is.
    check(
        &main_only("/usr/bin/x.* x\n/usr/bin/.* bin\n/usr/.* usr\n/usr/(bin|lib)/x.* alt\n"),
        &[
            ("/usr/bin/xa", FILE, "alt"),
            ("/usr/bin/a", FILE, "usr"),
            ("/usr/lib/xa", FILE, "alt"),
        ],
    );
}

#[test]
fn a_literal_path_counts_first() {
    check(
        &main_only("/a/b lit\n/a/d -d dir\n/x\\.y escaped\n/x.y dot\n/a/n <<none>>\n/a/.* any\n"),
        &[
            ("/a/b", FILE, "lit"),
            ("/a/d", DIR, "dir"),
            ("/a/d", FILE, "any"),
            ("/x.y", FILE, "escaped"),
            ("/xzy", FILE, "dot"),
            ("/a/n", FILE, ""),
        ],
    );
    // The first of several that fit.
    check(
        &main_only("/a/b -l l1\n/a/b -d d1\n/a/b a1\n/a/b -d d2\n/a/b a2\n"),
        &[
            ("/a/b", FILE, "a1"),
            ("/a/b", DIR, "d1"),
            ("/a/b", LINK, "l1"),
        ],
    );
    check(
        &main_only("/a/b a1\n/a/b -d d2\n"),
        &[("/a/b", DIR, "a1"), ("/a/b", FILE, "a1")],
    );
    // These escapes leave a path a path; others make it a pattern, which a later one overrules.
    for c in "$()*+,-.?[]^_{|}".chars() {
        let labels = main_only(&format!("/a\\{c}b literal\n/.* any\n"));
        check(&labels, &[(&format!("/a{c}b"), FILE, "literal")]);
    }
    for c in "!\"#%&':;<=>@\\`~".chars() {
        let labels = main_only(&format!("/a\\{c}b literal\n/.* any\n"));
        check(&labels, &[(&format!("/a{c}b"), FILE, "any")]);
        let labels = main_only(&format!("/a\\{c}b pattern\n"));
        check(&labels, &[(&format!("/a{c}b"), FILE, "pattern")]);
    }
}

#[test]
fn types_of_files() {
    check(
        &main_only("/a.* any\n/a.* -- file\n/b.* -- file\n/b.* any\n/c.* -l link\n"),
        &[
            ("/a1", FILE, "file"),
            ("/a1", DIR, "any"),
            ("/b1", FILE, "any"),
            ("/c1", LINK, "link"),
            ("/c1", FILE, ""),
        ],
    );
    for (text, mode) in [
        ("-b", 0o060_000),
        ("-c", 0o020_000),
        ("-d", DIR),
        ("-p", 0o010_000),
        ("-l", LINK),
        ("-s", 0o140_000),
        ("--", FILE),
    ] {
        check(
            &main_only(&format!("/x {text} yes\n")),
            &[("/x", mode, "yes"), ("/x", mode ^ 0o030_000, "")],
        );
    }
}

#[test]
fn files_beside_the_main_one() {
    let labels = parse(Sources {
        file_contexts: "/a/.* main\n/a/l mainlit\n/b/l main\n/v main-v\n/v/.* main-v\n/z/.* main-z\n/v/w/.* main-w\n",
        homedirs: "/a/.* home\n/h/.* home\n/b/l home\n",
        local: "/h/.* local\n/b/l local\n",
        subs: "# comment\n/s /v\n/t /s\n/c1 /d1\n",
        subs_dist: "/u /v/w\n/d1 /v\n/e1/q /m\n/e1 /z\n/f1 /v\n/f1 /z\n",
    });
    check(
        &labels,
        &[
            ("/a/x", FILE, "home"),
            ("/a/l", FILE, "mainlit"),
            ("/b/l", FILE, "local"),
            ("/h/x", FILE, "local"),
            ("/s", FILE, "main-v"),
            ("/s/x", FILE, "main-v"),
            ("/sx", FILE, ""),
            // One substitution of each file, .subs first.
            ("/t/x", FILE, ""),
            ("/c1/x", FILE, "main-v"),
            ("/u/x", FILE, "main-w"),
            // The last line that fits.
            ("/e1/q/x", FILE, "main-z"),
            ("/f1/x", FILE, "main-z"),
        ],
    );
}

#[test]
fn pcre_syntax() {
    for (pattern, matches, others) in [
        ("/n.m", &["/n\nm", "/nxm"][..], &["/nüm", "/nm"][..]),
        ("/u(x)?", &["/u", "/u\n", "/ux"], &["/u\n\n", "/uxx"]),
        ("/t", &["/t"], &["/t\n"]),
        ("/i\\.j\\-k.?", &["/i.j-k"], &["/ixj-k"]),
        ("/p{1", &["/p{1"], &["/p"]),
        ("/[a-c[]x", &["/[x", "/ax"], &["/dx"]),
        ("/[[:alpha:]]+", &["/xY"], &["/1", "/[:"]),
        ("/\\w+", &["/a_1"], &["/ü", "/-"]),
        ("/(?i)abc", &["/aBC"], &["/abd"]),
        ("/\\<x\\>", &["/<x>"], &["/x"]),
        ("/[a&&b]", &["/&", "/a", "/b"], &["/c"]),
        ("/[]a]", &["/]", "/a"], &["/b"]),
        ("/[^]a]", &["/b"], &["/]", "/a"]),
        ("/[\\d_-]x", &["/-x", "/_x", "/1x"], &["/ax"]),
        ("/[a\\]b]", &["/]"], &["/\\"]),
        (
            "/a{2,}b{,3}",
            &["/aa", "/aab", "/aabbb"],
            &["/ab", "/aab{,3}"],
        ),
        ("/.+?x", &["/abx"], &["/x"]),
        ("/a]b}", &["/a]b}"], &["/ab"]),
        (".*", &["/r", "noslash"], &[]),
        // The first alternative has the beginning, the last one the end.
        (
            "/a|/b",
            &["/a", "/b", "/ab", "/axx", "/x/b"],
            &["/c", "/bx"],
        ),
        ("/x(a|b)c", &["/xac", "/xbc"], &["/xa", "/xbcd"]),
        ("/q[|]r|/s", &["/q|r", "/s", "/q|rx"], &["/q"]),
    ] {
        let labels = main_only(&format!("{pattern} yes\n"));
        for path in matches {
            assert_eq!(labels.of(path, FILE), Ok(Some("yes")), "{pattern} {path:?}");
        }
        for path in others {
            assert_eq!(labels.of(path, FILE), Ok(None), "{pattern} {path:?}");
        }
    }
}

#[test]
fn lines() {
    let labels = main_only(
        "  /lead.*\tx   \n#c\n   # d\n\n/two  --  y  extra\n/hash\t--\tlabel\t# comment\n",
    );
    check(
        &labels,
        &[
            ("/leading", FILE, "x"),
            ("/two", FILE, "y"),
            ("/hash", FILE, "label"),
        ],
    );
    let error = |text: &str| {
        Labels::parse(Sources {
            file_contexts: "/ok x\n",
            local: text,
            ..Sources::default()
        })
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default()
    };
    assert_eq!(
        error("/a x\n/q\n"),
        "file_contexts.local line 2 is missing fields"
    );
    assert_eq!(
        error("/q -x label\n"),
        "file_contexts.local line 1 has invalid file type -x"
    );
    assert_eq!(
        error("/ü x\n"),
        "file_contexts.local line 1: Non-ASCII characters found"
    );
}

#[test]
fn a_wrong_pattern_is_named_when_it_is_needed() {
    let labels =
        main_only("/a/(x one\n/b/(?=x).* two\n/c/(.)\\1 three\n/d/a*+ four\n/e/[x five\n/.* any\n");
    // A later line decides first.
    check(&labels, &[("/a/(x", FILE, "any")]);
    let labels = main_only("/a/(x one\n/b/(?=x).* two\n/c/(.)\\1 three\n/d/a*+ four\n/e/[x five\n");
    assert_eq!(labels.of("/z", FILE), Ok(None));
    for (line, path) in ["/a/x", "/b/x", "/c/xx", "/d/a", "/e/x"].iter().enumerate() {
        match labels.of(path, FILE) {
            Err(Error::Pattern { line: found, .. }) => assert_eq!(found, line + 1),
            other => panic!("{path}: {other:?}"),
        }
    }
}

proptest! {
    /// Any text is read or refused, without panic, and any path has an answer.
    #[test]
    fn any_text(text in "[ -~\\n]{0,200}", path in "(/[ -~]{0,8}){1,4}") {
        if let Ok(labels) = Labels::parse(Sources { file_contexts: &text, subs: &text, ..Sources::default() }) {
            let _ = labels.of(&path, FILE);
        }
    }

    /// What is known of a pattern without compiling it is true: an empty group in front hides it and changes nothing.
    #[test]
    fn prefixes_hide_no_match(pattern in "(/|[ab.]|[ab.][?*+]|\\(a|\\)|\\[a]|\\||\\\\\\.){1,8}", path in "(/|[ab.(|]){1,6}") {
        let whole = main_only(&format!("{pattern} yes\n"));
        let hidden = main_only(&format!("(){pattern} yes\n"));
        if let (Ok(a), Ok(b)) = (whole.of(&path, FILE), hidden.of(&path, FILE)) {
            prop_assert_eq!(a, b);
        }
    }
}
