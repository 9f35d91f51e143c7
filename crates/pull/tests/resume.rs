//! Connections that break in the middle of files: what had arrived is not fetched again, within a pull and from one pull
//! to the next, and nothing that does not fit is ever stored.

mod common;

use common::{Site, options};
use osier_delta::format::compression;
use osier_delta::format::ops::Op;
use osier_delta::format::part::Dictionaries;
use osier_delta::format::superblock::{Endianness, NewSuperblock, PartHeader};
use osier_object::{Commit, CommitId, Dirmeta, Dirtree, FileHeader, ObjectType};
use osier_pull::{Error, PullOptions};
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo, RepoMode, TransactionOptions};
use osier_testkit::httpd::{Action, Rule};
use osier_testkit::random::Random;
use std::path::PathBuf;

const FILES: u64 = 6;
const SIZE: usize = 6 << 20;

fn header() -> FileHeader {
    FileHeader {
        uid: 0,
        gid: 0,
        mode: 0o100_644,
        symlink_target: None,
        xattrs: Default::default(),
    }
}

/// A branch `large` of files that do not compress.
fn large(site: &Site) -> CommitId {
    files(site, FILES)
}

fn files(site: &Site, number: u64) -> CommitId {
    let tx = site.source.begin(&TransactionOptions::default()).unwrap();
    let header = header();
    let mut tree = Dirtree::default();
    for number in 0..number {
        let mut content = vec![0; SIZE];
        Random::new(100 + number).fill(&mut content);
        let id = tx.write_content_bytes(None, &header, &content).unwrap();
        tree.files.push((format!("file{number}").into(), id));
    }
    let root = tx.write_dirtree(&tree).unwrap();
    let meta = tx
        .write_dirmeta(&Dirmeta {
            uid: 0,
            gid: 0,
            mode: 0o40_755,
            xattrs: Default::default(),
        })
        .unwrap();
    let id = tx.write_commit(&Commit::new(root, meta, 1)).unwrap();
    tx.set_refspec("large", Some(id)).unwrap();
    tx.commit().unwrap();
    id
}

/// Bytes of all objects of a commit, as they are served.
fn served_bytes(site: &Site, commit: &CommitId) -> u64 {
    site.objects(commit)
        .iter()
        .map(|name| site.object_file(name).metadata().unwrap().len())
        .sum()
}

fn large_options(retries: u32) -> PullOptions {
    PullOptions {
        network_retries: retries,
        ..options("large")
    }
}

/// The next `number` answers with content are cut at random places.
fn cut_at_random(site: &Site, seed: u64, number: usize) {
    let mut random = Random::new(seed);
    for _ in 0..number {
        let at = random.below(SIZE as u64) as usize;
        site.server
            .fault(Rule::ending(".filez").once(Action::Cut(at)));
    }
}

fn assert_whole(site: &Site, dest: &Repo, commit: &CommitId) {
    for name in site.objects(commit) {
        assert!(dest.has_object(&name).unwrap(), "{name}");
    }
    for (_, id) in &dest
        .load_dirtree(&dest.load_commit(commit).unwrap().root_dirtree)
        .unwrap()
        .files
    {
        let content = dest.open_content(id).unwrap();
        let header = content.header.clone();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut content.into_reader(), &mut bytes).unwrap();
        let mut hashed = header.hash_framing();
        hashed.extend(bytes);
        assert_eq!(osier_object::hash(&hashed), id.0);
    }
    assert_eq!(left(dest), Vec::<PathBuf>::new());
}

/// What is kept for later pulls.
fn left(dest: &Repo) -> Vec<PathBuf> {
    std::fs::read_dir(dest.path().join("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("osier-part-"))
        .collect()
}

/// Of the bytes that had to be served, fewer than one in a hundred was served again.
fn assert_little_waste(site: &Site, commit: &CommitId) {
    let (served, needed) = (site.server.bytes_sent(), served_bytes(site, commit));
    assert!(served >= needed, "{served} of {needed}");
    assert!(
        (served - needed) * 100 < needed,
        "{} bytes of {needed} were served again",
        served - needed
    );
}

#[test]
fn a_pull_goes_on_where_connections_broke() {
    for mode in [RepoMode::BareUser, RepoMode::Archive] {
        let site = Site::new();
        let commit = large(&site);
        let dest = site.dest("dest", mode);
        cut_at_random(&site, 1, 30);
        site.pull(&dest, &large_options(30)).unwrap();
        assert_little_waste(&site, &commit);
        assert_whole(&site, &dest, &commit);
    }
}

#[test]
fn the_next_pull_goes_on_where_one_ended() {
    let site = Site::new();
    let commit = large(&site);
    let dest = site.dest("dest", RepoMode::BareUser);
    cut_at_random(&site, 2, 30);
    let mut failures = 0;
    while let Err(error) = site.pull(&dest, &large_options(0)) {
        assert!(matches!(error, Error::Fetch(_)), "{error}");
        failures += 1;
        assert!(failures < 40);
    }
    assert!(failures > 0);
    assert_little_waste(&site, &commit);
    assert_whole(&site, &dest, &commit);
}

/// An archive keeps large objects as they were served, too.
#[test]
fn an_archive_keeps_the_compressed_bytes() {
    let site = Site::new();
    let commit = large(&site);
    // Compressed less than ours would be: the level is not ours.
    let path = site.source.path().join(one_file(&site, &commit));
    let dest = site.dest("dest", RepoMode::Archive);
    let mut served = std::fs::read(&path).unwrap();
    let header = 8 + u32::from_be_bytes([served[0], served[1], served[2], served[3]]) as usize;
    let mut content = Vec::new();
    let mut inflate = flate2::read::DeflateDecoder::new(&served[header..]);
    std::io::Read::read_to_end(&mut inflate, &mut content).unwrap();
    served.truncate(header);
    let mut deflate = flate2::write::DeflateEncoder::new(served, flate2::Compression::none());
    std::io::Write::write_all(&mut deflate, &content).unwrap();
    let mut served = deflate.finish().unwrap();
    let whole = served.clone();
    // What follows its end is nobody's.
    served.extend_from_slice(b"junk");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &served).unwrap();
    site.pull(&dest, &large_options(0)).unwrap();
    assert_whole(&site, &dest, &commit);
    let kept = std::fs::read(dest.path().join(one_file(&site, &commit))).unwrap();
    assert!(kept == whole);
}

/// One file of the branch, as a path below the server.
fn one_file(site: &Site, commit: &CommitId) -> String {
    let tree = site
        .source
        .load_dirtree(&site.source.load_commit(commit).unwrap().root_dirtree)
        .unwrap();
    format!("objects/{}", tree.files[0].1.object_name().loose_path(true))
}

/// Pulls with one file cut in its middle, for good; `change` what is there, then pull again.
fn cut_then(change: impl Fn(&Site, &Repo, &str)) -> Site {
    let site = Site::new();
    let commit = large(&site);
    let dest = site.dest("dest", RepoMode::BareUser);
    let path = one_file(&site, &commit);
    site.server
        .fault(Rule::on(&path).always(Action::Cut(SIZE / 2)));
    site.pull(&dest, &large_options(0)).unwrap_err();
    assert_eq!(left(&dest).len(), 1);
    site.server.clear_faults();
    site.server.clear_log();
    change(&site, &dest, &path);
    site.pull(&dest, &large_options(0)).unwrap();
    assert_whole(&site, &dest, &commit);
    site
}

fn statuses(site: &Site, path_end: &str) -> Vec<u16> {
    let log = site.server.log();
    log.iter()
        .filter(|l| l.path.ends_with(path_end))
        .map(|l| l.status)
        .collect()
}

#[test]
fn a_range_is_asked_for_and_its_condition_given() {
    let site = cut_then(|_, _, _| {});
    let log = site.server.log();
    let resumed: Vec<_> = log.iter().filter(|l| l.header("range").is_some()).collect();
    assert_eq!(resumed.len(), 1);
    assert_eq!(
        resumed[0].header("range"),
        Some(format!("bytes={}-", SIZE / 2).as_str())
    );
    assert!(resumed[0].header("if-range").unwrap().starts_with('"'));
    assert_eq!(resumed[0].status, 206);
}

#[test]
fn a_file_that_was_replaced_is_fetched_anew() {
    let site = cut_then(|site, _, path| {
        let file = site.source.path().join(path);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        let file = std::fs::File::options().write(true).open(&file).unwrap();
        file.set_modified(old).unwrap();
        // The test server asks for the validator only if told to: as a server that heeds If-Range answers.
        let whole = std::fs::read(site.source.path().join(path)).unwrap();
        site.server
            .fault(Rule::on(path).once(Action::Replace(whole)));
    });
    assert_eq!(statuses(&site, ".filez"), [200]);
}

#[test]
fn a_server_that_refuses_the_range_is_asked_for_the_whole() {
    let site = cut_then(|site, _, path| {
        site.server
            .fault(Rule::on(path).once(Action::Status(416, vec![])));
    });
    assert_eq!(statuses(&site, ".filez"), [416, 200]);
}

#[test]
fn what_was_kept_is_not_trusted() {
    // Damaged bytes: found by the checksum, and the whole is fetched.
    let site = cut_then(|_, dest, _| {
        let path = &left(dest)[0];
        let mut bytes = std::fs::read(path).unwrap();
        bytes[SIZE / 4] ^= 1;
        std::fs::write(path, bytes).unwrap();
    });
    assert_eq!(statuses(&site, ".filez"), [206, 200]);
    // No such file at all.
    let site = cut_then(|_, dest, _| {
        std::fs::write(&left(dest)[0], "nonsense").unwrap();
    });
    assert_eq!(statuses(&site, ".filez"), [200]);
}

/// A branch of two large files, and a delta to it from nothing with both in one part, which is not compressed; gives the
/// commit, and the part's path below the server.
fn delta(site: &Site) -> (CommitId, String) {
    let to = files(site, 2);
    let commit = site.source.load_commit(&to).unwrap();
    let tree = site.source.load_dirtree(&commit.root_dirtree).unwrap();
    let (mut content, mut ops) = (vec![0; 1 + 2 * SIZE], Vec::new());
    for (number, half) in content[1..].chunks_mut(SIZE).enumerate() {
        Random::new(100 + number as u64).fill(half);
        let op = Op::SpliceFile {
            mode: 0,
            xattrs: 0,
            size: SIZE as u64,
            offset: (number * SIZE) as u64,
        };
        op.encode(&mut ops);
    }
    let blob = compression::unpack(&content[..], 2 * SIZE as u64, site.source.path()).unwrap();
    let mut dictionaries = Dictionaries::default();
    dictionaries.numbers(&header());
    let mut part = vec![0];
    dictionaries.write_payload(&blob, &ops, &mut part).unwrap();
    let header = PartHeader {
        version: 0,
        checksum: osier_object::hash(&part),
        size: part.len() as u64,
        unpacked: 2 * SIZE as u64,
        objects: tree.files.iter().map(|(_, id)| id.object_name()).collect(),
    };
    let mut metadata = osier_gv::Dict::new();
    let letter = osier_gv::Value::Byte(Endianness::HOST.letter());
    metadata.push("ostree.endianness", letter);
    let name = DeltaName { from: None, to };
    let superblock = NewSuperblock {
        metadata: &metadata,
        timestamp: 1,
        name,
        commit: &site
            .source
            .read_metadata(ObjectType::Commit, &to.0)
            .unwrap(),
        endianness: Endianness::HOST,
        parts: &[header],
        fallbacks: &[],
    };
    let dir = site.source.path().join(name.path());
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("superblock"), superblock.encode()).unwrap();
    std::fs::write(dir.join("0"), part).unwrap();
    (to, format!("{}/0", name.path()))
}

fn with_deltas() -> PullOptions {
    PullOptions {
        disable_static_deltas: false,
        ..large_options(0)
    }
}

/// A pull that fails inside the part.
fn part_pulls(site: &Site, dest: &Repo, part: &str, at: usize) {
    site.server.fault(Rule::on(part).always(Action::Cut(at)));
    let error = site.pull(dest, &with_deltas()).unwrap_err();
    assert!(matches!(error, Error::Fetch(_)), "{error}");
    site.server.clear_faults();
    site.server.clear_log();
}

#[test]
fn the_next_pull_goes_on_inside_a_delta_part() {
    let site = Site::new();
    let (commit, part) = delta(&site);
    let size = std::fs::metadata(site.source.path().join(&part))
        .unwrap()
        .len();
    let dest = site.dest("dest", RepoMode::BareUser);
    part_pulls(&site, &dest, &part, SIZE);
    assert_eq!(left(&dest).len(), 1);
    let before = site.server.bytes_sent();
    let outcome = site.pull(&dest, &with_deltas()).unwrap();
    assert_eq!(outcome.parts, 1, "{outcome:?}");
    assert_eq!(statuses(&site, &part), [206]);
    let rest = size - SIZE as u64;
    let fetched = site.server.bytes_sent() - before;
    // The rest, the summary, the superblock and little else.
    assert!(
        (rest..rest + (64 << 10)).contains(&fetched),
        "{fetched} of {rest}"
    );
    assert_no_files_fetched(&site);
    assert_whole(&site, &dest, &commit);
    assert!(left(&dest).is_empty());
}

/// Everything came by the part.
#[track_caller]
fn assert_no_files_fetched(site: &Site) {
    assert!(
        site.server
            .paths()
            .iter()
            .all(|path| !path.ends_with(".filez"))
    );
}

/// What is left of a part is not trusted: it is fetched once more as a whole, and the pull still needs no objects.
#[test]
fn a_damaged_rest_of_a_delta_part_is_fetched_anew() {
    let site = Site::new();
    let (commit, part) = delta(&site);
    let dest = site.dest("dest", RepoMode::BareUser);
    part_pulls(&site, &dest, &part, SIZE);
    let [kept] = &left(&dest)[..] else { panic!() };
    let mut bytes = std::fs::read(kept).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(kept, bytes).unwrap();
    let outcome = site.pull(&dest, &with_deltas()).unwrap();
    assert_eq!(outcome.parts, 1, "{outcome:?}");
    assert_eq!(statuses(&site, &part), [206, 200]);
    assert_no_files_fetched(&site);
    assert_whole(&site, &dest, &commit);
}
