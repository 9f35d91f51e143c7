//! Completions of bash, zsh and fish: clap's, and refs and remotes asked of the repository where a shell lets us.

use crate::definition::{self, Asked};
use clap_complete::Shell;
use osier_cli::dispatch;
use osier_cli::table::{Entry, Kind};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Adds the three files, under the names by which distributions install them.
pub fn add(files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let root = definition::tree(dispatch::root(), true);
    let mut file =
        |name: &str, text: Vec<u8>| files.insert(PathBuf::from("completions").join(name), text);
    // clap lists the names of positional words among bash's candidates, where nobody can use them.
    let mut bash = generated(Shell::Bash, definition::tree(dispatch::root(), false));
    bash.extend_from_slice(asking_bash().as_bytes());
    file("ostree.bash", bash);
    file("_ostree", generated(Shell::Zsh, root.clone()));
    let mut fish = generated(Shell::Fish, root);
    fish.extend_from_slice(asking_fish().as_bytes());
    file("ostree.fish", fish);
}

fn generated(shell: Shell, mut command: clap::Command) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "ostree", &mut text);
    text
}

/// Which words and option values of each command are asked for.
struct Questions {
    path: Vec<&'static str>,
    /// What each positional word is, and whether the last goes on.
    words: Vec<Option<Asked>>,
    repeats: bool,
    options: Vec<(String, Asked)>,
}

fn questions() -> Vec<Questions> {
    let mut all = Vec::new();
    collect(dispatch::root(), &mut vec![], &mut all);
    all
}

fn collect(entry: &'static Entry, above: &mut Vec<&'static str>, all: &mut Vec<Questions>) {
    above.push(entry.name);
    let usage = match &entry.kind {
        Kind::Command(command) => command.positionals,
        Kind::Group(_) => "",
    };
    let (names, repeats) = definition::positionals(usage);
    let words: Vec<_> = names
        .iter()
        .map(|name| definition::asked(name, above))
        .collect();
    let mut options = Vec::new();
    for arg in dispatch::parser(entry)
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
    {
        let name = arg.get_value_names().and_then(|names| names.first());
        let takes = arg.get_action().takes_values();
        if let Some(asked) = name
            .filter(|_| takes)
            .and_then(|name| definition::asked(name, above))
        {
            options.extend(arg.get_long().map(|long| (format!("--{long}"), asked)));
            options.extend(arg.get_short().map(|short| (format!("-{short}"), asked)));
        }
    }
    if words.iter().any(Option::is_some) || !options.is_empty() {
        all.push(Questions {
            path: above.clone(),
            words,
            repeats,
            options,
        });
    }
    for below in definition::shown(entry) {
        collect(below, above, all);
    }
    above.pop();
}

fn list(asked: Asked) -> &'static str {
    match asked {
        Asked::Ref => "refs",
        Asked::Remote => "remotes",
    }
}

/// The part of the bash file that asks.
fn asking_bash() -> String {
    let mut options = String::new();
    let mut words = String::new();
    for question in questions() {
        let path = question.path[1..].join(" ");
        for (option, asked) in &question.options {
            let _ = writeln!(
                options,
                "        \"{path} {option}\") echo {};;",
                list(*asked)
            );
        }
        for (at, asked) in question.words.iter().enumerate() {
            let Some(asked) = asked else { continue };
            let last = question.repeats && at + 1 == question.words.len();
            let count = if last {
                "*".to_owned()
            } else {
                (at + 1).to_string()
            };
            let _ = writeln!(words, "        \"{path} {count}\") echo {};;", list(*asked));
        }
    }
    let mut commands = Vec::new();
    paths(dispatch::root(), "", &mut commands);
    BASH.replace("@OPTIONS@", options.trim_end())
        .replace("@WORDS@", words.trim_end())
        .replace("@COMMANDS@", &commands.join(" "))
}

/// Each command by the names that lead to it, joined by slashes.
fn paths(entry: &'static Entry, above: &str, found: &mut Vec<String>) {
    for below in definition::shown(entry) {
        let path = if above.is_empty() {
            below.name.to_owned()
        } else {
            format!("{above}/{}", below.name)
        };
        paths(below, &path, found);
        found.push(path);
    }
}

const BASH: &str = r#"
# What a word stands for: "COMMAND OPTION" or "COMMAND NUMBER-OF-WORD".
_ostree_kind() {
    case "$1" in
@OPTIONS@
@WORDS@
    esac
}

# Refs and remotes are asked of the repository that the command line names, before what the definition offers.
_ostree_asking() {
    local cur prev words cword word path="" count=0 at=1 kind="" repo=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur prev words cword
    else
        # Readline splits at = and :, which belong to the words.
        words=() cword=0
        local joined=""
        for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
            if [[ $word == [=:] && ${#words[@]} != 0 ]]; then
                words[${#words[@]}-1]+=$word joined=yes
            elif [[ -n $joined ]]; then
                words[${#words[@]}-1]+=$word joined=""
            else
                words+=("$word")
            fi
        done
        cword=$(( ${#words[@]} - 1 )) cur=${words[${#words[@]}-1]} prev=${words[cword > 0 ? cword - 1 : 0]}
    fi
    local commands=" @COMMANDS@ "
    while (( at < cword )); do
        word=${words[at]}
        case "$word" in
            --repo=*) repo=("$word");;
            --repo) repo=("--repo=${words[at+1]}"); (( at++ ));;
            -*) ;;
            *)
                if [[ $count == 0 && $commands == *" ${path:+$path/}$word "* ]]; then
                    path=${path:+$path/}$word
                else
                    (( count++ ))
                fi;;
        esac
        (( at++ ))
    done
    path=${path//\// }
    if [[ $cur == --*=* ]]; then
        kind=$(_ostree_kind "$path ${cur%%=*}")
        cur=${cur#*=}
    elif [[ $cur != -* ]]; then
        kind=$(_ostree_kind "$path $prev")
        if [[ -z $kind ]]; then
            kind=$(_ostree_kind "$path $(( count + 1 ))")
            [[ -n $kind ]] || kind=$(_ostree_kind "$path *")
        fi
    fi
    case "$kind" in
        refs) COMPREPLY=($(compgen -W "$(ostree "${repo[@]}" refs 2>/dev/null)" -- "$cur"));;
        remotes) COMPREPLY=($(compgen -W "$(ostree "${repo[@]}" remote list 2>/dev/null)" -- "$cur"));;
        *) _ostree "$@"; return;;
    esac
    # Readline takes a colon for the end of a word.
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
    if [[ ${#COMPREPLY[@]} == 0 && $cur == "" ]]; then
        _ostree "$@"
    fi
}

complete -F _ostree_asking -o bashdefault -o default ostree
"#;

/// The part of the fish file that asks.
fn asking_fish() -> String {
    let mut text = FISH.to_owned();
    for question in questions() {
        let seen: String = question.path[1..]
            .iter()
            .map(|name| format!("__fish_seen_subcommand_from {name}"))
            .collect::<Vec<_>>()
            .join("; and ");
        // fish does not count words: whatever one of them can be is offered for each.
        for asked in [Asked::Ref, Asked::Remote] {
            if question.words.contains(&Some(asked)) {
                let _ = writeln!(
                    text,
                    "complete -c ostree -n \"{seen}\" -a '(__fish_ostree_{})'",
                    list(asked)
                );
            }
        }
        for (option, asked) in &question.options {
            let flag = match option.strip_prefix("--") {
                Some(long) => format!("-l {long}"),
                None => format!("-s {}", option.trim_start_matches('-')),
            };
            let _ = writeln!(
                text,
                "complete -c ostree -n \"{seen}\" {flag} -x -a '(__fish_ostree_{})'",
                list(*asked)
            );
        }
    }
    text
}

const FISH: &str = r#"
# Refs and remotes are asked of the repository that the command line names.
function __fish_ostree_repo
    string match -r -- '^--repo=.+' (commandline -opc)
end

function __fish_ostree_refs
    ostree (__fish_ostree_repo) refs 2>/dev/null
end

function __fish_ostree_remotes
    ostree (__fish_ostree_repo) remote list 2>/dev/null
end

"#;
