#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_selinux_labels::{Config, Labels, Sources};

// A policy's text, then a line that is the path to look up.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (policy, path) = text.rsplit_once('\n').unwrap_or((text, "/"));
    let _ = Config::parse(policy);
    let hidden: String = policy
        .lines()
        .map(|line| format!("(){}\n", line.trim_start()))
        .collect();
    for file_contexts in [policy, &hidden] {
        let sources = Sources {
            file_contexts,
            subs: policy,
            ..Sources::default()
        };
        if let Ok(labels) = Labels::parse(sources) {
            for mode in [0o100_644, 0o040_755, 0o120_777] {
                let _ = labels.of(path, mode);
            }
        }
    }
});
