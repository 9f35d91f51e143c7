//! What is measured. `{tree}` is the tree, `{bare}` and `{archive}` are repositories that hold it as `bench`, `{checkout}`
//! is a hard-linked checkout of the first, `{tar}` is its export, `{out}` is what the operation makes.

/// What must be at `{out}` before a run.
#[derive(Clone, Copy)]
pub enum Output {
    /// Nothing.
    None,
    /// An empty repository of this mode.
    Repo(&'static str),
    /// A repository that pulls from a web server.
    Client(Client),
}

/// A repository with a remote `origin`.
#[derive(Clone, Copy)]
pub struct Client {
    /// Its mode.
    pub mode: &'static str,
    /// The repository that is served.
    pub from: Origin,
    /// Milliseconds that a proxy adds to each round trip.
    pub round_trip_ms: u64,
    /// It has `bench` already.
    pub filled: bool,
}

/// What can be served.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Origin {
    /// `{archive}`.
    Archive,
    /// `{small}`, an archive with many small files.
    Small,
}

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Operation {
    /// For `--only` and for the targets.
    pub key: &'static str,
    /// For people.
    pub name: &'static str,
    /// The arguments of `ostree`.
    pub args: &'static [&'static str],
    /// What is made ready for each run.
    pub output: Output,
    /// The repository and the revision that both programs must make equal.
    pub result: Option<[&'static str; 2]>,
    /// Which of the limits is the floor.
    pub limit: &'static str,
    /// How often one run calls the program: what is over in a moment is measured by the hundred.
    pub times: u32,
}

/// `sha256sum` of every file.
pub const HASH: &str = "sha256sum";
/// `cp -a` of the tree.
pub const COPY: &str = "cp -a";
/// A hard link for each file.
pub const LINK: &str = "ln farm";
/// No floor but the work itself.
pub const NONE: &str = "";

const SUBJECT: &str = "--subject=bench";
/// Fixed, so that the commits of both programs are the same.
const TIMESTAMP: &str = "--timestamp=2024-01-01 00:00:00 +0000";

/// The commit that the repositories hold, and one to compare it with.
pub const PREPARED: [[&str; 6]; 2] = [
    [
        "--repo={bare}",
        "commit",
        "--branch=bench",
        SUBJECT,
        TIMESTAMP,
        "{tree}",
    ],
    [
        "--repo={bare}",
        "commit",
        "--branch=bench-2",
        SUBJECT,
        TIMESTAMP,
        "{tree}",
    ],
];

/// Which is `bench` with one file in a hundred changed, in `{archive}` alone.
pub const NEXT: &str = "bench-next";

const fn pull_small(key: &'static str, name: &'static str, round_trip_ms: u64) -> Operation {
    Operation {
        key,
        name,
        args: &["--repo={out}", "pull", "origin", "bench"],
        output: Output::Client(Client {
            mode: "bare-user",
            from: Origin::Small,
            round_trip_ms,
            filled: false,
        }),
        result: Some(["{out}", "origin:bench"]),
        limit: NONE,
        times: 1,
    }
}

/// In the order of the table.
pub const OPERATIONS: [Operation; 23] = [
    Operation {
        key: "commit-archive",
        name: "commit to archive",
        args: &[
            "--repo={out}",
            "commit",
            "--branch=bench",
            SUBJECT,
            TIMESTAMP,
            "{tree}",
        ],
        output: Output::Repo("archive"),
        result: Some(["{out}", "bench"]),
        limit: HASH,
        times: 1,
    },
    Operation {
        key: "commit-tar",
        name: "commit tar to archive",
        args: &[
            "--repo={out}",
            "commit",
            "--branch=bench",
            SUBJECT,
            TIMESTAMP,
            "--tree=tar={tar}",
        ],
        output: Output::Repo("archive"),
        result: Some(["{out}", "bench"]),
        limit: HASH,
        times: 1,
    },
    Operation {
        key: "commit-bare",
        name: "commit to bare",
        args: &[
            "--repo={out}",
            "commit",
            "--branch=bench",
            SUBJECT,
            TIMESTAMP,
            "{tree}",
        ],
        output: Output::Repo("bare"),
        result: Some(["{out}", "bench"]),
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "commit-again",
        name: "commit unchanged tree",
        args: &[
            "--repo={bare}",
            "commit",
            "--orphan",
            SUBJECT,
            TIMESTAMP,
            "{tree}",
        ],
        output: Output::None,
        result: None,
        limit: HASH,
        times: 1,
    },
    Operation {
        key: "commit-devino",
        name: "commit unchanged checkout, devino cache",
        args: &[
            "--repo={bare}",
            "commit",
            "--orphan",
            "--link-checkout-speedup",
            SUBJECT,
            TIMESTAMP,
            "{checkout}",
        ],
        output: Output::None,
        result: None,
        limit: NONE,
        times: 1,
    },
    Operation {
        key: "checkout-hardlink",
        name: "checkout -H",
        args: &["--repo={bare}", "checkout", "-H", "bench", "{out}"],
        output: Output::None,
        result: None,
        limit: LINK,
        times: 1,
    },
    Operation {
        key: "checkout-copy",
        name: "checkout -C",
        args: &["--repo={bare}", "checkout", "-C", "bench", "{out}"],
        output: Output::None,
        result: None,
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "checkout-archive",
        name: "checkout from archive",
        args: &["--repo={archive}", "checkout", "bench", "{out}"],
        output: Output::None,
        result: None,
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "fsck-bare",
        name: "fsck bare",
        args: &["--repo={bare}", "fsck"],
        output: Output::None,
        result: None,
        limit: HASH,
        times: 1,
    },
    Operation {
        key: "fsck-archive",
        name: "fsck archive",
        args: &["--repo={archive}", "fsck"],
        output: Output::None,
        result: None,
        limit: HASH,
        times: 1,
    },
    Operation {
        key: "pull-local-user",
        name: "pull-local bare to bare-user",
        args: &["--repo={out}", "pull-local", "{bare}", "bench"],
        output: Output::Repo("bare-user"),
        result: Some(["{out}", "bench"]),
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "pull-local-bare",
        name: "pull-local bare to bare",
        args: &["--repo={out}", "pull-local", "{bare}", "bench"],
        output: Output::Repo("bare"),
        result: Some(["{out}", "bench"]),
        limit: LINK,
        times: 1,
    },
    Operation {
        key: "ls",
        name: "ls -R",
        args: &["--repo={bare}", "ls", "-R", "bench"],
        output: Output::None,
        result: None,
        limit: NONE,
        times: 1,
    },
    Operation {
        key: "diff",
        name: "diff, all folders changed",
        args: &["--repo={bare}", "diff", "bench", "bench-2"],
        output: Output::None,
        result: None,
        limit: NONE,
        times: 1,
    },
    Operation {
        key: "prune",
        name: "prune, nothing to delete",
        args: &["--repo={bare}", "prune", "--refs-only"],
        output: Output::None,
        result: None,
        limit: NONE,
        times: 1,
    },
    Operation {
        key: "export",
        name: "export to tar",
        args: &["--repo={bare}", "export", "--output={out}", "bench"],
        output: Output::None,
        result: None,
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "version",
        name: "--version, 100 times",
        args: &["--version"],
        output: Output::None,
        result: None,
        limit: NONE,
        times: 100,
    },
    Operation {
        key: "pull-http",
        name: "pull over HTTP",
        args: &["--repo={out}", "pull", "origin", "bench"],
        output: Output::Client(Client {
            mode: "bare-user",
            from: Origin::Archive,
            round_trip_ms: 0,
            filled: false,
        }),
        result: Some(["{out}", "origin:bench"]),
        limit: COPY,
        times: 1,
    },
    Operation {
        key: "pull-update",
        name: "pull, 1% of files changed",
        args: &["--repo={out}", "pull", "origin", NEXT],
        output: Output::Client(Client {
            mode: "bare-user",
            from: Origin::Archive,
            round_trip_ms: 0,
            filled: true,
        }),
        result: Some(["{out}", "origin:bench-next"]),
        limit: NONE,
        times: 1,
    },
    Operation {
        key: "pull-mirror",
        name: "pull --mirror into an archive",
        args: &["--repo={out}", "pull", "--mirror", "origin", "bench"],
        output: Output::Client(Client {
            mode: "archive",
            from: Origin::Archive,
            round_trip_ms: 0,
            filled: false,
        }),
        result: Some(["{out}", "bench"]),
        limit: COPY,
        times: 1,
    },
    pull_small("pull-small", "pull 10,000 small files", 0),
    pull_small("pull-small-50", "pull 10,000 small files, 50 ms away", 50),
    pull_small(
        "pull-small-100",
        "pull 10,000 small files, 100 ms away",
        100,
    ),
];
