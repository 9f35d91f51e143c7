//! One site, one client, one line after the other, with either tool; then everything is compared.
//!
//! Both tools run in the same folders, one after the other, so that URLs, paths and messages are equal byte for byte.

use osier_conformance::{Scratch, commit, pair, text};
use osier_testkit::httpd::{Rule, Server};
use osier_testkit::repo;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of the client's remotes, which lead to the same site.
pub const BOTH: [&str; 2] = ["http", "file"];

/// A remote, and a line that makes the site's summary or none: what is worth looking at together.
pub const SITES: [(&str, &str); 3] = [("http", ""), ("http", SUMMARIES[1]), ("file", SUMMARIES[1])];

/// Without a summary, and with one.
pub const SUMMARIES: [&str; 2] = ["", "site: summary -u"];

/// A site made by the C tool, to be copied for each run, and a server before it.
pub struct Ground {
    scratch: Scratch,
    pub server: Server,
    pub ours: Tool,
    pub c: Tool,
    /// Whether the C tool counts and asks as those of 2022 do.
    pub old: bool,
    /// Of `main`, the oldest first.
    pub commits: Vec<String>,
    /// What was found to differ.
    found: Vec<String>,
    cases: usize,
}

/// What one line gave.
struct Step {
    outcome: Outcome,
    asked: Vec<String>,
}

impl Ground {
    /// `main` with four commits a minute apart, `other` with one, and the same again as `deep/branch`.
    pub fn new() -> Option<Ground> {
        let (ours, c) = pair()?;
        let scratch = Scratch::new();
        let run = scratch.path("run");
        fs::create_dir(&run).unwrap();
        let site = scratch.init(&c, "template", "archive");
        let tree = Tree::create(scratch.path("tree")).unwrap();
        tree.dir("usr", 0o755).unwrap();
        tree.dir("usr/share", 0o755).unwrap();
        tree.dir("usr/bin", 0o755).unwrap();
        tree.dir("etc", 0o755).unwrap();
        tree.file("usr/share/same", "the same\n").unwrap();
        tree.symlink("usr/bin/link", "../share/same").unwrap();
        tree.file("etc/conf", "conf\n").unwrap();
        let mut commits = Vec::new();
        for n in 0..4 {
            tree.file("usr/version", format!("{n}\n")).unwrap();
            tree.file(
                &format!("usr/bin/tool{n}"),
                format!("tool {n}\n").repeat(500),
            )
            .unwrap();
            let time = format!("--timestamp=@{}", 1_700_000_000 + 60 * n);
            commits.push(commit(&c, &site, "main", tree.path(), &[&time]));
        }
        tree.file("etc/other", "other\n").unwrap();
        commit(&c, &site, "other", tree.path(), &[]);
        commit(
            &c,
            &site,
            "deep/branch",
            tree.path(),
            &["--timestamp=@1700001000"],
        );
        let version = c.ok(["--version"]);
        let year = version.split('\'').nth(1).and_then(|v| v.split('.').next());
        let old = year
            .and_then(|year| year.parse::<u32>().ok())
            .is_some_and(|year| year < 2026);
        Some(Ground {
            server: Server::serve(&run).unwrap(),
            scratch,
            ours,
            c,
            old,
            commits,
            found: Vec::new(),
            cases: 0,
        })
    }

    pub fn run_dir(&self) -> PathBuf {
        self.scratch.path("run")
    }

    /// Runs the lines with both tools on a client of that mode, and notes what differs.
    ///
    /// A line is a command of the tool under test on the client, or else:
    ///
    /// | it begins with | then |
    /// |---|---|
    /// | `site:`, `client:`, `cache:` | the C tool runs the rest on that repository; `cache` is made by the first such line |
    /// | `sh:` | a shell runs the rest in the folder that all is in |
    /// | `lose COMMIT TYPE` | that object of the site is deleted |
    /// | `set REMOTE KEY VALUE` | the client's configuration of a remote gets the key |
    ///
    /// `C0` to `C3` stand for the commits of `main`, `ROOT` for the folder that all is in, `URL` for the server. What stands
    /// before the first command of the tool is done once, for both.
    pub fn compare(&mut self, mode: &str, lines: &[&str]) {
        self.compare_with(mode, lines, &|| Vec::new());
    }

    /// The same with a server that fails.
    pub fn compare_with(&mut self, mode: &str, lines: &[&str], faults: &dyn Fn() -> Vec<Rule>) {
        self.cases += 1;
        let lines: Vec<&str> = lines.iter().copied().filter(|l| !l.is_empty()).collect();
        let first = lines.iter().position(|line| Aside::of(line).is_none());
        let (before, lines_run) = lines.split_at(first.unwrap_or(lines.len()));
        self.start_over(mode, before);
        let base = self.scratch.path("base");
        if base.exists() {
            fs::remove_dir_all(&base).unwrap();
        }
        copy(&self.run_dir(), &base);
        let [ours, theirs] = [self.ours.clone(), self.c.clone()].map(|tool| {
            fs::remove_dir_all(self.run_dir()).unwrap();
            copy(&base, &self.run_dir());
            self.server.clear_faults();
            for rule in faults() {
                self.server.fault(rule);
            }
            let steps: Vec<Step> = lines_run
                .iter()
                .filter_map(|line| self.step(&tool, mode, line))
                .collect();
            let kept = self.scratch.path(format!("{}-{}", self.cases, tool.name()));
            fs::rename(self.run_dir().join("client"), &kept).unwrap();
            (steps, kept)
        });
        let knows = |steps: &[Step]| {
            let mut errors = steps.iter().map(|step| &step.outcome.stderr);
            !errors.any(|text| text.contains("Unknown option"))
        };
        let lacking = knows(&ours.0) && !knows(&theirs.0);
        let mut text = String::new();
        let mut failed = false;
        for (our, their) in ours.0.iter().zip(&theirs.0) {
            // How far a pull that fails gets before it fails is nobody's promise.
            if !(failed && our.outcome.line.ends_with(" fsck")) {
                self.judge(our, their, &mut text);
            }
            failed |= our.outcome.code != 0;
        }
        let [our, their] = [&ours.1, &theirs.1].map(|path| repo::snapshot(path).unwrap());
        for line in our.differences(&their) {
            let of_no_use = line.contains("objects/") || line.contains("state");
            // It has the second in which it was written, and the `ETag` is made of times.
            let summary = line.starts_with("summary");
            if !(summary || failed && of_no_use) {
                writeln!(text, "  on disk: {line}").unwrap();
            }
        }
        let [our, their] = [&ours.1, &theirs.1].map(|path| {
            let signature = fs::read(path.join("summary.sig")).ok();
            let summary = path.join("summary");
            let summary = summary
                .exists()
                .then(|| repo::undated_summary(&summary).unwrap());
            (summary, signature)
        });
        if our != their {
            writeln!(text, "  on disk: the summary").unwrap();
        }
        let [our, their] =
            [&ours.1, &theirs.1].map(|path| names(&path.join("tmp/cache/summaries")));
        if our != their {
            writeln!(text, "  cached: {our:?} {their:?}").unwrap();
        }
        // An older C tool lacks some options.
        if !(text.is_empty() || self.old && lacking) {
            let lines = lines.join("\n    ");
            self.found.push(format!("{mode}\n    {lines}\n{text}"));
        }
        for kept in [ours.1, theirs.1] {
            fs::remove_dir_all(kept).unwrap();
        }
    }

    /// Runs the lines with ours only, where the C tool does something else.
    pub fn ours_alone(&self, mode: &str, lines: &[&str]) -> Vec<Outcome> {
        self.start_over(mode, &[]);
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .filter_map(|line| self.step(&self.ours, mode, line))
            .map(|step| step.outcome)
            .collect()
    }

    /// The site as it was made, a new client, and what is to be done before.
    fn start_over(&self, mode: &str, before: &[&str]) {
        fs::remove_dir_all(self.run_dir()).unwrap();
        fs::create_dir(self.run_dir()).unwrap();
        copy(&self.scratch.path("template"), &self.run_dir().join("site"));
        self.scratch.init(&self.c, "run/client", mode);
        let mut remotes = String::new();
        for (name, url) in [
            ("http", format!("{}/site", self.server.url())),
            (
                "file",
                format!("file://{}", text(&self.run_dir().join("site"))),
            ),
        ] {
            write!(
                remotes,
                "\n[remote \"{name}\"]\nurl={url}\ngpg-verify=false\n"
            )
            .unwrap();
        }
        append(&self.run_dir().join("client/config"), &remotes);
        for line in before {
            self.step(&self.c, mode, line);
        }
    }

    fn step(&self, tool: &Tool, mode: &str, line: &str) -> Option<Step> {
        let filled = self.fill(line);
        let run = self.run_dir();
        let Some(aside) = Aside::of(&filled) else {
            self.server.clear_log();
            let tool = tool.repo(run.join("client"));
            let outcome = tool.run(filled.split_whitespace());
            let mut asked = self.server.paths();
            asked.sort();
            return Some(Step { outcome, asked });
        };
        match aside {
            Aside::On(whom, words) => {
                let path = run.join(whom);
                if !path.exists() {
                    self.scratch.init(&self.c, &format!("run/{whom}"), mode);
                }
                self.c.repo(&path).ok(words.split_whitespace());
            }
            Aside::Shell(script) => {
                let status = Command::new("sh")
                    .args(["-ec", script])
                    .current_dir(&run)
                    .status()
                    .unwrap();
                assert!(status.success(), "{script}");
            }
            Aside::Lose(id, ty) => {
                let (first, rest) = id.split_at(2);
                fs::remove_file(run.join(format!("site/objects/{first}/{rest}.{ty}"))).unwrap();
            }
            Aside::Set(remote, key, value) => {
                let config = run.join("client/config");
                let head = format!("[remote \"{remote}\"]\n");
                let text = fs::read_to_string(&config).unwrap();
                let with = text.replace(&head, &format!("{head}{key}={value}\n"));
                assert_ne!(text, with);
                fs::write(config, with).unwrap();
            }
        }
        None
    }

    /// Words of a line that stand for something.
    fn fill(&self, line: &str) -> String {
        let mut line = line
            .replace("ROOT", text(&self.run_dir()))
            .replace("URL", &self.server.url());
        for (n, id) in self.commits.iter().enumerate() {
            line = line.replace(&format!("C{n}"), id);
        }
        line
    }

    fn judge(&self, our: &Step, their: &Step, text: &mut String) {
        let (ours, theirs) = (&our.outcome, &their.outcome);
        let [our_line, their_line] = [ours, theirs].map(|o| match self.old {
            true => counted_alike(&o.stdout),
            false => timeless(&o.stdout),
        });
        // While it takes a delta apart, an older one looks into the tree, and asks for what the delta is about to bring.
        let racing = self.old && theirs.stdout.contains(" delta parts, ");
        let differs_in_words = match racing {
            true => parts(&ours.stdout) != parts(&theirs.stdout),
            false => our_line != their_line,
        };
        let mut differs = ours.code != theirs.code || differs_in_words;
        // Ours may say more.
        differs |= !ours.stderr.contains(cause(&theirs.stderr));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        if theirs.code == 0 && !racing {
            first = only(&our.asked, &their.asked, self.old);
            second = only(&their.asked, &our.asked, self.old);
        }
        if differs || !first.is_empty() || !second.is_empty() {
            write!(text, "{ours}{theirs}").unwrap();
            for (who, paths) in [("ours", first), ("C", second)] {
                for path in paths {
                    writeln!(text, "  only {who} asked for {path}").unwrap();
                }
            }
        }
    }

    /// # Panics
    /// When anything differed.
    pub fn end(self) {
        assert!(
            self.found.is_empty(),
            "{} of {} differ\n{}",
            self.found.len(),
            self.cases,
            self.found.join("\n")
        );
    }
}

/// Not a command of the tool under test.
enum Aside<'a> {
    On(&'a str, &'a str),
    Shell(&'a str),
    Lose(&'a str, &'a str),
    Set(&'a str, &'a str, &'a str),
}

impl Aside<'_> {
    fn of(line: &str) -> Option<Aside<'_>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (line.split_once(": "), words.as_slice()) {
            (Some((whom @ ("site" | "client" | "cache"), rest)), _) => Some(Aside::On(whom, rest)),
            (Some(("sh", rest)), _) => Some(Aside::Shell(rest)),
            (_, ["lose", id, ty]) => Some(Aside::Lose(id, ty)),
            (_, ["set", remote, key, value]) => Some(Aside::Set(remote, key, value)),
            _ => None,
        }
    }
}

/// Requests of one that the other has not made as often; old tools ask for some things twice.
fn only(a: &[String], b: &[String], once: bool) -> Vec<String> {
    let mut rest = b.to_vec();
    let mut left = Vec::new();
    for path in a {
        match rest.iter().position(|other| other == path) {
            Some(_) if once => {}
            Some(at) => drop(rest.remove(at)),
            None => left.push(path.clone()),
        }
    }
    left
}

/// What the last line of an error says.
fn cause(stderr: &str) -> &str {
    let line = stderr.trim_end().lines().last().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    // In which step an object was refused, ours says in other words.
    line.strip_prefix("Writing content object: ")
        .unwrap_or(line)
}

fn append(path: &Path, text: &str) {
    let mut file = fs::File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The closing line without the seconds it took.
fn timeless(stdout: &str) -> String {
    match stdout.split_once(" transferred in ") {
        Some((before, after)) => {
            let after = after.split_once(' ').map_or("", |(_, after)| after);
            format!("{before} transferred in {after}")
        }
        None => stdout.to_owned(),
    }
}

/// Of a closing line, what an older C tool counts alike: to it a missing `.commitmeta` is a metadata object, and the
/// bytes of error pages count otherwise.
fn counted_alike(stdout: &str) -> String {
    let line = timeless(stdout);
    let line = match line.split_once(" metadata, ") {
        Some((_, rest)) => rest.to_owned(),
        None => line,
    };
    let parts: Vec<&str> = line
        .split("; ")
        .filter(|part| !part.contains(" transferred in "))
        .collect();
    parts.join("; ")
}

/// Of a closing line, how many parts of deltas came.
fn parts(stdout: &str) -> Option<&str> {
    stdout.split_once(" delta parts, ").map(|(parts, _)| parts)
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Copies a folder, times included: they are what a server calls `Last-Modified`.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}
