//! `core.payload-link-threshold`: equal contents share their blocks on file systems that can.

use osier_conformance::{Scratch, commit, ours_is_c, pair, root_or_skip, text};
use osier_testkit::tool::Tool;
use osier_testkit::{repo, skip, snapshot};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk of its own, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(scratch: &Scratch, kind: &str) -> Option<Disk> {
        let (image, place) = (scratch.path(format!("{kind}.img")), scratch.path(kind));
        fs::create_dir(&place).unwrap();
        fs::File::create(&image)
            .unwrap()
            .set_len(400 << 20)
            .unwrap();
        let quiet = |program: &str, args: &[&str]| {
            Command::new(program)
                .args(args)
                .output()
                .is_ok_and(|o| o.status.success())
        };
        if !quiet(&format!("mkfs.{kind}"), &["-q", text(&image)])
            || !quiet("mount", &["-o", "loop", text(&image), text(&place)])
        {
            skip::because(&format!("a {kind} image cannot be made and mounted here"));
            return None;
        }
        Some(Disk(place))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Payload links by name; the object that each leads to must have those bytes. Which of two equal files comes first
/// is nobody's business.
fn links(repo: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for name in repo::object_names(repo).unwrap() {
        let Some(stem) = name.strip_suffix(".payload-link") else {
            continue;
        };
        let link = repo.join("objects").join(&name);
        let target = fs::read_link(&link).unwrap();
        let object = link.parent().unwrap().join(&target);
        let sum = snapshot::sha256_file(&object).unwrap();
        assert_eq!(
            sum,
            stem.replace('/', "").replace("objects", ""),
            "{name} leads to other bytes"
        );
        found.insert(name, target.as_os_str().len());
    }
    found
}

/// Whether all blocks of a file are shared with another file.
fn shares_blocks(file: &Path) -> bool {
    let output = Command::new("filefrag")
        .arg("-v")
        .arg(file)
        .output()
        .expect("filefrag (e2fsprogs)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .any(|line| line.trim_start().starts_with("0:") && line.contains("shared"))
}

fn tree(place: &Path) -> PathBuf {
    let tree = place.join("tree");
    fs::create_dir(&tree).unwrap();
    for (name, size, mode) in [
        ("a", 200_000, 0o644),
        ("b", 200_000, 0o600),
        ("large", 9_000_000, 0o644),
        ("large-too", 9_000_000, 0o755),
        ("small", 999, 0o644),
        ("small-too", 999, 0o600),
        ("just", 1000, 0o644),
    ] {
        let bytes: Vec<u8> = (0..size as u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ size as u8)
            .collect();
        fs::write(tree.join(name), bytes).unwrap();
        fs::set_permissions(tree.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    tree
}

#[test]
fn equal_contents_share_blocks() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    for kind in ["btrfs", "xfs"] {
        let scratch = Scratch::new();
        let Some(disk) = Disk::mount(&scratch, kind) else {
            return;
        };
        c.repo(disk.0.join("seen")).ok(["init"]);
        let compare = disk.0.join("seen").is_dir();
        let tree = tree(&disk.0);
        for mode in ["bare", "bare-user", "bare-user-only", "archive"] {
            let made = |tool: &Tool, threshold: &str| {
                let path = disk.0.join(format!("{mode}-{}-{threshold}", tool.name()));
                ours.repo(&path).ok(["init", &format!("--mode={mode}")]);
                let config = fs::read_to_string(path.join("config")).unwrap();
                fs::write(
                    path.join("config"),
                    format!("{config}payload-link-threshold={threshold}\n"),
                )
                .unwrap();
                commit(tool, &path, "main", &tree, &[]);
                tool.repo(&path).ok(["fsck", "-q"]);
                path
            };
            for threshold in ["1000", "-1"] {
                let path = made(&ours, threshold);
                let found = links(&path);
                // The bytes of a and b, of the large ones, and of the one that is just long enough.
                let expected = if threshold == "1000" && mode.len() <= 9 && mode != "archive" {
                    3
                } else {
                    0
                };
                assert_eq!(
                    found.len(),
                    expected,
                    "{kind} {mode} {threshold}: {found:?}"
                );
                if compare {
                    let other = made(&c, threshold);
                    assert_eq!(found, links(&other), "{kind} {mode} {threshold}");
                    ours.repo(&other).ok(["fsck", "-q"]);
                    c.repo(&path).ok(["fsck", "-q"]);
                }
                let sharing = repo::object_names(&path)
                    .unwrap()
                    .iter()
                    .filter(|name| {
                        name.ends_with(".file") && shares_blocks(&path.join("objects").join(name))
                    })
                    .count();
                assert_eq!(
                    sharing >= 4,
                    expected > 0,
                    "{kind} {mode} {threshold}: {sharing} files share blocks"
                );
                // A copying checkout takes no room either.
                if mode != "archive" {
                    let copy = disk.0.join("copy");
                    ours.repo(&path).ok(["checkout", "-C", "main", text(&copy)]);
                    assert!(shares_blocks(&copy.join("large")), "{kind} {mode}");
                    fs::remove_dir_all(copy).unwrap();
                }
            }
        }
    }
}

#[test]
fn links_to_lost_or_damaged_objects_do_no_harm() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let tool = Tool::ours();
    let scratch = Scratch::new();
    let Some(disk) = Disk::mount(&scratch, "xfs") else {
        return;
    };
    for damage in [
        (|object: &Path| fs::remove_file(object).unwrap()) as fn(&Path),
        |object| fs::write(object, "damaged").unwrap(),
    ] {
        let path = disk.0.join("repo");
        let _ = fs::remove_dir_all(&path);
        let folder = disk.0.join("one");
        let _ = fs::remove_dir_all(&folder);
        tool.repo(&path).ok(["init", "--mode=bare"]);
        let config = fs::read_to_string(path.join("config")).unwrap();
        fs::write(
            path.join("config"),
            format!("{config}payload-link-threshold=10\n"),
        )
        .unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("file"), "content ".repeat(1000)).unwrap();
        commit(&tool, &path, "main", &folder, &[]);
        let (link, object) = {
            let link = path
                .join("objects")
                .join(links(&path).into_keys().next().unwrap());
            let object = link.parent().unwrap().join(fs::read_link(&link).unwrap());
            (link, object)
        };
        damage(&object);
        fs::set_permissions(folder.join("file"), fs::Permissions::from_mode(0o600)).unwrap();
        commit(&tool, &path, "other", &folder, &[]);
        let copy = disk.0.join("copy");
        tool.repo(&path)
            .ok(["checkout", "-C", "other", text(&copy)]);
        assert_eq!(
            fs::read_to_string(copy.join("file")).unwrap(),
            "content ".repeat(1000)
        );
        fs::remove_dir_all(copy).unwrap();
        assert!(link.symlink_metadata().is_ok());
    }
}
