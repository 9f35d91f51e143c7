//! Metadata of a commit, in the order in which the C tool stores it.

use anyhow::{Context, Result, bail};
use osier_gv::{Dict, Value, text};
use osier_object::CommitId;
use osier_object::commit::key;
use osier_store::commit::Root;
use osier_store::composefs::{self, Digests};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo};

use crate::progress::Bar;
use crate::tree::{self, Node};

/// Where a bootable tree has its kernels.
const MODULES: &str = "/usr/lib/modules";

#[derive(clap::Args)]
pub(super) struct MetadataArgs {
    /// Record no refs in the commit
    #[arg(long)]
    no_bindings: bool,
    /// Record this ref in the commit too
    #[arg(long = "bind-ref", value_name = "BRANCH")]
    bind_refs: Vec<String>,
    /// Metadata: a string
    #[arg(long, value_name = "KEY=VALUE")]
    add_metadata_string: Vec<String>,
    /// Metadata: a value in GVariant text format
    #[arg(long, value_name = "KEY=VALUE")]
    add_metadata: Vec<String>,
    /// Metadata: take KEY from the parent
    #[arg(long, value_name = "KEY")]
    keep_metadata: Vec<String>,
    /// Metadata kept outside the commit: a string
    #[arg(long, value_name = "KEY=VALUE")]
    add_detached_metadata_string: Vec<String>,
    /// Mark the commit as bootable; it must hold exactly one kernel
    #[arg(long)]
    bootable: bool,
    /// Record the sizes of all objects
    #[arg(long)]
    generate_sizes: bool,
    /// Record the digest of the composefs image
    #[arg(long)]
    generate_composefs_metadata: bool,
}

impl MetadataArgs {
    /// Everything but what depends on the tree.
    pub(super) fn build(
        &self,
        repo: &Repo,
        branch: Option<&str>,
        parent: Option<&CommitId>,
    ) -> Result<Dict> {
        let mut dict = Dict::new();
        for pair in &self.add_metadata_string {
            let (key, value) = split(pair)?;
            dict.push(key, Value::str(value));
        }
        for pair in &self.add_metadata {
            let (key, value) = split(pair)?;
            dict.push(
                key,
                text::parse(value, None).with_context(|| format!("Parsing {pair}"))?,
            );
        }
        self.keep(repo, parent, &mut dict)?;
        if !self.no_bindings {
            let mut refs: Vec<&str> = self
                .bind_refs
                .iter()
                .map(String::as_str)
                .chain(branch)
                .collect();
            refs.sort_unstable();
            dict.push(key::REF_BINDING, Value::strv(refs));
            if let (Some(collection), None) = (
                &repo.config().collection_id,
                dict.get(key::COLLECTION_BINDING),
            ) {
                dict.push(key::COLLECTION_BINDING, Value::str(collection));
            }
        }
        if dict.keys().any(str::is_empty) {
            bail!("Empty metadata key");
        }
        Ok(dict)
    }

    fn keep(&self, repo: &Repo, parent: Option<&CommitId>, dict: &mut Dict) -> Result<()> {
        if self.keep_metadata.is_empty() {
            return Ok(());
        }
        let Some(parent) = parent else {
            bail!("Either --branch or --parent must be specified when using --keep-metadata");
        };
        let old = repo.load_commit(parent)?.metadata;
        for key in &self.keep_metadata {
            match old.get(key) {
                Some(value) => dict.push(key, value.clone()),
                None => bail!("Missing metadata key '{key}' from commit '{parent}'"),
            }
        }
        Ok(())
    }

    /// Metadata to keep beside the commit object, if any.
    pub(super) fn detached(&self) -> Result<Option<Dict>> {
        if self.add_detached_metadata_string.is_empty() {
            return Ok(None);
        }
        let mut dict = Dict::new();
        for pair in &self.add_detached_metadata_string {
            let (key, value) = split(pair)?;
            dict.push(key, Value::str(value));
        }
        Ok(Some(dict))
    }

    /// Adds what depends on the tree: with `--bootable` the kernel's version, with `--generate-sizes` the sizes of
    /// all objects.
    pub(super) fn with_tree(
        &self,
        repo: &dyn ReadObjects,
        root: Root,
        mut dict: Dict,
    ) -> Result<Dict> {
        if self.bootable {
            let version = kernel_version(repo, root)?;
            dict.insert(key::BOOTABLE, Value::Bool(true));
            dict.insert(key::LINUX, Value::str(version));
            // The C tool edits a hash table here and writes it in the table's order.
            dict = dict.in_glib_order();
        }
        if self.generate_composefs_metadata {
            let bar = Bar::new("Digesting");
            let image = composefs::image(repo, root, Digests::Compute, &bar, &Cancel::default())?;
            dict.insert(key::COMPOSEFS_DIGEST, Value::Bytes(image.digest().to_vec()));
            // A hash table again.
            dict = dict.in_glib_order();
        }
        // Sizes are those of an archive; in other modes the option does nothing, as in the C tool.
        if self.generate_sizes && repo.repo().mode().is_archive() {
            let entries = osier_store::commit::sizes::of_tree(repo, root)?;
            dict.push(key::SIZES, osier_object::sizes::encode(entries));
        }
        Ok(dict)
    }
}

fn split(pair: &str) -> Result<(&str, &str)> {
    match pair.split_once('=') {
        Some(parts) => Ok(parts),
        None => bail!("Missing '=' in KEY=VALUE metadata '{pair}'"),
    }
}

/// The name of the only directory below [`MODULES`] that has a kernel.
fn kernel_version(repo: &dyn ReadObjects, root: Root) -> Result<String> {
    let root = Node::Dir(root.dirtree, root.dirmeta);
    let Node::Dir(modules, _) = tree::lookup(repo, root, MODULES)? else {
        bail!("{MODULES}: Not a directory")
    };
    let mut found = None;
    for (name, dir, _) in repo.load_dirtree(&modules)?.dirs {
        if tree::child(repo, &dir, "vmlinuz")?.is_some() && found.replace(name).is_some() {
            bail!("Multiple kernels found in {MODULES}");
        }
    }
    match found {
        Some(name) => Ok(name.into()),
        None => bail!("No kernel found in {MODULES}"),
    }
}
