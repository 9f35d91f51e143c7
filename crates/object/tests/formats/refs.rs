//! Names of refs, remotes and collections.

use osier_object::refs::{
    is_checksum, parse_refspec, validate_collection_id, validate_ref_name, validate_remote_name,
};

/// Answers of the C tool for names with characters of every Unicode category.
#[test]
fn refspecs_as_the_c_tool() {
    let mut cases = 0;
    let baseline = include_str!("../fixtures/refs_baseline.txt");
    for line in baseline.lines().filter(|line| !line.starts_with('#')) {
        let (answer, points) = line.split_once(' ').unwrap();
        let name: String = points
            .split_whitespace()
            .map(|hex| u32::from_str_radix(hex, 16).unwrap())
            .map(|point| char::from_u32(point).unwrap())
            .collect();
        cases += 1;
        if name == "a\n" {
            // PCRE's `$` matches before a last newline. We take no newline into file names.
            assert!(parse_refspec(&name).is_err());
            continue;
        }
        let parsed = parse_refspec(&name);
        assert_eq!(parsed.is_ok(), answer == "ok", "{name:?} {points}");
        if let Ok(refspec) = parsed {
            assert_eq!(refspec.to_string(), name);
            assert_eq!(name.parse(), Ok(refspec));
        } else {
            let error = parse_refspec(&name).unwrap_err().to_string();
            assert_eq!(error, format!("Invalid refspec {name}"));
        }
    }
    assert!(cases > 200);
}

#[test]
fn refspec_parts() {
    let refspec = parse_refspec("origin:os/x86_64/main").unwrap();
    assert_eq!(refspec.remote.as_deref(), Some("origin"));
    assert_eq!(refspec.name, "os/x86_64/main");
    assert_eq!(parse_refspec("main").unwrap().remote, None);
    // A remote is one fragment.
    assert!(parse_refspec("a/b:c").is_err());
}

#[test]
fn other_names() {
    assert!(validate_ref_name("a/b").is_ok());
    assert!(validate_ref_name("a:b").is_err());
    assert!(validate_ref_name("").is_err());
    assert!(validate_remote_name("origin-1.x").is_ok());
    for bad in ["", "a/b", ".a", "a b"] {
        assert!(validate_remote_name(bad).is_err(), "{bad}");
    }
    assert!(is_checksum(&"a".repeat(64)));
    assert!(!is_checksum(&"A".repeat(64)));
}

#[test]
fn collection_ids() {
    for good in ["foo.bar", "org._x", &format!("{}b", "a.".repeat(127))] {
        assert!(validate_collection_id(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "foo",
        ".a",
        "a.",
        "a..b",
        "org.é",
        "org.1x",
        "o-r.g",
        &format!("{}bc", "a.".repeat(127)),
    ] {
        let error = validate_collection_id(bad).unwrap_err().to_string();
        assert_eq!(error, format!("Invalid collection ID {bad}"));
    }
}
