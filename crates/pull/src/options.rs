//! How to pull.

use crate::Target;
use crate::fetch::Proxies;
use crate::verify::Trust;
use std::path::PathBuf;
use std::time::Duration;

/// How to pull. The default pulls the remote's configured branches, without their history.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// What to pull; nothing means the remote's `branches`, or, with [`PullOptions::mirror`], everything that the summary
    /// lists.
    pub targets: Vec<Target>,
    /// Write refs as the server has them, not as those of a remote.
    pub mirror: bool,
    /// The collection of the targets that name their commit: what others say of these is not asked for.
    pub collection: Option<String>,
    /// How many parents of each commit to pull too; −1 for all.
    pub depth: i64,
    /// Pull only what is at or below these absolute paths; the commit stays partial.
    pub subpaths: Vec<String>,
    /// Pull commits without their trees; they stay partial.
    pub commit_metadata_only: bool,
    /// Never use static deltas.
    pub disable_static_deltas: bool,
    /// Fail where there is no static delta.
    pub require_static_deltas: bool,
    /// Only find out what static deltas would bring: nothing is written.
    pub dry_run: bool,
    /// Refuse regular files with mode bits outside 0775.
    pub bareuseronly_files: bool,
    /// In an archive, mirroring: keep content objects as they come, unchecked.
    pub http_trusted: bool,
    /// Check objects from local repositories.
    pub untrusted: bool,
    /// In place of the remote's `url` and `contenturl`.
    pub url: Option<String>,
    /// Repositories to take missing objects from first.
    pub localcache_repos: Vec<PathBuf>,
    /// Refuse a commit that is older than what its ref names now.
    pub timestamp_check: bool,
    /// Refuse a commit that is older than this revision.
    pub timestamp_check_from_rev: Option<String>,
    /// Accept a commit that was not made for the ref it is pulled as.
    pub disable_verify_bindings: bool,
    /// A folder to keep summaries in, in place of the repository's own.
    pub cache_dir: Option<PathBuf>,
    /// Neither read nor keep summaries in a cache.
    pub skip_cache: bool,
    /// Fail where a cached summary is not valid, in place of fetching it anew: tests look what is left then.
    pub refuse_invalid_cache: bool,
    /// The remote that refs are written for; none writes them as the repository's own.
    pub ref_remote: Option<String>,
    /// Overrides the repository's configuration.
    pub fsync: Option<bool>,
    /// Overrides the repository's configuration: sync each file by itself.
    pub per_object_fsync: Option<bool>,
    /// Sent with every request, after those of the remote.
    pub http_headers: Vec<(String, String)>,
    /// Added to the user agent.
    pub append_user_agent: Option<String>,
    /// Further tries of a request after the first.
    pub network_retries: u32,
    /// Retry only what is always worth it.
    pub disable_retry_on_network_errors: bool,
    /// A transfer slower than this many bytes a second …
    pub low_speed_limit: u64,
    /// … for this long is given up. Zero in either: never.
    pub low_speed_time: Duration,
    /// Requests in flight at the same time; none for as many as turn out to be good.
    pub concurrency: Option<usize>,
    /// From the environment.
    pub proxies: Proxies,
    /// How often the progress sink hears.
    pub update_interval: Duration,
    /// Now, in seconds since the epoch.
    pub now: i64,
    /// Where keys are that every remote trusts.
    pub trust: Trust,
    /// Threads that unpack and write; none for one a core.
    pub workers: Option<usize>,
}

impl Default for PullOptions {
    fn default() -> PullOptions {
        PullOptions {
            targets: Vec::new(),
            mirror: false,
            collection: None,
            depth: 0,
            subpaths: Vec::new(),
            commit_metadata_only: false,
            disable_static_deltas: false,
            require_static_deltas: false,
            dry_run: false,
            bareuseronly_files: false,
            http_trusted: false,
            untrusted: false,
            url: None,
            localcache_repos: Vec::new(),
            timestamp_check: false,
            timestamp_check_from_rev: None,
            disable_verify_bindings: false,
            cache_dir: None,
            skip_cache: false,
            refuse_invalid_cache: false,
            ref_remote: None,
            fsync: None,
            per_object_fsync: None,
            http_headers: Vec::new(),
            append_user_agent: None,
            network_retries: 5,
            disable_retry_on_network_errors: false,
            low_speed_limit: 1000,
            low_speed_time: Duration::from_secs(30),
            concurrency: None,
            proxies: Proxies::default(),
            update_interval: Duration::from_millis(100),
            now: 0,
            trust: Trust::default(),
            workers: None,
        }
    }
}
