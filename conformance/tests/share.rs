//! What is installed beside the programs: real shells complete with our files, real man programs read our pages.

use osier_conformance::{Scratch, commit, text};
use osier_testkit::skip;
use osier_testkit::tool::Tool;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn share() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../share")
}

/// What a shell prints, with our `ostree` first in PATH. `None`, said aloud, where there is no such shell.
fn shell(program: &str, args: &[&str]) -> Option<String> {
    let ours = Tool::ours();
    let mut path = OsString::from(ours.program().parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(args)
        // Files of the current folder are candidates too: there are none.
        .current_dir(home.path())
        .env("SHARE", share())
        .env("PATH", path)
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip::because(&format!("{program} is not installed"));
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{program} {args:?}: {stderr}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A repository with two refs, one remote and one ref of it.
fn repository(scratch: &Scratch) -> PathBuf {
    let tool = Tool::ours();
    let repo = scratch.init(&tool, "repo", "archive");
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    for branch in ["main", "maint/x", "origin:xyz"] {
        commit(&tool, &repo, branch, &tree, &["--orphan"]);
        let id = commit(&tool, &repo, "other", &tree, &[]);
        tool.repo(&repo)
            .ok(["refs", &id, &format!("--create={branch}"), "--force"]);
    }
    tool.repo(&repo).ok(["refs", "--delete", "other"]);
    tool.repo(&repo).ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "origin",
        "http://127.0.0.1/",
    ]);
    repo
}

/// Words of a line, then what they are completed to.
fn lines(repo: &Path) -> Vec<(Vec<String>, &'static str)> {
    let line = |words: &str, expected| {
        let words = words.replace("REPO", text(repo));
        (words.split(' ').map(str::to_owned).collect(), expected)
    };
    vec![
        line("ostree ch", "checkout checksum"),
        line("ostree remote show", "show-url"),
        line("ostree checkout --us", "--user-mode"),
        line("ostree --repo=REPO checkout ma", "main maint/x"),
        line("ostree --repo=REPO show or", "origin:xyz"),
        line("ostree commit --repo=REPO --branch ma", "main maint/x"),
        line("ostree --repo=REPO pull or", "origin"),
        line("ostree --repo=REPO pull origin mai", "main maint/x"),
        line("ostree --repo=REPO remote delete o", "origin"),
    ]
}

#[test]
fn bash_completes_commands_options_refs_and_remotes() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    let mut all = lines(&repo);
    // Without bash-completion's helpers, words come as readline split them.
    let split = |line: &str| {
        line.replace("REPO", text(&repo))
            .split(' ')
            .map(str::to_owned)
            .collect()
    };
    all.push((split("ostree --repo = REPO checkout ma"), "main maint/x"));
    all.push((
        split("ostree commit --repo = REPO --branch = mai"),
        "main maint/x",
    ));
    all.push((split("ostree --repo = REPO log origin : x"), "origin:xyz"));
    for (words, expected) in all {
        let script = r#"
            . "$SHARE"/completions/ostree.bash || exit 1
            COMP_WORDS=("$@") COMP_CWORD=$(( $# - 1 )) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
            $(complete -p ostree | sed -e 's/.*-F \([^ ]*\).*/\1/') ostree "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\n' "${COMPREPLY[@]}" | sort
        "#;
        let mut args = vec!["--norc", "-c", script, "bash"];
        args.extend(words.iter().map(String::as_str));
        let Some(found) = shell("bash", &args) else {
            return;
        };
        assert_eq!(
            found.lines().collect::<Vec<_>>().join(" "),
            expected,
            "{words:?}"
        );
    }
}

#[test]
fn fish_completes_commands_options_refs_and_remotes() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    for (words, expected) in lines(&repo) {
        let script = format!(
            "source $SHARE/completions/ostree.fish; complete -C '{}'",
            words.join(" ")
        );
        let Some(found) = shell("fish", &["--no-config", "-c", &script]) else {
            return;
        };
        let found: Vec<&str> = found
            .lines()
            .map(|l| l.split('\t').next().unwrap())
            .collect();
        // It does not count words, so that a remote's refs are offered beside remotes.
        let missing: Vec<&str> = expected
            .split(' ')
            .filter(|word| !found.contains(word))
            .collect();
        assert!(missing.is_empty(), "{words:?}: {found:?} lacks {missing:?}");
    }
}

#[test]
fn zsh_takes_the_file() {
    let script = "fpath=($SHARE/completions $fpath); autoload -Uz compinit; compinit -u -D; \
                  print -r -- $_comps[ostree]; autoload +X _ostree && print loaded";
    let Some(found) = shell("zsh", &["-f", "-c", script]) else {
        return;
    };
    assert_eq!(found, "_ostree\nloaded\n");
    shell("zsh", &["-n", text(&share().join("completions/_ostree"))]);
}

#[test]
fn man_pages_are_clean() {
    let mut pages = 0;
    for entry in fs::read_dir(share().join("man/man1")).unwrap() {
        let page = entry.unwrap().path();
        let page = text(&page);
        let Some(rendered) = shell("man", &["--warnings=all", "-E", "UTF-8", "-l", page]) else {
            return;
        };
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXIT STATUS",
            "SEE ALSO",
        ] {
            assert!(
                rendered.contains(&format!("\n{section}\n")),
                "{page} has no {section}"
            );
        }
        // That pages bear no date is on purpose: they would change with every build.
        let Ok(lint) = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning", page])
            .output()
        else {
            skip::because("mandoc is not installed");
            return;
        };
        let complaints = String::from_utf8_lossy(&lint.stdout).into_owned();
        let complaints: Vec<_> = complaints
            .lines()
            .filter(|line| !line.contains("missing date"))
            .collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        pages += 1;
    }
    assert!(pages > 40, "only {pages} pages");
}

#[test]
fn every_shown_command_has_a_page() {
    let help = Tool::ours().ok(["--help"]);
    let names: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Builtin Commands"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.contains(&"commit"), "{names:?}");
    for name in names {
        let page = share().join(format!("man/man1/ostree-{name}.1"));
        assert!(page.is_file(), "{}", page.display());
    }
}
