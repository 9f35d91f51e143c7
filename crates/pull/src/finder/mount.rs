//! Repositories on media that people plug in.
//!
//! A medium comes from anywhere: what is found on it counts only as far as keys that are here verify it, and no link leads off
//! it.

use super::{Candidate, CollectionRef, Finder, elsewhere};
use crate::remote::{RemoteError, Remotes};
use osier_store::Repo;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where desktops and people mount media.
const PARENTS: [&str; 3] = ["/media", "/run/media", "/mnt"];

/// Links to repositories, in the order of their names.
const LINKS: &str = ".ostree/repos.d";

/// Where repositories are without a link.
const KNOWN: [&str; 3] = [".ostree/repo", "ostree/repo", "var/lib/flatpak/repo"];

/// More entries of a medium's `repos.d` are not looked at.
const MOST: usize = 256;

/// The media that are mounted on this machine; none where that cannot be found out.
pub(super) fn media() -> Vec<PathBuf> {
    match fs::read("/proc/self/mountinfo") {
        Ok(text) => media_of(&text),
        Err(cause) => {
            tracing::debug!("passing over mounted media: /proc/self/mountinfo: {cause}");
            Vec::new()
        }
    }
}

/// The mount points of media, without those that a later mount hides.
fn media_of(mountinfo: &[u8]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for line in mountinfo.split(|byte| *byte == b'\n') {
        let Some(point) = line.split(|byte| *byte == b' ').nth(4) else {
            continue;
        };
        let point = PathBuf::from(OsString::from_vec(unescape(point)));
        all.retain(|earlier| !earlier.starts_with(&point));
        if PARENTS
            .iter()
            .any(|parent| point.starts_with(parent) && point != Path::new(parent))
            || point == Path::new("/mnt")
        {
            all.push(point);
        }
    }
    all
}

/// Blanks and backslashes are written as three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = match (first, tail) {
            (b'\\', [a, b, c, ..]) => std::str::from_utf8(&[*a, *b, *c])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 8).ok()),
            _ => None,
        };
        match code {
            Some(byte) => {
                out.push(byte);
                rest = &tail[3..];
            }
            None => out.push(*first),
        }
    }
    out
}

/// The repositories on the media, once for each configured remote of a wanted collection: its keys verify what they have.
pub(super) fn candidates(
    local: &Repo,
    remotes: &Remotes,
    wanted: &[CollectionRef],
    media: &[PathBuf],
) -> Result<Vec<Candidate>, RemoteError> {
    let mut all = Vec::new();
    for medium in media {
        for path in repositories(medium, local) {
            let Some(url) = url_of(&path) else { continue };
            let collections = wanted.iter().map(|want| want.collection.as_str());
            all.extend(elsewhere(Finder::Mount, remotes, collections, &url)?);
        }
    }
    Ok(all)
}

/// The repositories on a medium, each once.
fn repositories(medium: &Path, local: &Repo) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Ok(entries) = fs::read_dir(medium.join(LINKS)) {
        paths.extend(
            entries
                .take(MOST)
                .filter_map(|entry| Some(entry.ok()?.path())),
        );
        paths.sort();
    }
    paths.extend(KNOWN.map(|known| medium.join(known)));
    let own = fs::metadata(local.path()).map(|meta| (meta.dev(), meta.ino()));
    let mut seen: Vec<(u64, u64)> = own.into_iter().collect();
    let mut found = Vec::new();
    for path in paths {
        match on_medium(medium, &path) {
            Ok((path, id)) if !seen.contains(&id) => {
                seen.push(id);
                found.push(path);
            }
            Ok(_) => {}
            Err(cause) => tracing::debug!("passing over {}: {cause}", path.display()),
        }
    }
    found
}

/// A folder on this medium, and on no other file system that is mounted below it.
fn on_medium(medium: &Path, path: &Path) -> Result<(PathBuf, (u64, u64)), String> {
    let failed = |e: std::io::Error| e.to_string();
    let medium = medium.canonicalize().map_err(failed)?;
    let real = path.canonicalize().map_err(failed)?;
    if !real.starts_with(&medium) {
        return Err("it leads off the medium".to_owned());
    }
    let (root, meta) = (
        fs::metadata(&medium).map_err(failed)?,
        fs::metadata(&real).map_err(failed)?,
    );
    if meta.dev() != root.dev() {
        return Err("another file system is mounted there".to_owned());
    }
    if !meta.is_dir() {
        return Err("it is no folder".to_owned());
    }
    Ok((path.to_owned(), (meta.dev(), meta.ino())))
}

/// A path as URL; none where it is not Unicode, as no URL of a configuration can be.
fn url_of(path: &Path) -> Option<String> {
    let url = reqwest::Url::from_file_path(path).ok()?;
    std::str::from_utf8(path.as_os_str().as_bytes()).ok()?;
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_keyfile::KeyFile;
    use osier_store::{CreateOptions, RepoMode};
    use std::os::unix::fs::symlink;

    #[test]
    fn media_are_what_people_plug_in() {
        let info = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            23 22 0:5 / /proc rw - proc proc rw\n\
            24 22 8:2 / /media/me/hidden rw - vfat /dev/sdb1 rw\n\
            25 22 8:3 / /media/me/hidden rw - vfat /dev/sdc1 rw\n\
            26 22 8:4 / /run/media/me/My\\040Stick\\134 rw shared:1 - vfat /dev/sdd1 rw\n\
            27 22 8:5 / /home rw - ext4 /dev/sda2 rw\n\
            28 22 8:6 / /mnt/below rw - ext4 /dev/sde1 rw\n\
            29 22 8:7 / /mnt rw - ext4 /dev/sdf1 rw\n\
            30 22 8:7 / /mediator/x rw - ext4 /dev/sdg1 rw\n\
            31 22 8:7 / /media rw\n";
        let found = media_of(info);
        // The last one hides those below `/media`, and is no medium itself.
        assert_eq!(
            found,
            [Path::new("/run/media/me/My Stick\\"), Path::new("/mnt")]
        );
        assert_eq!(
            media_of(&info[..info.len() - 20])[0],
            Path::new("/media/me/hidden")
        );
        assert!(media_of(b"\n\xff \\ \\9 \\400\n").is_empty());
    }

    #[test]
    fn repositories_are_found_in_order_and_nothing_leads_off_the_medium() {
        let dir = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(&path).unwrap();
            let options = CreateOptions {
                mode: RepoMode::Archive,
                collection_id: None,
            };
            Repo::create(&path, &options).unwrap()
        };
        let local = make("stick/repos/local");
        for path in [
            "stick/.ostree/repo",
            "stick/ostree/repo",
            "stick/repos/b",
            "off",
        ] {
            make(path);
        }
        let stick = dir.path().join("stick");
        let links = stick.join(LINKS);
        fs::create_dir_all(&links).unwrap();
        for (name, to) in [
            ("01-b", "../../repos/b"),
            ("00-first", "../../ostree/repo"),
            ("02-again", "../../repos/b"),
            ("03-off", "../../../off"),
            ("04-local", "../../repos/local"),
            ("05-dangling", "nowhere"),
        ] {
            symlink(to, links.join(name)).unwrap();
        }
        fs::write(links.join("06-file"), "").unwrap();
        let found = repositories(&stick, &local);
        let names: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(&stick).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                ".ostree/repos.d/00-first",
                ".ostree/repos.d/01-b",
                ".ostree/repo"
            ]
        );
        let file = "[remote \"r\"]\nurl=http://a\ncollection-id=org.example.Os\ngpg-verify=false\n";
        let remotes = Remotes::load(KeyFile::parse(file.as_bytes()).unwrap(), None, None).unwrap();
        let want = |collection: &str| CollectionRef {
            collection: collection.to_owned(),
            name: "main".to_owned(),
        };
        let media = [stick];
        let known = candidates(&local, &remotes, &[want("org.example.Os")], &media).unwrap();
        assert_eq!(known.len(), 3);
        assert!(known[0].url.starts_with("file:///") && known[0].url.ends_with("/00-first"));
        assert!(
            known[0].remote.gpg_verify().unwrap(),
            "whatever the remote says"
        );
        let none = candidates(&local, &remotes, &[want("org.example.Other")], &media).unwrap();
        assert!(none.is_empty());
    }
}
