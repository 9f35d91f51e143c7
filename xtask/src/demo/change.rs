//! What the distribution changes from version 1 to version 2, and what the owner of the device does to its `/etc`.

use anyhow::{Context, Result, ensure};
use osier_testkit::tree::Tree;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

/// Where the demo's own configuration lies, below `/etc`.
pub const CONFIG: &str = "demo";

/// A configuration file through the demo; `None` where it does not exist.
pub struct Config {
    /// The name in `/etc/demo`.
    pub name: &'static str,
    /// The default that version 1 ships.
    pub shipped: Option<&'static str>,
    /// What the owner of the device makes of it.
    pub edited: Option<&'static str>,
    /// The default that version 2 ships.
    pub shipped_again: Option<&'static str>,
    /// What must be there after the upgrade.
    pub merged: Option<&'static str>,
    /// The same in words.
    pub why: &'static str,
}

/// One file for each rule of the merge.
pub const CONFIGS: [Config; 5] = [
    Config {
        name: "greeting.conf",
        shipped: Some("greeting = hello\n"),
        edited: Some("greeting = welcome aboard\n"),
        shipped_again: Some("greeting = good day\n"),
        merged: Some("greeting = welcome aboard\n"),
        why: "you changed it, version 2 too: yours stays",
    },
    Config {
        name: "mirror.conf",
        shipped: Some("mirror = one.example\n"),
        edited: Some("mirror = one.example\n"),
        shipped_again: Some("mirror = two.example\n"),
        merged: Some("mirror = two.example\n"),
        why: "you left it alone: the new default arrives",
    },
    Config {
        name: "telemetry.conf",
        shipped: Some("send = yes\n"),
        edited: None,
        shipped_again: Some("send = yes\n"),
        merged: None,
        why: "you deleted it: it stays deleted",
    },
    Config {
        name: "local.conf",
        shipped: None,
        edited: Some("site = here\n"),
        shipped_again: None,
        merged: Some("site = here\n"),
        why: "you added it: it is kept",
    },
    Config {
        name: "feature.conf",
        shipped: None,
        edited: None,
        shipped_again: Some("feature = on\n"),
        merged: Some("feature = on\n"),
        why: "new in version 2: it is added",
    },
];

/// Which files a version touched, relative to the tree.
pub struct Changes {
    /// Files with other content.
    pub changed: Vec<String>,
    /// Files that were not there before.
    pub added: Vec<String>,
    /// Files that are gone.
    pub removed: Vec<String>,
}

/// Puts version 1 of the demo's configuration into a tree.
pub fn first_version(tree: &Path) -> Result<()> {
    write_configs(tree, "usr/etc", |config| config.shipped)
}

/// Makes version 2 of the tree, in place.
pub fn second_version(tree: &Path) -> Result<Changes> {
    write_configs(tree, "usr/etc", |config| config.shipped_again)?;
    let files = candidates(&tree.join("usr"))?;
    // Spread over the tree, a tenth at most of a small one.
    let wanted = (files.len() / 10).clamp(1, 24);
    let chosen: Vec<String> = files
        .iter()
        .step_by((files.len() / (wanted * 3)).max(1))
        .filter(|path| is_text(&tree.join("usr").join(path)))
        .take(wanted)
        .map(|path| format!("usr/{path}"))
        .collect();
    ensure!(
        chosen.len() >= 2,
        "{} has too few text files to change",
        tree.display()
    );
    let (mut removed, mut changed) = (Vec::new(), Vec::new());
    for (at, path) in chosen.into_iter().enumerate() {
        if at % 6 == 0 {
            removed.push(path);
        } else {
            changed.push(path);
        }
    }
    for path in &changed {
        let full = tree.join(path);
        let mut file = OpenOptions::new()
            .append(true)
            .open(&full)
            .with_context(|| format!("changing {}", full.display()))?;
        file.write_all(b"\n# Changed in version 2.\n")?;
    }
    for path in &removed {
        fs::remove_file(tree.join(path)).with_context(|| format!("removing {path}"))?;
    }
    let mut added = Vec::new();
    for number in 1..=5 {
        let path = format!("usr/share/osier-demo/new-{number}.txt");
        Tree::existing(tree).file(
            &path,
            format!("File {number} of 5 that version 2 adds.\n").repeat(100 * number),
        )?;
        added.push(path);
    }
    Ok(Changes {
        changed,
        added,
        removed,
    })
}

/// Edits the `/etc` of a deployment as its owner would.
pub fn edit(deployment: &Path) -> Result<()> {
    write_configs(deployment, "etc", |config| config.edited)
}

fn write_configs(
    root: &Path,
    etc: &str,
    content: impl Fn(&Config) -> Option<&'static str>,
) -> Result<()> {
    let tree = Tree::existing(root);
    for config in &CONFIGS {
        let path = format!("{etc}/{CONFIG}/{}", config.name);
        let there = fs::symlink_metadata(tree.join(&path)).is_ok();
        match content(config) {
            Some(text) => {
                tree.file(&path, text)?;
            }
            None if there => {
                tree.remove(&path)?;
            }
            None => {}
        }
    }
    Ok(())
}

/// Whether a file starts like text.
fn is_text(path: &Path) -> bool {
    let mut head = Vec::new();
    fs::File::open(path).is_ok_and(|file| file.take(512).read_to_end(&mut head).is_ok())
        && !head.contains(&0)
}

/// Files of a moderate size that their writer may change, sorted, relative to `usr`. Configuration, kernels and the
/// file that names the system are left alone.
fn candidates(usr: &Path) -> Result<Vec<String>> {
    const AREAS: [&str; 4] = ["share", "lib", "lib64", "include"];
    const LEFT_ALONE: [&str; 3] = ["lib/modules", "lib/os-release", "share/osier-demo"];
    let mut found = Vec::new();
    let mut pending: Vec<String> = AREAS
        .iter()
        .filter(|area| fs::symlink_metadata(usr.join(area)).is_ok_and(|meta| meta.is_dir()))
        .map(|area| (*area).to_owned())
        .collect();
    while let Some(folder) = pending.pop() {
        let full = usr.join(&folder);
        for entry in fs::read_dir(&full).with_context(|| format!("reading {}", full.display()))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{folder}/{name}");
            let meta = entry.metadata()?;
            if LEFT_ALONE.contains(&path.as_str()) {
                continue;
            }
            if meta.is_dir() {
                pending.push(path);
            } else if meta.is_file()
                && (200..200_000).contains(&meta.len())
                && rustix::fs::access(entry.path(), rustix::fs::Access::WRITE_OK).is_ok()
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
