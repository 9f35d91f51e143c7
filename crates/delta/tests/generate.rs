//! What a delta tells how, and that what it tells is true.

use osier_delta::apply::{ApplyOptions, apply_offline};
use osier_delta::generate::{GenerateOptions, Outcome, generate};
use osier_object::CommitId;
use osier_store::commit::{self, CommitOptions, Source};
use osier_store::fsck::{Lines, fsck};
use osier_store::parallel::Cancel;
use osier_store::static_deltas::DeltaName;
use osier_store::{CreateOptions, Repo, RepoMode, traverse};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

struct Site {
    dir: tempfile::TempDir,
    repo: Repo,
    from: CommitId,
    to: CommitId,
}

type Files<'a> = &'a [(&'a str, Vec<u8>)];

fn create(path: &Path, mode: RepoMode) -> Repo {
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    Repo::create(path, &options).unwrap()
}

fn write(repo: &Repo, tree: &Path, files: Files<'_>) -> CommitId {
    fs::create_dir(tree).unwrap();
    for (path, content) in files {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    commit_tree(repo, tree)
}

fn commit_tree(repo: &Repo, tree: &Path) -> CommitId {
    let tx = repo.begin(&Default::default()).unwrap();
    let sources = [Source::Dir(tree.to_owned())];
    let root = commit::build_tree(&tx, &sources, &Default::default()).unwrap();
    let id = commit::write(&tx, root, &CommitOptions::default()).unwrap();
    tx.commit().unwrap();
    id
}

impl Site {
    fn new(old: Files<'_>, new: Files<'_>) -> Site {
        let dir = tempfile::tempdir().unwrap();
        let repo = create(&dir.path().join("repo"), RepoMode::Archive);
        let from = write(&repo, &dir.path().join("old"), old);
        let to = write(&repo, &dir.path().join("new"), new);
        Site {
            dir,
            repo,
            from,
            to,
        }
    }

    /// Makes the delta as a file; gives its folder, too.
    fn make(&self, name: &str, options: &GenerateOptions) -> (Outcome, PathBuf) {
        let folder = self.dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        let delta = DeltaName {
            from: Some(self.from),
            to: self.to,
        };
        let options = GenerateOptions {
            filename: Some(folder.join("superblock")),
            ..options.clone()
        };
        let made = generate(&self.repo, &delta, &options, &(), &Cancel::default()).unwrap();
        (made, folder)
    }

    /// A client that has the old commit applies it; every object of the new one must be there then.
    fn apply(&self, folder: &Path) {
        let client = create(&folder.join("client"), RepoMode::BareUser);
        assert_eq!(
            commit_tree(&client, &self.dir.path().join("old")),
            self.from
        );
        let (options, cancel) = (ApplyOptions::default(), Cancel::default());
        apply_offline(&client, folder, &options, &cancel).unwrap();
        let node = traverse::load_node(&client, &self.to).unwrap().unwrap();
        // Each object was checked against its name when it was written.
        traverse::reachable(&client, &[node], &cancel).unwrap();
        let checked = fsck(&client, &Default::default(), &Lines::default(), &cancel).unwrap();
        checked.verdict().unwrap();
        assert_eq!(checked.commits, 2);
    }
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 32) as u8
        })
        .collect()
}

/// Every so many bytes one is other.
fn changed(data: &[u8], step: usize) -> Vec<u8> {
    let mut out = data.to_vec();
    out.iter_mut().step_by(step).for_each(|b| *b ^= 0x55);
    out
}

#[test]
fn each_file_is_told_the_best_way() {
    let (library, log, image) = (noise(1, 200_000), noise(2, 300_000), noise(3, 400_000));
    let gone = noise(4, 100_000);
    let appended = [&log[..], b"one line more\n"].concat();
    let site = Site::new(
        &[
            ("lib/libx.so.1.2", library.clone()),
            ("log", log.clone()),
            ("image", image),
            ("some/name", gone.clone()),
        ],
        &[
            ("lib/libx.so.1.13", changed(&library, 100)),
            ("log", appended),
            ("image", noise(5, 400_000)),
            ("quite/another", changed(&gone, 150)),
            ("fresh", b"hello".repeat(1000)),
        ],
    );
    let (made, folder) = site.make("delta", &GenerateOptions::default());
    assert_eq!(made.files, 5);
    // By their names, and one by what is in it.
    assert_eq!(made.modified, 4);
    assert_eq!((made.patched, made.copied), (3, 0));
    assert!(made.fallbacks.is_empty());
    // The image is nothing but new; of the rest there is little.
    let size: u64 = made.parts.iter().map(|part| part.size).sum();
    assert!(size > 400_000 && size < 420_000, "{size}");
    site.apply(&folder);
}

#[test]
fn a_file_too_large_to_patch_is_copied_in_pieces() {
    let old = noise(7, 3_000_000);
    let mut new = old.clone();
    new.splice(1_000_000..1_000_000, *b"inserted");
    new.truncate(2_500_000);
    let site = Site::new(&[("disk", old)], &[("disk", new)]);
    let options = GenerateOptions {
        max_bsdiff_size: 1_000_000,
        min_fallback_size: 1_000_000,
        ..Default::default()
    };
    let (made, folder) = site.make("delta", &options);
    assert_eq!((made.patched, made.copied), (0, 1));
    assert!(made.copied_bytes > 2_490_000, "{}", made.copied_bytes);
    assert!(made.fallbacks.is_empty());
    site.apply(&folder);

    // Without anything in common it is fetched by itself.
    let site = Site::new(
        &[("disk", noise(8, 1_500_000))],
        &[("disk", noise(9, 1_500_000))],
    );
    let (made, _) = site.make("delta", &options);
    assert_eq!((made.patched, made.copied), (0, 0));
    assert_eq!(made.fallbacks.len(), 1);
}

#[test]
fn threads_change_nothing_and_little_memory_does() {
    let files = |seed: u64| -> Vec<(String, Vec<u8>)> {
        (0..40)
            .map(|i| {
                let base = noise(i, 5_000 + 3_000 * i as usize);
                (format!("dir/{i}.ko"), changed(&base, 40 + seed as usize))
            })
            .chain([(format!("text-{seed}"), b"some words ".repeat(400_000))])
            .collect()
    };
    let (old, new) = (files(1), files(2));
    let view = |files: &[(String, Vec<u8>)]| -> Vec<(&'static str, Vec<u8>)> {
        let leak = |s: &String| -> &'static str { Box::leak(s.clone().into_boxed_str()) };
        files.iter().map(|(n, c)| (leak(n), c.clone())).collect()
    };
    let site = Site::new(&view(&old), &view(&new));
    let bytes = |folder: &Path| {
        let mut out: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect();
        out.sort();
        out
    };
    let make = |name: &str, threads: usize, max_memory: Option<u64>| {
        let options = GenerateOptions {
            threads: NonZero::new(threads),
            max_memory,
            max_chunk_size: 1_000_000,
            ..Default::default()
        };
        site.make(name, &options)
    };
    let (made, one) = make("one", 1, None);
    assert!(made.patched > 30 && made.parts.len() > 2);
    assert_eq!(bytes(&one), bytes(&make("two", 2, None).1));
    assert_eq!(bytes(&one), bytes(&make("seven", 7, None).1));
    let (_, little) = make("little", 2, Some(1 << 20));
    site.apply(&one);
    site.apply(&little);
}

#[test]
fn more_effort_makes_it_no_larger() {
    let text = |n: usize| -> Vec<u8> {
        (0..60_000)
            .flat_map(|i| format!("{} ", i * n % 9973).into_bytes())
            .collect()
    };
    let site = Site::new(
        &[("a/x.txt", text(7)), ("b/x.txt", text(11))],
        &[("c/x.txt", changed(&text(11), 200)), ("y", text(13))],
    );
    let size = |made: &Outcome| made.parts.iter().map(|part| part.size).sum::<u64>();
    let (usual, _) = site.make("usual", &GenerateOptions::default());
    let options = GenerateOptions {
        max_effort: true,
        ..Default::default()
    };
    let (most, folder) = site.make("most", &options);
    assert!(size(&most) <= size(&usual));
    site.apply(&folder);
}
