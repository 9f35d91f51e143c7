//! `--localcache-repo`: what another repository has is not fetched.

use super::ground::Ground;

#[test]
fn local_caches() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let whole = "cache: pull-local ROOT/site main";
    let old = "cache: pull-local ROOT/site C1";
    let commits = "cache: pull-local --commit-metadata-only ROOT/site main";
    let second = "sh: cp -a cache cache2; rm cache2/objects/*/*.dirtree";
    for remote in ["http", "file"] {
        for mode in ["bare-user", "archive", "bare-user-only"] {
            for (cache, options) in [
                (whole, ""),
                (old, ""),
                (old, "--depth=-1"),
                (whole, "--depth=1"),
                (whole, "--http-trusted"),
                (whole, "--untrusted"),
                (whole, "--mirror"),
                (whole, "--mirror --http-trusted"),
                (whole, "--bareuseronly-files"),
                (whole, "--subpath=/etc"),
                (whole, "--commit-metadata-only"),
                (commits, ""),
            ] {
                // What comes from a folder needs no cache.
                if remote == "file" && (mode != "bare-user" || options.contains("mirror")) {
                    continue;
                }
                let pull =
                    format!("pull --disable-static-deltas -L ROOT/cache {options} {remote} main");
                let then = format!(
                    "pull --disable-static-deltas --localcache-repo=ROOT/cache {remote} main"
                );
                ground.compare(mode, &[cache, &pull, &then, "fsck"]);
            }
        }
        let two = format!(
            "pull --disable-static-deltas -L ROOT/cache2 -L ROOT/cache {remote} main other"
        );
        ground.compare("bare-user", &[old, second, &two]);
        ground.compare(
            "bare-user",
            &[&format!("pull -L ROOT/nosuch {remote} main")],
        );
        // A cache that keeps its objects in another form.
        ground.compare(
            "bare-user",
            &[&format!(
                "pull --disable-static-deltas -L ROOT/site {remote} main"
            )],
        );
    }
    ground.end();
}
