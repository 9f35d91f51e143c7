//! `find-remotes`: what is found among the configured remotes beside the C tool; what one machine announces is found and
//! pulled by another.

#[path = "find_remotes/avahi.rs"]
mod avahi;

use osier_conformance::{Scratch, commit, ours_is_c, pair, root_or_skip, text};
use osier_testkit::skip;
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An archive of a collection, with commits at given times.
fn archive(scratch: &Scratch, tool: &Tool, name: &str, refs: &[(&str, u32)]) -> PathBuf {
    let repo = scratch.init(tool, name, "archive");
    let config = std::fs::read_to_string(repo.join("config")).unwrap();
    let config = format!("{config}collection-id=org.example.Os\n");
    std::fs::write(repo.join("config"), config).unwrap();
    for (branch, time) in refs {
        let tree = scratch.path(format!("{name}-{}", branch.replace('/', "-")));
        let tree = trees::os(&tree, name, "6.1").unwrap();
        let tree = format!("--tree=dir={}", tree.path().display());
        let time = format!("--timestamp=@{time}");
        tool.repo(&repo).ok(["commit", "-b", branch, &time, &tree]);
    }
    tool.repo(&repo).ok(["summary", "-u"]);
    repo
}

/// Lines of an output: in which order refs stand is a matter of hashing in the C tool.
fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn what_is_configured_is_found_alike() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let old = archive(
        &scratch,
        &c,
        "old",
        &[("main", 1_600_000_000), ("b", 1_600_000_000)],
    );
    let new = archive(
        &scratch,
        &c,
        "new",
        &[("main", 1_700_000_000), ("only", 1_700_000_000)],
    );
    let repo = scratch.init(&c, "repo", "bare-user");
    let add = |name: &str, collection: &str, url: &Path| {
        c.repo(&repo).ok([
            "remote",
            "add",
            "--no-gpg-verify",
            &format!("--collection-id={collection}"),
            name,
            &format!("file://{}", url.display()),
        ]);
    };
    add("old", "org.example.Os", &old);
    add("new", "org.example.Os", &new);
    add("other", "org.example.Other", &new);
    add("gone", "org.example.Os", &scratch.path("gone"));
    let os = "org.example.Os";
    for args in [
        &[os, "main"][..],
        &[os, "main", os, "only", os, "b", os, "none"],
        &[os, "none"],
        &["org.example.Other", "main"],
        &["org.example.None", "main"],
        &[os],
        &[],
        &["bad_id", "main"],
        &[os, "../x"],
        &["--finders=config", os, "b"],
        &["--finders=", os, "main"],
        &["--finders=bogus", os, "main"],
        &["--finders=config,config", os, "main"],
        &["--mirror", os, "main"],
        // Its commits have no signature, which this demands whatever is configured.
        &["--pull", os, "main"],
    ] {
        let [our, c] = [&ours, &c].map(|tool| {
            let args = ["find-remotes"].iter().chain(args);
            let outcome = tool.repo(&repo).run(args);
            let error = outcome
                .stderr
                .lines()
                .find(|line| line.starts_with("error:"));
            (
                outcome.code,
                sorted(&outcome.stdout),
                error.map(str::to_owned),
            )
        });
        // Whatever finders fail for the C tool without a message bus, it says so on other lines.
        assert_eq!(our, c, "{args:?}");
    }
    assert_eq!(ours.repo(&repo).ok(["refs"]), "");
}

/// Runs a script in namespaces of its own; gives its output and its errors, or says why it is skipped.
fn apart(unshare: &mut Command) -> Option<(String, String)> {
    let outcome = match unshare.output() {
        Ok(outcome) => outcome,
        Err(e) => {
            skip::because(&format!("no unshare: {e}"));
            return None;
        }
    };
    let stdout = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&outcome.stderr).into_owned();
    if outcome.status.code() == Some(77) || stderr.starts_with("unshare:") {
        skip::because(&stderr);
        return None;
    }
    assert!(outcome.status.success(), "{stdout}\n{stderr}");
    Some((stdout, stderr))
}

/// In a network of its own, where nobody else announces anything.
#[test]
fn what_one_machine_announces_another_pulls() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let served = archive(&scratch, &ours, "served", &[]);
    let home = scratch.path("gpg");
    let script = scratch.file("script", SCRIPT);
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&ours, &served, "os/main", tree.path(), &[]);
    let repo = scratch.init(&ours, "repo", "bare-user");
    let outcome = apart(
        Command::new("unshare")
            .args(["--net", "sh", text(&script)])
            .arg(ours.program())
            .args([&served, &repo, &home])
            .arg(&id),
    );
    let Some((stdout, _)) = outcome else {
        return;
    };
    assert!(
        stdout.contains(" - Finder: OstreeRepoFinderAvahi\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains(" - Keyring: origin.trustedkeys.gpg\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains(&format!("(org.example.Os, os/main) = {id}")),
        "{stdout}"
    );
    assert!(
        stdout.contains("Pulled 1/1 refs successfully.\n"),
        "{stdout}"
    );
    assert_eq!(ours.repo(&repo).ok(["rev-parse", "origin:os/main"]), id);
    ours.repo(&repo).ok(["fsck"]);
}

/// In mounts of its own, where a stick is what a folder is mounted as.
#[test]
fn what_one_machine_puts_on_a_stick_another_pulls() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let served = archive(&scratch, &ours, "served", &[]);
    let script = scratch.file("script", STICK);
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&ours, &served, "os/main", tree.path(), &[]);
    let unsigned = commit(&ours, &served, "unsigned", tree.path(), &[]);
    let repo = scratch.init(&ours, "repo", "bare-user");
    let outcome = apart(
        Command::new("unshare")
            .args(["--mount", "--propagation=private", "sh", text(&script)])
            .arg(ours.program())
            .args([&served, &repo, &scratch.path("stick")])
            .arg(&id)
            .env("GNUPGHOME", scratch.path("gpg")),
    );
    let Some((stdout, stderr)) = outcome else {
        return;
    };
    for line in [
        "Result 0: file:///mnt/stick/.ostree/repos.d/00-generated\n - Finder: OstreeRepoFinderMount\n",
        " - Keyring: origin.trustedkeys.gpg\n - Priority: 50\n",
        &format!("(org.example.Os, os/main) = {id}\n"),
        &format!("(org.example.Os, unsigned) = {unsigned}\n"),
        "2/2 refs were found.\n",
        "Pulled 1/1 refs successfully.\n",
    ] {
        assert!(stdout.contains(line), "{line:?}\n{stdout}");
    }
    assert!(stderr.contains("GPG verification enabled"), "{stderr}");
    assert_eq!(ours.repo(&repo).ok(["refs"]), "origin:os/main");
    ours.repo(&repo).ok(["fsck"]);
}

/// Arguments: program, served repository, repository, stick, commit. Ends with 77 where there are no mounts.
const STICK: &str = r#"set -eu
ostree=$1 served=$2 repo=$3 stick=$4 commit=$5
mount -t tmpfs none /mnt && mkdir /mnt/stick "$stick" && mount --bind "$stick" /mnt/stick || { echo "no mounts of its own" >&2; exit 77; }
command -v gpg >/dev/null || { echo "no gpg" >&2; exit 77; }
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key a@example.org rsa2048 sign never 2>/dev/null
key=$(gpg --list-keys --with-colons 2>/dev/null | awk -F: '/^fpr/{print $10; exit}')
gpg --export > "$GNUPGHOME/key.gpg"
"$ostree" --repo="$served" gpg-sign "$commit" "$key" >/dev/null
gpgconf --kill all
"$ostree" --repo="$served" create-usb --destination-repo=a/b /mnt/stick org.example.Os os/main org.example.Os unsigned
# Nobody answers at the configured address.
"$ostree" --repo="$repo" remote add --collection-id=org.example.Os --gpg-import="$GNUPGHOME/key.gpg" origin http://127.0.0.1:1/
"$ostree" --repo="$repo" find-remotes org.example.Os os/main org.example.Os unsigned
if "$ostree" --repo="$repo" find-remotes --pull org.example.Os unsigned; then exit 1; fi
"$ostree" --repo="$repo" find-remotes --finders=mount --pull org.example.Os os/main
"#;

/// Arguments: program, served repository, repository, home of gpg, commit. Ends with 77 where there are no namespaces.
const SCRIPT: &str = r#"set -eu
ostree=$1 served=$2 repo=$3 commit=$5
export GNUPGHOME=$4
ip link set lo up && ip route add 224.0.0.0/4 dev lo || { echo "no network of its own" >&2; exit 77; }
command -v gpg >/dev/null || { echo "no gpg" >&2; exit 77; }
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key a@example.org rsa2048 sign never 2>/dev/null
key=$(gpg --list-keys --with-colons 2>/dev/null | awk -F: '/^fpr/{print $10; exit}')
gpg --export > "$GNUPGHOME/key.gpg"
"$ostree" --repo="$served" gpg-sign "$commit" "$key" >/dev/null
"$ostree" --repo="$served" summary --update
gpgconf --kill all
# Nobody answers at the configured address.
"$ostree" --repo="$repo" remote add --collection-id=org.example.Os --gpg-import="$GNUPGHOME/key.gpg" origin http://127.0.0.1:1/
timeout 120 "$ostree" --repo="$served" serve --address=127.0.0.1:0 --advertise >/dev/null &
serving=$!
trap 'kill $serving' EXIT
tries=0
while :; do
    found=$("$ostree" --repo="$repo" find-remotes --finders=lan --pull org.example.Os os/main)
    case $found in *Pulled*) break ;; esac
    tries=$((tries + 1))
    test $tries -lt 15 || { echo "nothing was found: $found" >&2; exit 1; }
done
echo "$found"
"#;
