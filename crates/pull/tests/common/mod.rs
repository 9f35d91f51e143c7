//! What the tests of this crate share: a source repository behind a server, and a check of what was pulled.
#![allow(dead_code)]

use osier_gv::{Dict, Value};
use osier_keyfile::KeyFile;
use osier_object::{
    Commit, CommitId, ContentId, Dirmeta, Dirtree, DirtreeId, FileHeader, ObjectName, ObjectType,
    Summary, SummaryRef, hash,
};
use osier_pull::remote::{Remote, Remotes};
use osier_pull::{Cancel, Error, Outcome, PullOptions, Target, pull};
use osier_store::{
    CreateOptions, ReadObjects, RefKey, Repo, RepoMode, Transaction, TransactionOptions,
};
use osier_testkit::httpd::Server;
use osier_testkit::random::Random;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The modes that can be pulled into.
pub const MODES: [RepoMode; 4] = [
    RepoMode::Bare,
    RepoMode::BareUser,
    RepoMode::BareUserOnly,
    RepoMode::Archive,
];

pub fn repo(path: &Path, mode: RepoMode) -> Repo {
    Repo::create(
        path,
        &CreateOptions {
            mode,
            collection_id: None,
        },
    )
    .unwrap()
}

/// An archive with a branch `main`, behind a server.
pub struct Site {
    pub dir: tempfile::TempDir,
    pub source: Repo,
    pub server: Server,
    /// Oldest first.
    pub commits: Vec<CommitId>,
}

/// Bytes of the largest file of a [`Site`]: it does not compress, so that it is streamed.
pub const LARGE: usize = 3 << 20;

impl Site {
    pub fn new() -> Site {
        Site::with_collection(None)
    }

    pub fn with_collection(collection: Option<&str>) -> Site {
        let dir = tempfile::tempdir().unwrap();
        let options = CreateOptions {
            mode: RepoMode::Archive,
            collection_id: collection.map(str::to_owned),
        };
        let source = Repo::create(&dir.path().join("source"), &options).unwrap();
        let server = Server::serve(source.path()).unwrap();
        let mut site = Site {
            dir,
            source,
            server,
            commits: Vec::new(),
        };
        site.commit("main", "one");
        site
    }

    /// Commits a tree with `text` in one of its files, on top of the branch.
    pub fn commit(&mut self, branch: &str, text: &str) -> CommitId {
        let parent = self.source.resolve_rev_opt(branch).unwrap();
        let time = 1_700_000_000 + self.commits.len() as u64;
        let tx = self.source.begin(&TransactionOptions::default()).unwrap();
        let root = write_tree(&tx, text);
        let mut commit = Commit::new(root.0, root.1, time);
        commit.parent = parent;
        commit.subject = text.to_owned();
        let mut metadata = Dict::new();
        let strings = osier_gv::Type::parse("s").unwrap();
        metadata.push(
            "ostree.ref-binding",
            Value::Array(strings, vec![Value::Str(branch.into())]),
        );
        if let Some(id) = &self.source.config().collection_id {
            metadata.push("ostree.collection-binding", Value::Str(id.clone()));
        }
        commit.metadata = metadata;
        let id = tx.write_commit(&commit).unwrap();
        tx.set_refspec(branch, Some(id)).unwrap();
        tx.commit().unwrap();
        self.commits.push(id);
        id
    }

    /// Writes a summary of the source's branches.
    pub fn summarise(&self) {
        let refs = self
            .source
            .list_refs(Default::default())
            .unwrap()
            .into_iter()
            .map(|(name, commit)| {
                let size = self
                    .source
                    .read_metadata(ObjectType::Commit, &commit.0)
                    .unwrap()
                    .len() as u64;
                SummaryRef {
                    name,
                    commit_size: size,
                    commit,
                    metadata: Dict::new(),
                }
            })
            .collect();
        let mut metadata = Dict::new();
        metadata.push("ostree.summary.mode", Value::Str("archive-z2".into()));
        metadata.push("ostree.summary.tombstone-commits", Value::Bool(false));
        if let Some(id) = &self.source.config().collection_id {
            metadata.push("ostree.summary.collection-id", Value::Str(id.clone()));
        }
        std::fs::write(
            self.source.path().join("summary"),
            Summary { refs, metadata }.encode(),
        )
        .unwrap();
    }

    pub fn tip(&self) -> CommitId {
        *self.commits.last().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A new repository beside the source.
    pub fn dest(&self, name: &str, mode: RepoMode) -> Repo {
        repo(&self.path(name), mode)
    }

    /// A remote `origin` of this site, with these keys too; nothing is verified unless they say so.
    pub fn remote_with(&self, keys: &str) -> Remote {
        remote(&self.server.url(), keys)
    }

    pub fn remote(&self) -> Remote {
        self.remote_with("")
    }

    pub fn pull_main(&self, dest: &Repo) -> Result<Outcome, Error> {
        self.pull(dest, &options("main"))
    }

    pub fn pull(&self, dest: &Repo, options: &PullOptions) -> Result<Outcome, Error> {
        pull(dest, &self.remote(), options, &mut (), &Cancel::new())
    }

    /// The served file of an object.
    pub fn object_file(&self, name: &ObjectName) -> PathBuf {
        self.source
            .path()
            .join("objects")
            .join(name.loose_path(true))
    }

    /// Every object of a commit.
    pub fn objects(&self, commit: &CommitId) -> Vec<ObjectName> {
        let mut out = Vec::new();
        reach(&self.source, commit, &mut out);
        out
    }
}

pub fn remote(url: &str, keys: &str) -> Remote {
    let verify = if keys.contains("gpg-verify=") {
        ""
    } else {
        "gpg-verify=false\n"
    };
    let text = format!("[remote \"origin\"]\nurl={url}\n{verify}{keys}");
    Remotes::load(KeyFile::parse(text.as_bytes()).unwrap(), None, None)
        .unwrap()
        .get("origin")
        .unwrap()
}

/// Options to pull these targets (separated by blanks) for the remote `origin`, as objects: that deltas are looked for is
/// compared with the C tool in `conformance/tests/pull_deltas.rs`.
pub fn options(targets: &str) -> PullOptions {
    PullOptions {
        targets: targets
            .split_whitespace()
            .map(|t| Target::parse(t).unwrap())
            .collect(),
        ref_remote: Some("origin".into()),
        disable_static_deltas: true,
        ..Default::default()
    }
}

pub fn origin(repo: &Repo, name: &str) -> Option<CommitId> {
    repo.read_ref(&RefKey::Remote("origin".into(), name.into()))
        .unwrap()
}

type Root = (DirtreeId, osier_object::DirmetaId);

/// A small tree with all that matters: nested folders, an empty one, links, an empty file, one file that is streamed.
fn write_tree(tx: &Transaction<'_>, text: &str) -> Root {
    let file = |bytes: &[u8], mode| {
        tx.write_content_bytes(None, &FileHeader::regular(uid(), gid(), mode), bytes)
            .unwrap()
    };
    let mut large = vec![0; LARGE];
    Random::new(7).fill(&mut large);
    let link = FileHeader {
        uid: uid(),
        gid: gid(),
        mode: 0o120777,
        symlink_target: Some("etc/text".into()),
        xattrs: Default::default(),
    };
    let link = tx.write_content_bytes(None, &link, b"").unwrap();
    let meta = tx
        .write_dirmeta(&Dirmeta::new(uid(), gid(), 0o755))
        .unwrap();
    let private = tx
        .write_dirmeta(&Dirmeta::new(uid(), gid(), 0o700))
        .unwrap();
    let empty = tx.write_dirtree(&Dirtree::default()).unwrap();
    let deep = Dirtree {
        files: vec![("deep".into(), file(b"deep", 0o644))],
        dirs: vec![],
    };
    let deep = tx.write_dirtree(&deep).unwrap();
    let etc = Dirtree {
        files: vec![
            ("empty".into(), file(b"", 0o644)),
            ("text".into(), file(text.as_bytes(), 0o644)),
        ],
        dirs: vec![
            ("empty.d".into(), empty, private),
            ("sub".into(), deep, meta),
        ],
    };
    let bin = Dirtree {
        files: vec![
            ("large".into(), file(&large, 0o755)),
            ("tool".into(), file(b"#!/bin/sh\n", 0o755)),
        ],
        dirs: vec![],
    };
    let usr = Dirtree {
        files: vec![],
        dirs: vec![("bin".into(), tx.write_dirtree(&bin).unwrap(), meta)],
    };
    let root = Dirtree {
        files: vec![("link".into(), link)],
        dirs: vec![
            ("etc".into(), tx.write_dirtree(&etc).unwrap(), meta),
            ("usr".into(), tx.write_dirtree(&usr).unwrap(), meta),
        ],
    };
    (tx.write_dirtree(&root).unwrap(), meta)
}

/// Zero as root, so that bare repositories keep what others serve; else what we may give.
pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

pub fn gid() -> u32 {
    rustix::process::getgid().as_raw()
}

fn reach(repo: &Repo, id: &CommitId, out: &mut Vec<ObjectName>) {
    let commit = repo.load_commit(id).unwrap();
    out.push(ObjectName {
        checksum: id.0,
        ty: ObjectType::Commit,
    });
    out.push(ObjectName {
        checksum: commit.root_dirmeta.0,
        ty: ObjectType::Dirmeta,
    });
    reach_tree(repo, &commit.root_dirtree, out);
    out.sort();
    out.dedup();
}

fn reach_tree(repo: &Repo, id: &DirtreeId, out: &mut Vec<ObjectName>) {
    out.push(ObjectName {
        checksum: id.0,
        ty: ObjectType::Dirtree,
    });
    let tree = repo.load_dirtree(id).unwrap();
    out.extend(tree.files.iter().map(|(_, id)| ObjectName {
        checksum: id.0,
        ty: ObjectType::File,
    }));
    for (_, tree, meta) in &tree.dirs {
        out.push(ObjectName {
            checksum: meta.0,
            ty: ObjectType::Dirmeta,
        });
        reach_tree(repo, tree, out);
    }
}

/// Reads a commit and all it needs, hashing every object.
pub fn assert_whole(repo: &Repo, id: &CommitId) {
    assert!(!repo.commit_state(id).unwrap().partial, "{id} is partial");
    let mut objects = Vec::new();
    reach(repo, id, &mut objects);
    for name in objects {
        assert_eq!(digest(repo, &name), name.checksum, "{name}");
    }
}

fn digest(repo: &Repo, name: &ObjectName) -> osier_object::Checksum {
    if name.ty.is_metadata() {
        return hash(&repo.read_metadata(name.ty, &name.checksum).unwrap());
    }
    let content = repo.open_content(&ContentId(name.checksum)).unwrap();
    let mut bytes = content.header.hash_framing();
    content.into_reader().read_to_end(&mut bytes).unwrap();
    hash(&bytes)
}

/// Nothing that was published is damaged, whatever is missing: every object hashes to its name.
pub fn assert_nothing_half(repo: &Repo) {
    for name in stored(repo) {
        if matches!(
            name.ty,
            ObjectType::Commit | ObjectType::Dirtree | ObjectType::Dirmeta | ObjectType::File
        ) {
            assert_eq!(digest(repo, &name), name.checksum, "{name}");
        }
    }
}

/// The objects in `objects/`.
pub fn stored(repo: &Repo) -> Vec<ObjectName> {
    let mut out = Vec::new();
    for prefix in std::fs::read_dir(repo.path().join("objects")).unwrap() {
        let prefix = prefix.unwrap();
        for file in std::fs::read_dir(prefix.path()).unwrap() {
            let (prefix, file) = (prefix.file_name(), file.unwrap().file_name());
            let (prefix, file) = (prefix.to_str().unwrap(), file.to_str().unwrap());
            let (name, _) = ObjectName::from_loose(prefix, file)
                .unwrap_or_else(|| panic!("stray file {prefix}/{file}"));
            out.push(name);
        }
    }
    out.sort();
    out
}

/// Every file below a folder with its bytes' hash, to see that nothing changed.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut out = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                todo.push(entry.path());
                out.insert(entry.path(), "folder".to_owned());
            } else if kind.is_symlink() {
                out.insert(
                    entry.path(),
                    format!("{:?}", std::fs::read_link(entry.path()).unwrap()),
                );
            } else {
                out.insert(
                    entry.path(),
                    hash(&std::fs::read(entry.path()).unwrap()).to_string(),
                );
            }
        }
    }
    out
}
