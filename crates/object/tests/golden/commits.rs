//! Commits.

use osier_gv::{Value, text};
use osier_object::commit::key;
use osier_object::header::is_symlink;
use osier_object::sizes::{self, SizeEntry};
use osier_object::{Checksum, Commit, CommitId, Dirmeta, FileHeader, ObjectName, Xattrs, validate};
use osier_object::{ObjectType, header};

use crate::tree::{Dir, content_id, sample};

/// The commit has that id, and its bytes read back as the same commit.
fn check(commit: &Commit, id: &str) {
    assert_eq!(commit.id().to_string(), id);
    let bytes = commit.encode();
    let read = Commit::decode(&bytes).unwrap();
    assert_eq!(read.encode(), bytes);
    assert_eq!(&read, commit);
    validate::structure(ObjectType::Commit, &bytes).unwrap();
}

fn bind(commit: &mut Commit, refs: &[&str]) {
    let value = Value::strv(refs.iter().copied());
    commit.metadata.push(key::REF_BINDING, value);
}

/// What `--canonical-permissions` does to a tree from disk.
fn canonical(tree: Dir) -> Dir {
    tree.modify(
        &|_, header| {
            (header.uid, header.gid) = (0, 0);
            header.xattrs = Xattrs::EMPTY;
            if !is_symlink(header.mode) {
                header.mode &= header::S_IFMT | 0o755;
            }
        },
        &|meta| *meta = Dirmeta::new(0, 0, meta.mode & 0o755),
    )
}

#[test]
fn sample_tree() {
    let mut commit = sample().commit();
    bind(&mut commit, &["main"]);
    commit.subject = "subj".into();
    commit.body = "b line".into();
    check(
        &commit,
        "d80ecf345763173db0153db1df089d57d74a1a6a350e363e06c9093541817289",
    );
    assert_eq!(
        commit.content_checksum().to_string(),
        "c1ebe2be8dcb277834b20b1b324ca42398866f5ab386019b99ec3307881e0408"
    );
    let mut user_only = canonical(sample()).commit();
    bind(&mut user_only, &["main"]);
    user_only.subject = "subj".into();
    user_only.body = "b line".into();
    check(
        &user_only,
        "281489d9caa2d5141541b76ed1215b6a982af236befead8b988b87276edd1ef8",
    );
}

#[test]
fn modified_trees() {
    check(
        &canonical(sample()).commit(),
        "def924b4963e5009ba4694222227be2b2606b067518a0aa35794c6183e5ca860",
    );
    // --owner-uid=7, statoverride `2048 /hello.txt` and `=448 /exec`, skipping /sub and /xa
    let mut tree = sample();
    tree.dirs.clear();
    tree.files.retain(|(name, ..)| *name != "xa");
    let tree = tree.modify(
        &|name, header: &mut FileHeader| {
            header.uid = 7;
            match name {
                "hello.txt" => header.mode |= 0o4000,
                "exec" => header.mode = (header.mode & header::S_IFMT) | 0o700,
                _ => {}
            }
        },
        &|meta| meta.uid = 7,
    );
    check(
        &tree.commit(),
        "0949503f5add477a15f282dacb5a60075b5bd563f2af477960900d1477358979",
    );
}

#[test]
fn history() {
    let ids = [
        "348a80ae7a37e66c869e4a9a37088e01328f8df26cf75193eeab51b16f4f7485",
        "c110621ad0bb3bb242eddc3207a1e39a139f899ddcd0e758ba0c4074e8bc49d0",
        "882da54d309976101af5ddcea9a213071767eba4e9cb035572b0d81476826343",
    ];
    let mut parent = None;
    for (index, payload) in [&b"1"[..], b"2", b"3"].into_iter().enumerate() {
        let mut commit = Dir::new(0o755).file("f", 0o644, payload).commit();
        bind(&mut commit, &["m"]);
        commit.parent = parent;
        commit.timestamp += (index as u64 + 1) * 86_400;
        check(&commit, ids[index]);
        parent = Some(commit.id());
    }
}

#[test]
fn merged_trees() {
    let tree = Dir::new(0o700)
        .file("two", 0o644, b"2")
        .dir("x", Dir::new(0o755).file("one", 0o644, b"1"));
    check(
        &tree.commit(),
        "76d81ff5efae7224ca988ef31a9d3d93c169a057b02f48e30cfe8180200d87d0",
    );
}

const KERNEL: &[u8] = b"kernel";

fn kernel_tree() -> Dir {
    let dir = || Dir::new(0o755);
    let version = dir().file("vmlinuz", 0o644, KERNEL);
    let modules = dir().dir("6.1.0-test", version);
    let lib = dir().dir("modules", modules);
    dir().dir("usr", dir().dir("lib", lib))
}

#[test]
fn metadata_in_insertion_order() {
    // --orphan still records that the commit is bound to no ref
    let mut commit = kernel_tree().commit();
    bind(&mut commit, &[]);
    check(
        &commit,
        "b3d9c8248f44e55fb8bd677cc3363e49b947bf0335d96bd53e54e9f42e44d3e1",
    );
    let mut commit = kernel_tree().commit();
    commit.metadata.push(key::VERSION, Value::str("1.0"));
    commit.metadata.push("a", Value::str("b"));
    let number = text::parse("uint64 5", None).unwrap();
    commit.metadata.push("k1", number);
    bind(&mut commit, &["a", "b", "zz"]);
    check(
        &commit,
        "263415d41da2400d07ea86989d1e62e0665d5cac21da489285f6c9d7c2133ed4",
    );
}

#[test]
fn metadata_in_glib_order() {
    let mut commit = kernel_tree().commit();
    commit.metadata.push(key::VERSION, Value::str("1.0"));
    bind(&mut commit, &["zz"]);
    commit.metadata.insert(key::BOOTABLE, Value::Bool(true));
    commit.metadata.insert(key::LINUX, Value::str("6.1.0-test"));
    commit.metadata = commit.metadata.in_glib_order();
    let keys: Vec<&str> = commit.metadata.keys().collect();
    assert_eq!(
        keys,
        [key::LINUX, key::VERSION, key::BOOTABLE, key::REF_BINDING]
    );
    check(
        &commit,
        "67e43dc9e150f38ea573458badfb6fde3f0f6341f442a44a5a8f88a677e333be",
    );
    let digest: Checksum = "26b200d977112be68d1c5c0d741ed89930a1cdad9cbf6d4d81e2c823974c63ac"
        .parse()
        .unwrap();
    let digest = Value::Bytes(digest.0.to_vec());
    commit.metadata.insert(key::COMPOSEFS_DIGEST, digest);
    commit.metadata = commit.metadata.in_glib_order();
    check(
        &commit,
        "5174afef5f36f094f2a6391ea774835b6d132c33c038f30b67f0f0dc6823da39",
    );
}

#[test]
fn metadata_with_sizes() {
    fn collect(dir: &Dir, entries: &mut Vec<SizeEntry>) {
        for (_, header, payload) in &dir.files {
            // `kernel` deflates to eight bytes.
            let archived = header.archive_framing(payload.len() as u64).len() + 8;
            entries.push(SizeEntry {
                name: content_id(header, payload).into(),
                archived: archived as u64,
                unpacked: payload.len() as u64,
            });
        }
        for (_, sub) in &dir.dirs {
            collect(sub, entries);
        }
        let (tree, meta) = dir.ids();
        let sizes = [
            (tree.into(), dir.dirtree().encode().len() as u64),
            (meta.into(), dir.meta.encode().len() as u64),
        ];
        entries.extend(sizes.map(|(name, size): (ObjectName, u64)| SizeEntry {
            name,
            archived: size,
            unpacked: size,
        }));
    }
    let tree = kernel_tree();
    let mut entries = Vec::new();
    collect(&tree, &mut entries);
    entries.sort_by_key(|entry| entry.name);
    entries.dedup();
    let mut commit = tree.commit();
    commit.metadata.push(key::VERSION, Value::str("1.0"));
    bind(&mut commit, &["zz"]);
    let value = sizes::encode(entries.clone());
    assert_eq!(sizes::decode(&value).unwrap(), entries);
    commit.metadata.push(key::SIZES, value);
    check(
        &commit,
        "24b91d6eaa2c31c00f9facf499b5a036798154ee5ac0bee02a969cecb7333fde",
    );
}

#[test]
fn ids_of_commits_are_of_their_bytes() {
    let commit = sample().commit();
    let id: CommitId = commit.id();
    assert_eq!(id, osier_object::hash(&commit.encode()).into());
}
