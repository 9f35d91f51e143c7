//! Corners of the merge. The outcomes were first seen with the C tool.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::diff;
use crate::dir::Dir;

/// Old defaults, the user's files and new defaults, side by side.
struct Case {
    tmp: tempfile::TempDir,
}

impl Case {
    /// All three start the same: `motd`, `link -> motd`, `sub/s`.
    fn new() -> Case {
        let case = Case {
            tmp: tempfile::tempdir().unwrap(),
        };
        for top in [case.old(), case.user(), case.new_defaults()] {
            fs::create_dir_all(top.join("sub")).unwrap();
            fs::write(top.join("motd"), "motd\n").unwrap();
            fs::write(top.join("sub/s"), "s\n").unwrap();
            symlink("motd", top.join("link")).unwrap();
        }
        case
    }

    fn old(&self) -> PathBuf {
        self.tmp.path().join("old")
    }

    fn user(&self) -> PathBuf {
        self.tmp.path().join("user")
    }

    fn new_defaults(&self) -> PathBuf {
        self.tmp.path().join("new")
    }

    fn diff(&self) -> super::Changes {
        let open = |path: PathBuf| Dir::open_path(&path).unwrap();
        let mut changes = diff(&open(self.old()), &open(self.user())).unwrap();
        changes.modified.sort();
        changes.removed.sort();
        changes.added.sort();
        changes
    }

    fn merge(&self) -> Result<Vec<String>, String> {
        let open = |path: PathBuf| Dir::open_path(&path).unwrap();
        let changes = diff(&open(self.old()), &open(self.user())).unwrap();
        changes
            .apply(&open(self.user()), &open(self.new_defaults()))
            .map_err(|error| error.to_string())?;
        let mut list = Vec::new();
        listing(&self.new_defaults(), Path::new(""), &mut list);
        list.sort();
        Ok(list)
    }
}

fn listing(top: &Path, prefix: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(top.join(prefix)).unwrap() {
        let path = prefix.join(entry.unwrap().file_name());
        let meta = fs::symlink_metadata(top.join(&path)).unwrap();
        let shown = path.display();
        if meta.is_symlink() {
            out.push(format!(
                "{shown} -> {}",
                fs::read_link(top.join(&path)).unwrap().display()
            ));
        } else if meta.is_dir() {
            out.push(format!("{shown}/"));
            listing(top, &path, out);
        } else {
            out.push(format!(
                "{shown}={}",
                fs::read_to_string(top.join(&path)).unwrap().trim_end()
            ));
        }
    }
}

fn paths(list: &[&str]) -> Vec<PathBuf> {
    list.iter().map(PathBuf::from).collect()
}

#[test]
fn nothing_changed() {
    let case = Case::new();
    assert_eq!(case.diff(), super::Changes::default());
    fs::write(case.new_defaults().join("n"), "n\n").unwrap();
    assert_eq!(
        case.merge().unwrap(),
        ["link -> motd", "motd=motd", "n=n", "sub/", "sub/s=s"]
    );
}

#[test]
fn every_kind_of_change_is_seen() {
    let case = Case::new();
    let user = case.user();
    fs::write(user.join("motd"), "MOTD\n").unwrap();
    fs::remove_file(user.join("link")).unwrap();
    fs::create_dir_all(user.join("d/e")).unwrap();
    fs::write(user.join("d/e/f"), "f\n").unwrap();
    fs::set_permissions(user.join("sub"), fs::Permissions::from_mode(0o711)).unwrap();
    let changes = case.diff();
    assert_eq!(changes.modified, paths(&["motd", "sub"]));
    assert_eq!(changes.removed, paths(&["link"]));
    assert_eq!(changes.added, paths(&["d", "d/e", "d/e/f"]));
    assert_eq!(
        case.merge().unwrap(),
        ["d/", "d/e/", "d/e/f=f", "motd=MOTD", "sub/", "sub/s=s"]
    );
}

#[test]
fn files_keep_mode_and_times() {
    let case = Case::new();
    let file = case.user().join("sub/x");
    fs::write(&file, "x\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4610)).unwrap();
    fs::set_permissions(case.user().join("sub"), fs::Permissions::from_mode(0o700)).unwrap();
    let when = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000, 7);
    fs::File::open(&file).unwrap().set_modified(when).unwrap();
    case.merge().unwrap();
    let copied = fs::metadata(case.new_defaults().join("sub/x")).unwrap();
    assert_eq!(copied.mode() & 0o7777, 0o4610);
    assert_eq!(copied.modified().unwrap(), when);
    let parent = fs::metadata(case.new_defaults().join("sub")).unwrap();
    assert_eq!(parent.mode() & 0o7777, 0o700);
}

#[test]
fn a_changed_folder_alone_is_not_carried_over() {
    let case = Case::new();
    fs::set_permissions(case.user().join("sub"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(
        case.new_defaults().join("sub"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    case.merge().unwrap();
    let meta = fs::metadata(case.new_defaults().join("sub")).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o755);
}

#[test]
fn a_folder_gone_from_the_defaults_comes_back_when_changed() {
    let case = Case::new();
    fs::set_permissions(case.user().join("sub"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(case.user().join("sub/y"), "y\n").unwrap();
    fs::remove_dir_all(case.new_defaults().join("sub")).unwrap();
    assert_eq!(
        case.merge().unwrap(),
        ["link -> motd", "motd=motd", "sub/", "sub/s=s", "sub/y=y"]
    );
}

#[test]
fn an_added_file_makes_its_missing_parents() {
    let case = Case::new();
    for top in [case.old(), case.user()] {
        fs::create_dir_all(top.join("p/q")).unwrap();
    }
    fs::write(case.user().join("p/q/y"), "y\n").unwrap();
    let list = case.merge().unwrap();
    assert!(list.contains(&"p/q/y=y".to_owned()), "{list:?}");
}

#[test]
fn a_default_that_became_a_folder_cannot_be_merged() {
    let case = Case::new();
    fs::write(case.user().join("motd"), "mine\n").unwrap();
    fs::remove_file(case.new_defaults().join("motd")).unwrap();
    fs::create_dir(case.new_defaults().join("motd")).unwrap();
    assert_eq!(
        case.merge().unwrap_err(),
        "Modified config file newly defaults to directory 'motd', cannot merge"
    );
}

#[test]
fn removals_take_new_defaults_along() {
    let case = Case::new();
    fs::remove_dir_all(case.user().join("sub")).unwrap();
    fs::remove_file(case.user().join("motd")).unwrap();
    fs::write(case.new_defaults().join("sub/n"), "n\n").unwrap();
    fs::remove_file(case.new_defaults().join("motd")).unwrap();
    fs::create_dir_all(case.new_defaults().join("motd/x")).unwrap();
    assert_eq!(case.merge().unwrap(), ["link -> motd"]);
}

#[test]
fn types_the_user_changed() {
    let case = Case::new();
    fs::remove_file(case.user().join("motd")).unwrap();
    fs::create_dir_all(case.user().join("motd/a")).unwrap();
    fs::write(case.user().join("motd/a/b"), "b\n").unwrap();
    fs::remove_file(case.user().join("link")).unwrap();
    fs::write(case.user().join("link"), "file\n").unwrap();
    assert_eq!(case.diff().modified, paths(&["link", "motd"]));
    assert_eq!(
        case.merge().unwrap(),
        [
            "link=file",
            "motd/",
            "motd/a/",
            "motd/a/b=b",
            "sub/",
            "sub/s=s"
        ]
    );
}

#[test]
fn sockets_and_fifos_are_left_behind() {
    let case = Case::new();
    let fifo = |path: PathBuf| {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
    };
    fifo(case.user().join("f"));
    fs::remove_file(case.user().join("motd")).unwrap();
    fifo(case.user().join("motd"));
    assert_eq!(case.diff().added, paths(&["f"]));
    assert_eq!(case.merge().unwrap(), ["link -> motd", "sub/", "sub/s=s"]);
}

#[test]
fn a_user_folder_replaces_a_new_default_link() {
    let case = Case::new();
    fs::create_dir(case.user().join("n")).unwrap();
    fs::write(case.user().join("n/x"), "x\n").unwrap();
    symlink("sub", case.new_defaults().join("n")).unwrap();
    assert_eq!(
        case.merge().unwrap(),
        [
            "link -> motd",
            "motd=motd",
            "n/",
            "n/x=x",
            "sub/",
            "sub/s=s"
        ]
    );
}

#[test]
fn a_parent_that_became_a_link_is_followed_inside_only() {
    let case = Case::new();
    fs::write(case.user().join("sub/s"), "mine\n").unwrap();
    let sub = case.new_defaults().join("sub");
    fs::rename(&sub, case.new_defaults().join("other")).unwrap();
    symlink("other", &sub).unwrap();
    assert_eq!(
        case.merge().unwrap(),
        [
            "link -> motd",
            "motd=motd",
            "other/",
            "other/s=mine",
            "sub -> other"
        ]
    );

    let outside = case.tmp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for target in [outside.clone(), PathBuf::from("../outside")] {
        fs::remove_file(&sub).unwrap();
        symlink(target, &sub).unwrap();
        assert!(case.merge().unwrap_err().contains("leads out of /etc"));
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}

#[test]
fn a_removed_file_is_not_looked_for_outside() {
    let case = Case::new();
    fs::remove_file(case.user().join("sub/s")).unwrap();
    let outside = case.tmp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("s"), "precious").unwrap();
    fs::remove_dir_all(case.new_defaults().join("sub")).unwrap();
    symlink("../outside", case.new_defaults().join("sub")).unwrap();
    assert!(case.merge().is_err());
    assert!(outside.join("s").exists());
}
