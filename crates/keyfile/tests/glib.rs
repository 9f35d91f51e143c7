//! What GLib 2.7x answers for the same bytes (recorded once through its own library).

use osier_keyfile::{Error, KeyFile, Optional};

fn parse_error(data: &[u8]) -> String {
    KeyFile::parse(data).unwrap_err().to_string()
}

#[test]
fn load_and_save() {
    let cases: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"\n", b"\n"),
        (
            b"# c\n\n[a]\nx=1\n# hello\n\ny = 2  \n[b]\nz=3",
            b"# c\n\n[a]\nx=1\n# hello\n\ny=2  \n\n[b]\nz=3\n",
        ),
        (b"[a]\nx=1\nx=2\n", b"[a]\nx=1\nx=2\n"),
        (
            b"[a]\nx=1\n[b]\ny=2\n[a]\nz=3\nx=9\n",
            b"[a]\nx=1\nz=3\nx=9\n\n[b]\ny=2\n",
        ),
        (b"[a]\n [b] \n  k = v\n", b"[a]\n\n[b]\nk=v\n"),
        (
            b"[a]\r\nx=1\r\n\r\n[b]\r\ny=2\r\n",
            b"[a]\nx=1\n\n[b]\ny=2\n",
        ),
        (b"[a]\nx[de]=1\nx=2\nb[]=3\n", b"[a]\nx[de]=1\nx=2\nb[]=3\n"),
        (b"[a]\n[b c]\na b=3\n", b"[a]\n\n[b c]\na b=3\n"),
        (b"[a]\nEncoding=utf-8\n", b"[a]\nEncoding=utf-8\n"),
        (b"[\xff]\n\xff=\xff\n", b"[\xff]\n\xff=\xff\n"),
        (
            b"[a]\n\t# c\n\n\n\n[b]\n\n\n",
            b"[a]\n\t# c\n\n\n\n[b]\n\n\n",
        ),
        (b"[a]\0\nx=1\0y\nz=1\n", b"[a]\nx=1\nz=1\n"),
        (b"[a]\nx= \t a b \t\n", b"[a]\nx=a b \t\n"),
        (b"# top\n[a]\nx=1\n", b"# top\n\n[a]\nx=1\n"),
        (b"\n[a]\n", b"\n[a]\n"),
        (b"   \n[a ]\n", b"   \n\n[a ]\n"),
        (
            b"[a]\nx=1\n[b]\nEncoding=l1\n",
            b"[a]\nx=1\n\n[b]\nEncoding=l1\n",
        ),
    ];
    for (input, output) in cases {
        let file = KeyFile::parse(input).unwrap();
        assert_eq!(
            file.to_bytes(),
            *output,
            "{}",
            String::from_utf8_lossy(input)
        );
    }
}

#[test]
fn refused_files() {
    let line = |text| {
        format!("Key file contains line “{text}” which is not a key-value pair, group, or comment")
    };
    assert_eq!(
        parse_error(b"x=1\n"),
        "Key file does not start with a group"
    );
    assert_eq!(parse_error(b"[a]\nfoo\n"), line("foo"));
    assert_eq!(parse_error(b"[a]\n\t foo\0x\n"), line("\t foo\u{fffd}x"));
    assert_eq!(parse_error(b"[a]\n=1\n"), line("=1"));
    assert_eq!(parse_error(b"[a] x\n"), line("[a] x"));
    assert_eq!(parse_error(b"[a\n"), line("[a"));
    assert_eq!(parse_error(b"[a]\n;c\n"), line(";c"));
    assert_eq!(parse_error(b"[a]\n\x0b\n"), line("\x0b"));
    assert_eq!(parse_error(b"\xef\xbb\xbf[a]\n"), line("\u{feff}[a]"));
    assert_eq!(parse_error(b"[]\n"), "Invalid group name: ");
    assert_eq!(parse_error(b"[a[b]\n"), "Invalid group name: a[b");
    assert_eq!(parse_error(b"[a\x01]\n"), "Invalid group name: a\x01");
    assert_eq!(parse_error(b"[a]\nb[=3\n"), "Invalid key name: b[");
    assert_eq!(parse_error(b"[a]\nb]c=3\n"), "Invalid key name: b]c");
    assert_eq!(parse_error(b"[a]\nx[a b]=1\n"), "Invalid key name: x[a b]");
    assert_eq!(parse_error(b"[a]\nx[a]b=1\n"), "Invalid key name: x[a]b");
    assert_eq!(
        parse_error(b"[a]\nEncoding=latin1\n"),
        "Key file contains unsupported encoding “latin1”"
    );
}

#[test]
fn typed_values() {
    let file = KeyFile::parse(
        br"[a]
s=\s a\tb\nc\rd\\e
bad=a\qb
end=a\
t2=true 
t3=TRUE
f=0
i2=12 abc
i3=12abc
i5=99999999999
i6=-5
i7=
i8=99999999999999999999
i9= +7
l=a;b;c
l2=a\;b;c;
l3=
l4=;
l6=a;;b
l8=a;b\
",
    )
    .unwrap();
    assert_eq!(file.string("a", "s").unwrap(), "  a\tb\nc\rd\\e");
    let invalid = |key: &str| Error::InvalidValue { key: key.into() };
    assert_eq!(file.string("a", "bad"), Err(invalid("bad")));
    assert_eq!(file.string("a", "end"), Err(invalid("end")));
    assert_eq!(file.string("a", "l2"), Err(invalid("l2")));
    assert_eq!(file.boolean("a", "t2"), Ok(true));
    assert_eq!(file.boolean("a", "t3"), Err(invalid("t3")));
    assert_eq!(file.boolean("a", "f"), Ok(false));
    assert_eq!(
        file.boolean("a", "i9").unwrap_err().to_string(),
        "Key file contains key “i9” which has a value that cannot be interpreted."
    );

    assert_eq!(file.int32("a", "i2"), Ok(12));
    assert_eq!(file.int32("a", "i6"), Ok(-5));
    assert_eq!(file.int32("a", "i9"), Ok(7));
    for key in ["i3", "i5", "i7"] {
        assert_eq!(
            file.int32("a", key).unwrap_err().to_string(),
            format!(
                "Key file contains key “{key}” in group “a” which has a value that cannot be interpreted."
            )
        );
    }
    assert_eq!(
        file.int64("a", "i2").unwrap_err().to_string(),
        "Key “i2” in group “a” has value “12 abc” where int64 was expected"
    );
    assert_eq!(file.int64("a", "i8"), Ok(i64::MAX));
    assert_eq!(file.uint64("a", "i5"), Ok(99_999_999_999));
    assert_eq!(file.uint64("a", "i6"), Ok(18_446_744_073_709_551_611));
    assert_eq!(file.uint64("a", "i8"), Ok(u64::MAX));

    assert_eq!(file.string_list("a", "l").unwrap(), ["a", "b", "c"]);
    assert_eq!(file.string_list("a", "l2").unwrap(), ["a;b", "c"]);
    assert!(file.string_list("a", "l3").unwrap().is_empty());
    assert_eq!(file.string_list("a", "l4").unwrap(), [""]);
    assert_eq!(file.string_list("a", "l6").unwrap(), ["a", "", "b"]);
    assert_eq!(file.string_list("a", "l8"), Err(invalid("l8")));
}

#[test]
fn missing_and_unreadable() {
    let file = KeyFile::parse(b"[a]\nnu=a\xffb\n").unwrap();
    assert_eq!(
        file.string("a", "zz").unwrap_err().to_string(),
        "Key file does not have key “zz” in group “a”"
    );
    assert_eq!(
        file.boolean("zz", "a").unwrap_err().to_string(),
        "Key file does not have group “zz”"
    );
    assert_eq!(
        file.string("a", "nu").unwrap_err().to_string(),
        "Key file contains key “nu” with value “a\u{fffd}b” which is not UTF-8"
    );
    assert_eq!(file.value("a", "nu").unwrap(), b"a\xffb");
    assert_eq!(file.string("a", "zz").optional(), Ok(None));
    assert!(file.string("a", "nu").optional().is_err());
}

#[test]
fn escapes_on_set() {
    let mut file = KeyFile::new();
    file.set_string("g", "a", "  x y\tz\n\r\\;").unwrap();
    file.set_string("g", "b", "\t\nx ").unwrap();
    file.set_string("g", "d", "\\ x").unwrap();
    file.set_string("g", "e", "\r x").unwrap();
    file.set_string_list("g", "l", &["a;b", " c ", "", "d\\", "a; \n x"])
        .unwrap();
    file.set_string_list::<&str>("g", "l2", &[]).unwrap();
    file.set_value("h", "l2", b"  raw\\").unwrap();
    assert_eq!(
        String::from_utf8(file.to_bytes()).unwrap(),
        r"[g]
a=\s\sx y	z\n\r\\;
b=\t\nx 
d=\\ x
e=\r\sx
l=a\;b;\sc ;;d\\;a\;\s\n\sx;
l2=

[h]
l2=  raw\
"
    );
}

const EDITED: &[u8] = b"# top\n[a]\nx=1\n# c\ny=2\n\n# d\n[b]\nz=3\n";

fn edit(data: &[u8], change: impl FnOnce(&mut KeyFile)) -> String {
    let mut file = KeyFile::parse(data).unwrap();
    change(&mut file);
    String::from_utf8(file.to_bytes()).unwrap()
}

#[test]
fn edits_keep_the_rest() {
    assert_eq!(
        edit(EDITED, |f| f.set_string("a", "n", "v").unwrap()),
        // As GLib 2.90; older ones put it behind the comment.
        "# top\n\n[a]\nx=1\n# c\ny=2\nn=v\n\n# d\n\n[b]\nz=3\n"
    );
    let blank = b"[a]\nx=1\n\n\n[b]\n# c\n\n";
    assert_eq!(
        edit(blank, |f| f.set_string("a", "n", "v").unwrap()),
        "[a]\nx=1\nn=v\n\n\n[b]\n# c\n\n"
    );
    assert_eq!(
        edit(blank, |f| f.set_string("b", "n", "v").unwrap()),
        "[a]\nx=1\n\n\n[b]\nn=v\n# c\n\n"
    );
    assert_eq!(
        edit(EDITED, |f| f.set_string("a", "x", "v").unwrap()),
        "# top\n\n[a]\nx=v\n# c\ny=2\n\n# d\n\n[b]\nz=3\n"
    );
    assert_eq!(
        edit(EDITED, |f| f.set_string("c", "x", "v").unwrap()),
        "# top\n\n[a]\nx=1\n# c\ny=2\n\n# d\n\n[b]\nz=3\n\n[c]\nx=v\n"
    );
    assert_eq!(
        edit(EDITED, |f| f.remove_key("a", "x").unwrap()),
        "# top\n\n[a]\n# c\ny=2\n\n# d\n\n[b]\nz=3\n"
    );
    assert_eq!(
        edit(EDITED, |f| f.remove_group("a").unwrap()),
        "# top\n\n[b]\nz=3\n"
    );
    assert_eq!(
        edit(b"[a]\nx=1\nx=2\n", |f| f.set_string("a", "x", "v").unwrap()),
        "[a]\nx=1\nx=v\n"
    );
    assert_eq!(
        edit(EDITED, KeyFile::strip_comments),
        "[a]\nx=1\ny=2\n\n[b]\nz=3\n"
    );
}

/// One carriage return before the line feed is part of the line end. More of them would be, one by one, each time the
/// file is written and read.
#[test]
fn carriage_returns_at_the_end_of_a_line() {
    for data in [&b"[a]\nx=1\r\r\n"[..], b"[a]\nx=1\r", b"[a]\r\nx=1\r\r\r\n"] {
        let file = KeyFile::parse(data).unwrap();
        let saved = file.to_bytes();
        assert_eq!(saved, b"[a]\nx=1\n");
        assert_eq!(KeyFile::parse(&saved).unwrap().to_bytes(), saved);
    }
    assert_eq!(
        KeyFile::parse(b"[a]\nx=1\r\r\n")
            .unwrap()
            .string("a", "x")
            .unwrap(),
        "1\r"
    );
    assert_eq!(
        edit(b"[a]\n# c\r\r\n\r\r\nx=1\n", |_| {}),
        "[a]\n# c\n\nx=1\n"
    );
    // Text that ends in one is escaped, and comes back.
    let mut file = KeyFile::new();
    file.set_string("a", "x", "1\r").unwrap();
    let again = KeyFile::parse(&file.to_bytes()).unwrap();
    assert_eq!(again.string("a", "x").unwrap(), "1\r");
}

#[test]
fn refused_edits() {
    let mut file = KeyFile::parse(b"[a]\nx=1\n").unwrap();
    assert_eq!(
        file.remove_key("a", "q").unwrap_err().to_string(),
        "Key file does not have key “q” in group “a”"
    );
    assert_eq!(
        file.remove_group("q").unwrap_err().to_string(),
        "Key file does not have group “q”"
    );
    for key in ["", "a=b", "a[", " a", "a ", "a\nb"] {
        assert!(file.set_string("a", key, "v").is_err(), "{key:?}");
    }
    for group in ["", "a]", "a\nb"] {
        assert!(file.set_string(group, "k", "v").is_err(), "{group:?}");
    }
    assert!(file.set_value("a", "k", b"1\n[evil]").is_err());
    assert_eq!(file.to_bytes(), b"[a]\nx=1\n");
}

#[test]
fn listing() {
    let file = KeyFile::parse(b"[b]\nx=1\n[a]\ny=1\ny=2\nx=1\n[\xff]\n").unwrap();
    assert_eq!(file.groups().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(file.keys("a").unwrap(), ["y", "x"]);
    assert_eq!(file.string("a", "y").unwrap(), "2");
    assert!(file.has_key("a", "x") && !file.has_key("a", "z") && !file.has_group("c"));
}
