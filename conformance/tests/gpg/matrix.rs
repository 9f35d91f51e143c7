//! Every combination of demands with everything a server may have signed: what is not proved moves no ref.

use super::Site;
use osier_conformance::{commit, ours_is_c, pair, text};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::path::{Path, PathBuf};

/// Who signed something, or must have: with GPG, with the sign API.
type Both = (bool, bool);

const EVERY: [Both; 4] = [(false, false), (true, false), (false, true), (true, true)];

/// What the server has of a summary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Summary {
    Missing,
    Signed(Both),
    /// By keys that nobody trusts.
    Strangers,
    /// The signatures alone.
    SignatureOnly,
}

const SUMMARIES: [Summary; 7] = [
    Summary::Missing,
    Summary::Signed((false, false)),
    Summary::Signed((true, false)),
    Summary::Signed((false, true)),
    Summary::Signed((true, true)),
    Summary::Strangers,
    Summary::SignatureOnly,
];

/// A server with one branch for each way of signing, and a client that has an older commit under all of them.
struct Matrix {
    site: Site,
    server: Server,
    old: String,
}

fn branch((gpg, sign): Both) -> String {
    format!("gpg-{gpg}-sign-{sign}")
}

impl Matrix {
    fn new(c: &Tool) -> Option<Matrix> {
        let site = Site::new(c)?;
        for name in ["alice", "bobby"] {
            site.home.old_key(name, "ed25519", "never");
        }
        let old = site.tip();
        for by in EVERY {
            site.tree.file("file", branch(by)).unwrap();
            let options = Self::options(&site, by, "alice", "good");
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            commit(c, &site.repo, &branch(by), site.tree.path(), &options);
        }
        site.home
            .export(&["alice"], &site.scratch.path("alice.gpg"), false);
        let server = Server::serve(&site.repo).unwrap();
        Some(Matrix { site, server, old })
    }

    fn options(site: &Site, (gpg, sign): Both, gpg_key: &str, sign_key: &str) -> Vec<String> {
        let mut options = vec!["--sign-type=dummy".to_owned()];
        if gpg {
            options.push(format!("--gpg-sign={}", site.home.fingerprint(gpg_key)));
            options.push(format!("--gpg-homedir={}", site.home.path()));
        }
        if sign {
            options.push(format!("--sign={sign_key}"));
        }
        options
    }

    /// Makes the server's summary what it is to be.
    fn publish(&self, c: &Tool, summary: Summary) {
        let (by, gpg_key, sign_key) = match summary {
            Summary::Signed(by) => (by, "alice", "good"),
            Summary::Strangers => ((true, true), "bobby", "bad"),
            Summary::Missing | Summary::SignatureOnly => ((true, true), "alice", "good"),
        };
        let mut args = vec!["summary".to_owned(), "--update".to_owned()];
        args.extend(Self::options(&self.site, by, gpg_key, sign_key));
        c.repo(&self.site.repo).ok(&args);
        let remove = |name: &str| fs::remove_file(self.site.repo.join(name)).unwrap();
        if matches!(summary, Summary::Missing | Summary::SignatureOnly) {
            remove("summary");
        }
        if summary == Summary::Missing {
            remove("summary.sig");
        }
    }

    /// A repository of `tool` that has pulled the older commit.
    fn client(&self, tool: &Tool) -> (Tool, PathBuf, String) {
        let repo = self.site.scratch.init(tool, tool.name(), "archive");
        let config = fs::read_to_string(repo.join("config")).unwrap();
        let client = tool.repo(&repo);
        client.ok(["pull-local", text(&self.site.repo), &self.old]);
        let keyring = self.site.scratch.path("alice.gpg");
        fs::copy(keyring, repo.join("o.trustedkeys.gpg")).unwrap();
        fs::create_dir_all(repo.join("refs/remotes/o")).unwrap();
        (client, repo, config)
    }

    /// Pulls the branch that was signed like that, and tells whether the ref has moved.
    fn pull(
        &self,
        (client, repo, config): &(Tool, PathBuf, String),
        commits: Both,
        summaries: Both,
        signed: Both,
    ) -> (bool, Outcome) {
        let url = self.server.url();
        let sign = |demanded: bool| if demanded { "dummy" } else { "false" };
        let keys = format!(
            "[remote \"o\"]\nurl={url}\nverification-dummy-key=good\ngpg-verify={}\nsign-verify={}\n\
             gpg-verify-summary={}\nsign-verify-summary={}\n",
            commits.0,
            sign(commits.1),
            summaries.0,
            sign(summaries.1)
        );
        fs::write(repo.join("config"), format!("{config}{keys}")).unwrap();
        let file = repo.join("refs/remotes/o").join(branch(signed));
        fs::write(&file, format!("{}\n", self.old)).unwrap();
        let outcome = client.run(["pull", "o", &branch(signed)]);
        (moved(&file, &self.old), outcome)
    }
}

fn moved(file: &Path, old: &str) -> bool {
    fs::read_to_string(file).unwrap().trim() != old
}

/// What is demanded is there.
fn met(demanded: Both, there: Both) -> bool {
    (!demanded.0 || there.0) && (!demanded.1 || there.1)
}

#[test]
fn what_is_not_proved_moves_no_ref() {
    let Some((ours, c)) = pair() else { return };
    let [ours, c] = [ours, c].map(|tool| {
        tool.env("OSTREE_DUMMY_SIGN_ENABLED", "1")
            .env("OSTREE_SKIP_CACHE", "1")
    });
    let Some(matrix) = Matrix::new(&c) else {
        return;
    };
    let [our_client, c_client] = [&ours, &c].map(|tool| matrix.client(tool));
    for summary in SUMMARIES {
        matrix.publish(&c, summary);
        let summary_by = match summary {
            Summary::Signed(by) => by,
            _ => (false, false),
        };
        for summaries in EVERY {
            for commits in EVERY {
                for signed in EVERY {
                    let case = format!(
                        "{summary:?}, summary needs {summaries:?}, commit needs {commits:?} and has {signed:?}"
                    );
                    let proved = met(summaries, summary_by) && met(commits, signed);
                    let (moved, outcome) = matrix.pull(&our_client, commits, summaries, signed);
                    // The C tool takes a summary that is missing for one that is proved by its signature alone.
                    let hole = summary == Summary::SignatureOnly && summaries == (false, true);
                    if !(hole && ours_is_c()) {
                        assert_eq!(moved, proved, "{case}\n{outcome}");
                        assert_eq!(outcome.code == 0, moved, "{case}\n{outcome}");
                    }
                    // Along two edges and the diagonal it is asked, too.
                    let asked = summaries == commits || signed == (true, true);
                    if asked && !hole {
                        let (moved, outcome) = matrix.pull(&c_client, commits, summaries, signed);
                        assert_eq!(moved, proved, "the C tool: {case}\n{outcome}");
                    }
                }
            }
        }
    }
    for (client, ..) in [our_client, c_client] {
        client.ok(["fsck"]);
    }
}
