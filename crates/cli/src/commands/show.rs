//! `ostree show`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use osier_gv::{Dict, Type, Value};
use osier_object::refs::is_checksum;
use osier_object::{Checksum, Commit, CommitId, ContentId, ObjectName, ObjectType, sizes};
use osier_store::size_text::si;
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::{refuse, usage};
use crate::render::{commit, variant};
use crate::table::{RepoCommand, Usage};

/// Print a commit or another object
#[derive(clap::Args)]
#[command(
    after_help = "ostree show --repo=repo --print-metadata-key=version exampleos/x86_64/stable"
)]
pub struct Args {
    /// Print the commits a commit says it is related to
    #[arg(long)]
    print_related: bool,
    /// Print OBJECT, here the name of a file, as a GVariant of this type
    #[arg(long, value_name = "TYPE")]
    print_variant_type: Option<String>,
    /// List the keys of the commit's metadata
    #[arg(long)]
    list_metadata_keys: bool,
    /// Print one value of the commit's metadata
    #[arg(long, value_name = "KEY")]
    print_metadata_key: Option<String>,
    /// Print byte arrays as hexadecimal digits
    #[arg(long)]
    print_hex: bool,
    /// List the keys of the commit's detached metadata
    #[arg(long)]
    list_detached_metadata_keys: bool,
    /// Print one value of the commit's detached metadata
    #[arg(long, value_name = "KEY")]
    print_detached_metadata_key: Option<String>,
    /// Print what the commit says about its size, and how much of it is missing here
    #[arg(long)]
    print_sizes: bool,
    /// Print the object as a GVariant, integers byte-swapped
    #[arg(long)]
    raw: bool,
    /// Print integers as they are stored
    #[arg(short = 'B', long)]
    no_byteswap: bool,
    /// GnuPG home with the keyrings to use
    #[arg(long, value_name = "HOMEDIR")]
    gpg_homedir: Option<PathBuf>,
    /// Verify signatures with the keys of this remote
    #[arg(long, value_name = "REMOTE")]
    gpg_verify_remote: Option<String>,
    #[arg(value_name = "OBJECT")]
    objects: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "OBJECT";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        refuse(self.gpg_homedir.is_some(), "--gpg-homedir")?;
        refuse(self.gpg_verify_remote.is_some(), "--gpg-verify-remote")?;
        let Some(object) = self.objects.first() else {
            return Err(usage("An object argument is required"));
        };
        if let Some(ty) = &self.print_variant_type {
            return print_file(cx, Path::new(object), ty);
        }
        let commit = || repo.resolve_rev(object);
        if let Some(key) = &self.print_metadata_key {
            self.print_key(cx, &repo.load_commit(&commit()?)?.metadata, key)
        } else if self.list_metadata_keys {
            list_keys(cx, &repo.load_commit(&commit()?)?.metadata)
        } else if let Some(key) = &self.print_detached_metadata_key {
            self.print_key(cx, &detached(repo, &commit()?)?, key)
        } else if self.list_detached_metadata_keys {
            list_keys(cx, &detached(repo, &commit()?)?)
        } else if self.print_related {
            print_related(cx, repo, &commit()?)
        } else if self.print_sizes {
            print_sizes(cx, repo, &commit()?)
        } else {
            self.print_object(cx, repo, &commit()?.0)
        }
    }
}

impl Args {
    fn print_key(&self, cx: &mut Cx, dict: &Dict, key: &str) -> Result<()> {
        let Some(value) = dict.get(key) else {
            bail!("No such metadata key '{key}'")
        };
        let text = match value.as_bytes() {
            Some(bytes) if self.print_hex => variant::hex(bytes),
            _ if self.no_byteswap => variant::native(value),
            _ => variant::swapped(value),
        };
        writeln!(cx.out, "{text}")?;
        Ok(())
    }

    /// Whatever has this checksum: a commit, a directory, or a file.
    fn print_object(&self, cx: &mut Cx, repo: &Repo, checksum: &Checksum) -> Result<()> {
        for ty in [ObjectType::Commit, ObjectType::Dirmeta, ObjectType::Dirtree] {
            let Some(bytes) = repo.read_metadata_opt(ty, checksum)? else {
                continue;
            };
            writeln!(cx.out, "{} {checksum}", ty.name())?;
            if self.no_byteswap {
                writeln!(
                    cx.out,
                    "{}",
                    variant::native(&variant::of_object(ty, &bytes)?)
                )?;
            } else if self.raw {
                writeln!(
                    cx.out,
                    "{}",
                    variant::swapped(&variant::of_object(ty, &bytes)?)
                )?;
                return Ok(());
            }
            if ty == ObjectType::Commit {
                commit::body(&mut cx.out, &Commit::decode(&bytes)?)?;
            }
            return Ok(());
        }
        // A ref names a commit and nothing else.
        if !self.objects.iter().any(|object| is_checksum(object)) {
            return Err(osier_store::Error::MissingObject(ObjectName::new(
                *checksum,
                ObjectType::Commit,
            ))
            .into());
        }
        print_content(cx, repo, &ContentId(*checksum))
    }
}

fn print_content(cx: &mut Cx, repo: &Repo, id: &ContentId) -> Result<()> {
    let content = repo.open_content(id)?;
    let header = &content.header;
    writeln!(cx.out, "Object: {id}\nType: file")?;
    match &header.symlink_target {
        Some(target) => {
            write!(cx.out, "File Type: symlink\nTarget: ")?;
            cx.out.write_all(target.as_ref())?;
            writeln!(cx.out)?;
        }
        None => writeln!(cx.out, "File Type: regular\nSize: {}", content.size)?,
    }
    writeln!(
        cx.out,
        "Mode: 0{:o}\nUid: {}\nGid: {}",
        header.mode, header.uid, header.gid
    )?;
    writeln!(
        cx.out,
        "Extended Attributes: {}",
        variant::xattrs(&header.xattrs)
    )?;
    Ok(())
}

fn print_file(cx: &mut Cx, path: &Path, ty: &str) -> Result<()> {
    let ty = Type::parse(ty)?;
    let bytes = std::fs::read(path).with_context(|| format!("openat({})", path.display()))?;
    let value =
        Value::decode(&ty, &bytes).with_context(|| format!("decoding {}", path.display()))?;
    writeln!(cx.out, "{}", variant::swapped(&value))?;
    Ok(())
}

fn detached(repo: &Repo, id: &CommitId) -> Result<Dict> {
    match repo.load_commitmeta(id)? {
        Some(dict) => Ok(dict),
        None => bail!("No detached metadata for commit {id}"),
    }
}

fn list_keys(cx: &mut Cx, dict: &Dict) -> Result<()> {
    let mut keys: Vec<&str> = dict.keys().collect();
    keys.sort_unstable();
    for key in keys {
        writeln!(cx.out, "{key}")?;
    }
    Ok(())
}

fn print_related(cx: &mut Cx, repo: &Repo, id: &CommitId) -> Result<()> {
    let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
    let value = variant::of_object(ObjectType::Commit, &bytes)?;
    let related = value
        .as_tuple()
        .and_then(|members| members.get(2)?.as_array());
    for entry in related.unwrap_or_default() {
        let Some([name, checksum]) = entry.as_tuple() else {
            continue;
        };
        let name = name.as_str().unwrap_or_default();
        let checksum = Checksum::from_bytes(checksum.as_bytes().unwrap_or_default())?;
        writeln!(cx.out, "{name} {checksum}")?;
    }
    Ok(())
}

fn print_sizes(cx: &mut Cx, repo: &Repo, id: &CommitId) -> Result<()> {
    let metadata = repo
        .load_commit(id)
        .context("Failed to read commit")?
        .metadata;
    let Some(value) = metadata.get(osier_object::commit::key::SIZES) else {
        bail!("No metadata key ostree.sizes in commit");
    };
    let (mut packed, mut unpacked, mut count) = ((0, 0), (0, 0), (0, 0));
    for entry in sizes::decode(value)? {
        let missing = !repo.has_object(&entry.name)?;
        for (sum, size) in [
            (&mut packed, entry.archived),
            (&mut unpacked, entry.unpacked),
            (&mut count, 1),
        ] {
            sum.1 += size;
            if missing {
                sum.0 += size;
            }
        }
    }
    writeln!(
        cx.out,
        "Compressed size (needed/total): {}/{}",
        si(packed.0),
        si(packed.1)
    )?;
    writeln!(
        cx.out,
        "Unpacked size (needed/total): {}/{}",
        si(unpacked.0),
        si(unpacked.1)
    )?;
    writeln!(
        cx.out,
        "Number of objects (needed/total): {}/{}",
        count.0, count.1
    )?;
    Ok(())
}
