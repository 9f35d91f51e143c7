//! A step as a line for a shell, as far as a shell can say it.

use super::step::Step;

/// The line.
pub fn line(step: &Step) -> String {
    match step {
        Step::Run { args, stdin } => {
            let args: Vec<String> = args.iter().map(|arg| quote(arg)).collect();
            match stdin.is_empty() {
                true => format!("ostree {}", args.join(" ")),
                false => format!("printf %b {stdin:?} | ostree {}", args.join(" ")),
            }
        }
        Step::Plant { name, seed } => format!("# tree {name} of seed {seed}"),
        Step::Edit { name, seed } => format!("# edit {name} by seed {seed}"),
        Step::Write { name, text } => format!("printf %b {text:?} > {name}"),
        Step::Damage {
            repo,
            pick,
            kinds,
            how,
        } => format!("# damage {repo}: {how:?} object {pick} of kind {kinds:?}"),
        Step::DamageObject { repo, name, how } => {
            format!("# damage {repo}/objects/{name}: {how:?}")
        }
        Step::Remove(name) => format!("rm -rf {name}"),
    }
}

fn quote(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.:@^+,{}".contains(c);
    match !arg.is_empty() && arg.chars().all(plain) {
        true => arg.to_owned(),
        false => format!("'{}'", arg.replace('\'', "'\\''")),
    }
}
