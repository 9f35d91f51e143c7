//! Our announcements and our finder beside a real Avahi: what ours announces, Avahi understands and the C tool finds through
//! it; what Avahi announces, both find.

use super::{apart, archive};
use osier_conformance::{Scratch, commit, pair, root_or_skip, text};
use osier_testkit::skip;
use osier_testkit::trees;
use std::process::Command;

#[test]
fn ours_and_avahi_understand_each_other() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    if !c.ok(["--version"]).contains("- avahi") {
        skip::because("this C tool knows no Avahi");
        return;
    }
    let scratch = Scratch::new();
    let served = archive(&scratch, &c, "served", &[]);
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&c, &served, "os/main", tree.path(), &[]);
    c.repo(&served).ok(["summary", "-u"]);
    for name in ["through-c", "through-ours", "from-c", "from-ours"] {
        let repo = scratch.init(&ours, name, "bare-user");
        ours.repo(&repo).ok([
            "remote",
            "add",
            "--no-gpg-verify",
            "--collection-id=org.example.Os",
            "origin",
            "http://127.0.0.1:1/",
        ]);
    }
    let script = scratch.file("script", SCRIPT);
    scratch.file("avahi.conf", CONFIG);
    scratch.file("found.service", SERVICE);
    let outcome = apart(
        Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--mount-proc"])
            .args(["--propagation=private", "sh", text(&script)])
            .args([ours.program(), c.program()])
            .current_dir(scratch.path(".")),
    );
    let Some((stdout, _)) = outcome else {
        return;
    };
    let records: Vec<_> = stdout
        .lines()
        .filter(|line| line.starts_with("=;"))
        .collect();
    assert_eq!(records.len(), 1, "{stdout}");
    for part in [
        ";_ostree_repo._tcp;local;",
        ";127.0.0.1;8080;",
        r#""v=\001""#,
        r#""ri=\000\000""#,
        r#""rb=\011\001\000\008\194\192@\"\016(\009\128\001\000 \000\017\020""#,
    ] {
        assert!(records[0].contains(part), "{part} {stdout}");
    }
    for (name, url) in [
        ("through-c", "http://127.0.0.1:8080/0"),
        ("through-ours", "http://127.0.0.1:8080/0"),
        ("from-c", "http://127.0.0.1:8081/7"),
        ("from-ours", "http://127.0.0.1:8081/7"),
    ] {
        let found = stdout.split("== ").find(|part| part.starts_with(name));
        let found = found.unwrap_or_else(|| panic!("{name}: {stdout}"));
        assert!(
            found.contains(&format!("Result 0: {url}\n")),
            "{name}: {stdout}"
        );
        assert!(!found.contains("Result 1"), "{name}: {stdout}");
        assert!(
            found.contains(" - Finder: OstreeRepoFinderAvahi\n"),
            "{name}: {stdout}"
        );
        assert!(
            found.contains(&format!("(org.example.Os, os/main) = {id}\n")),
            "{name}: {stdout}"
        );
    }
}

const CONFIG: &str = "[server]
host-name=peer
use-ipv4=yes
use-ipv6=no
allow-interfaces=lo
disallow-other-stacks=no
[publish]
publish-workstation=no
";

/// The filter is that of the one ref.
const SERVICE: &str = r#"<?xml version="1.0"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>another machine</name><service>
<type>_ostree_repo._tcp</type><port>8081</port>
<txt-record value-format="binary-hex">v=01</txt-record>
<txt-record value-format="binary-hex">rb=0b010008c2c0402210280980010020001114</txt-record>
<txt-record value-format="binary-hex">st=0000000065a00000</txt-record>
<txt-record value-format="binary-hex">ri=0007</txt-record>
</service></service-group>
"#;

/// Arguments: our program, the C tool. Ends with 77 where there is no network of its own, or no Avahi.
const SCRIPT: &str = r#"set -eu
ours=$1 c=$2
for program in avahi-daemon avahi-browse dbus-daemon python3 ip; do
    command -v $program >/dev/null || { echo "no $program" >&2; exit 77; }
done
ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo &&
    mount -t tmpfs none /run && mkdir /run/dbus /run/avahi-daemon && mount -t tmpfs none /etc/avahi/services ||
    { echo "no network of its own" >&2; exit 77; }
# A C tool in another root looks for the message bus there.
test -z "${OSIER_PEER_ROOT:-}" || mount --bind /run "$OSIER_PEER_ROOT/run"
# Whatever is started here ends with the namespace of processes.
dbus-daemon --system --fork --nopidfile
avahi-daemon -f avahi.conf --no-drop-root --no-chroot --no-rlimits >avahi.log 2>&1 &
avahi=$!
again() {
    tries=$((tries + 1))
    kill -0 $avahi && test $tries -lt 15 || { echo "$1: $found" >&2; cat avahi.log >&2; exit 1; }
}
find() {
    tries=0
    while :; do
        found=$(timeout 60 "$2" --repo="$3" find-remotes --finders=lan org.example.Os os/main)
        case $found in *Result*) break ;; esac
        again "$1"
    done
    echo "== $1"
    printf '%s\n' "$found"
}
"$ours" --repo=served serve --address=127.0.0.1:8080 --advertise >/dev/null &
serving=$!
tries=0
while :; do
    found=$(avahi-browse -rpt _ostree_repo._tcp || true)
    case $found in *'=;'*) break ;; esac
    again browsing
done
printf '%s\n' "$found"
find through-c "$c" through-c
find through-ours "$ours" through-ours
kill $serving
tries=0
while :; do
    found=$(avahi-browse -rpt _ostree_repo._tcp || true)
    case $found in *'=;'*) again "still announced" ;; *) break ;; esac
done
mkdir site && ln -s "$PWD/served" site/7
(cd site && exec python3 -m http.server --bind 127.0.0.1 8081 >/dev/null 2>&1) &
cp found.service /etc/avahi/services/
kill -HUP $avahi
find from-c "$c" from-c
find from-ours "$ours" from-ours
"#;
