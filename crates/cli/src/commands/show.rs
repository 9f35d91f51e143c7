//! `ostree show`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use osier_gv::{Dict, Type, Value};
use osier_object::commit::key::GPGSIGS;
use osier_object::refs::is_checksum;
use osier_object::{
    Checksum, Commit, CommitId, ContentId, Dirmeta, Dirtree, ObjectName, ObjectType, sizes,
};
use osier_sign::openpgp::Report;
use osier_store::size_text::si;
use osier_store::{ReadObjects, Repo};

use crate::commands::remote::remotes;
use crate::context::Cx;
use crate::error::usage;
use crate::gpg;
use crate::json;
use crate::json::commit::CommitFields;
use crate::json::object::FileFields;
use crate::json::show::{Needed, Object};
use crate::json::signatures::Signature;
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
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "OBJECT")]
    objects: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "OBJECT";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some(object) = self.objects.first() else {
            return Err(usage("An object argument is required"));
        };
        json::alone(
            self.json,
            &[
                ("--raw", self.raw),
                ("--no-byteswap", self.no_byteswap),
                ("--print-hex", self.print_hex),
                ("--print-variant-type", self.print_variant_type.is_some()),
            ],
        )?;
        if let Some(ty) = &self.print_variant_type {
            return print_file(cx, Path::new(object), ty);
        }
        let commit = || repo.resolve_rev(object);
        if let Some(key) = &self.print_metadata_key {
            self.print_key(cx, &repo.load_commit(&commit()?)?.metadata, key)
        } else if self.list_metadata_keys {
            self.list_keys(cx, &repo.load_commit(&commit()?)?.metadata)
        } else if let Some(key) = &self.print_detached_metadata_key {
            self.print_key(cx, &detached(repo, &commit()?)?, key)
        } else if self.list_detached_metadata_keys {
            self.list_keys(cx, &detached(repo, &commit()?)?)
        } else if self.print_related {
            self.print_related(cx, repo, &commit()?)
        } else if self.print_sizes {
            self.print_sizes(cx, repo, &commit()?)
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
        if self.json {
            return Ok(json::show::print_key(&mut cx.out, key, value)?);
        }
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
            if self.json {
                let object = self.json_object(cx, repo, ty, checksum, &bytes)?;
                return Ok(json::show::print(&mut cx.out, &object)?);
            }
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
            }
            if ty == ObjectType::Commit {
                if !self.raw || self.no_byteswap {
                    commit::body(&mut cx.out, &Commit::decode(&bytes)?)?;
                }
                self.print_signatures(cx, repo, &CommitId(*checksum), &bytes)?;
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
        let id = ContentId(*checksum);
        if self.json {
            let content = repo.open_content(&id)?;
            let file = FileFields::new(id.to_string(), &content.header, content.size);
            return Ok(json::show::print(&mut cx.out, &Object::File(file))?);
        }
        print_content(cx, repo, &id)
    }

    fn print_signatures(
        &self,
        cx: &mut Cx,
        repo: &Repo,
        id: &CommitId,
        bytes: &[u8],
    ) -> Result<()> {
        if let Some(reports) = self.reports(cx, repo, id, bytes)? {
            gpg::print(&mut cx.out, &reports, "")?;
        }
        Ok(())
    }

    /// What the GPG signatures of a commit are worth; none if it has none.
    fn reports(
        &self,
        cx: &Cx,
        repo: &Repo,
        id: &CommitId,
        bytes: &[u8],
    ) -> Result<Option<Vec<Report>>> {
        let signed = |metadata: &Dict| metadata.contains_key(GPGSIGS);
        let Some(metadata) = repo.load_commitmeta(id)?.filter(signed) else {
            return Ok(None);
        };
        let keys = match &self.gpg_verify_remote {
            Some(name) => remotes(cx, repo)?
                .get(name)?
                .keyring(repo, Some(&gpg::trusted_dir()))?,
            None => gpg::known_keys(repo, self.gpg_homedir.as_deref())?,
        };
        gpg::reports(&keys, bytes, &metadata)
    }

    fn json_object(
        &self,
        cx: &Cx,
        repo: &Repo,
        ty: ObjectType,
        checksum: &Checksum,
        bytes: &[u8],
    ) -> Result<Object> {
        let invalid = || format!("decoding {checksum}.{}", ty.name());
        Ok(match ty {
            ObjectType::Dirmeta => {
                Object::dirmeta(checksum, &Dirmeta::decode(bytes).with_context(invalid)?)
            }
            ObjectType::Dirtree => {
                Object::dirtree(checksum, &Dirtree::decode(bytes).with_context(invalid)?)
            }
            _ => {
                let id = CommitId(*checksum);
                let commit = Commit::decode(bytes).with_context(invalid)?;
                let detached = repo.load_commitmeta(&id)?;
                let fields = CommitFields::new(&id, &commit, repo.commit_state(&id)?);
                let reports = self.reports(cx, repo, &id, bytes)?.unwrap_or_default();
                let signatures = reports.into_iter().map(Signature::from).collect();
                Object::commit(fields, detached.as_ref(), signatures)
            }
        })
    }

    fn list_keys(&self, cx: &mut Cx, dict: &Dict) -> Result<()> {
        if self.json {
            return Ok(json::show::print_keys(&mut cx.out, dict)?);
        }
        let mut keys: Vec<&str> = dict.keys().collect();
        keys.sort_unstable();
        for key in keys {
            writeln!(cx.out, "{key}")?;
        }
        Ok(())
    }

    fn print_related(&self, cx: &mut Cx, repo: &Repo, id: &CommitId) -> Result<()> {
        let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
        let value = variant::of_object(ObjectType::Commit, &bytes)?;
        let related = value
            .as_tuple()
            .and_then(|members| members.get(2)?.as_array());
        let mut found = Vec::new();
        for entry in related.unwrap_or_default() {
            let Some([name, checksum]) = entry.as_tuple() else {
                continue;
            };
            let name = name.as_str().unwrap_or_default().to_owned();
            let checksum = Checksum::from_bytes(checksum.as_bytes().unwrap_or_default())?;
            found.push((name, checksum));
        }
        if self.json {
            return Ok(json::show::print_related(&mut cx.out, id, &found)?);
        }
        for (name, checksum) in found {
            writeln!(cx.out, "{name} {checksum}")?;
        }
        Ok(())
    }

    fn print_sizes(&self, cx: &mut Cx, repo: &Repo, id: &CommitId) -> Result<()> {
        let metadata = repo
            .load_commit(id)
            .context("Failed to read commit")?
            .metadata;
        let Some(value) = metadata.get(osier_object::commit::key::SIZES) else {
            bail!("No metadata key ostree.sizes in commit");
        };
        let [mut packed, mut unpacked, mut count] = [Needed::default(); 3];
        for entry in sizes::decode(value)? {
            let missing = !repo.has_object(&entry.name)?;
            for (sum, size) in [
                (&mut packed, entry.archived),
                (&mut unpacked, entry.unpacked),
                (&mut count, 1),
            ] {
                sum.total += size;
                if missing {
                    sum.needed += size;
                }
            }
        }
        if self.json {
            let sums = [packed, unpacked, count];
            return Ok(json::show::print_sizes(&mut cx.out, id, sums)?);
        }
        writeln!(
            cx.out,
            "Compressed size (needed/total): {}/{}",
            si(packed.needed),
            si(packed.total)
        )?;
        writeln!(
            cx.out,
            "Unpacked size (needed/total): {}/{}",
            si(unpacked.needed),
            si(unpacked.total)
        )?;
        writeln!(
            cx.out,
            "Number of objects (needed/total): {}/{}",
            count.needed, count.total
        )?;
        Ok(())
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
