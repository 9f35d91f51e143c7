//! The kernel and the boot entry of one deployment.

use osier_keyfile::Optional;
use osier_object::{CommitId, commit::key};
use osier_store::ReadObjects;

use crate::bls::BootEntry;
use crate::bootlinks;
use crate::deployment::{BootTries, Deployment};
use crate::dir::{Beneath, Dir};
use crate::error::{Error, Result};
use crate::kernel::{Kernel, KernelPaths};
use crate::os_release::OsRelease;
use crate::sysroot::Sysroot;

const OS_RELEASE_LIMIT: u64 = 1024 * 1024;
/// The program that finds the deployment root when there is no initramfs to do it.
const PREPARE_ROOT: &str = "usr/lib/ostree/ostree-prepare-root";

impl Sysroot {
    /// Installs kernel and entry of `list[index]` for boot version `bootversion`.
    pub(super) fn install_entry(
        &self,
        boot: &Dir,
        entries: &Dir,
        bootversion: u8,
        list: &[Deployment],
        index: usize,
    ) -> Result<BootEntry> {
        let deployment = &list[index];
        let root = self.deployment_dir(&deployment.id)?;
        let kernel = Kernel::find_known(&root, !self.options.test_no_dtb, &deployment.bootcsum)?;
        let kernels = boot.make_dir("ostree", 0o755)?;
        let name = format!("{}-{}", deployment.id.stateroot, deployment.bootcsum);
        kernel.install(&kernels.make_dir(&name, 0o755)?)?;

        let mut entry = deployment.entry.clone();
        entry.set("title", &self.title(&root, list, index)?);
        entry.set("version", &(list.len() - index).to_string());
        let paths = kernel.paths(&deployment.id.stateroot);
        set_paths(&mut entry, &paths, self.boot_prefix()?, deployment);
        let mut kargs = entry.kargs()?;
        let target = bootlinks::target(bootversion, deployment);
        if !kernel.has_initramfs() {
            kargs.replace(&format!("init={target}/{PREPARE_ROOT}"))?;
        }
        kargs.replace(&format!("ostree={target}"))?;
        entry.set("options", &kargs.to_string());
        if index != 0 {
            for (key, value) in self.append_except_default()? {
                entry.set(&key, &value);
            }
        }
        let file = self.entry_name(list, index);
        entries.replace_file(&file, entry.to_text().as_bytes(), 0o644)?;
        Ok(entry)
    }

    /// `NAME[ VERSION] (ostree:[STATEROOT:]INDEX)`.
    fn title(&self, root: &Dir, list: &[Deployment], index: usize) -> Result<String> {
        let deployment = &list[index];
        let mut title = os_name(root)?;
        if let Some(version) = self.commit_version(&deployment.id.commit)?
            && !version.is_empty()
            && !title.contains(&version)
        {
            title.push(' ');
            title.push_str(&version);
        }
        let stateroot = &deployment.id.stateroot;
        let several = list.iter().any(|other| other.id.stateroot != *stateroot);
        let place = match several {
            true => format!(" (ostree:{stateroot}:{index})"),
            false => format!(" (ostree:{index})"),
        };
        title.push_str(&place);
        // A line break from a foreign os-release or commit would end the line early.
        Ok(title.replace(['\n', '\r'], " "))
    }

    fn entry_name(&self, list: &[Deployment], index: usize) -> String {
        let deployment = &list[index];
        let number = list.len() - index;
        let stateroot = match self.options.entry_names_with_stateroot {
            true => format!("-{}", deployment.id.stateroot),
            false => String::new(),
        };
        let tries = match deployment.tries {
            BootTries::New(tries) if tries > 0 => format!("+{tries}"),
            BootTries::Counted(count) if count.left > 0 || count.done > 0 => {
                format!("+{}-{}", count.left, count.done)
            }
            _ => String::new(),
        };
        format!("ostree-{number}{stateroot}{tries}.conf")
    }

    /// Metadata `version` of a commit; none if the commit is gone.
    pub(crate) fn commit_version(&self, id: &CommitId) -> Result<Option<String>> {
        match self.repo.load_commit(id) {
            Ok(commit) => Ok(commit.metadata.get_str(key::VERSION).map(str::to_owned)),
            Err(error) if error.missing_object().is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What stands before paths in boot entries: nothing, or `/boot` where the boot loader starts
    /// at the root file system.
    fn boot_prefix(&self) -> Result<&'static str> {
        let config = &self.repo.config().keyfile;
        let prefix = config.boolean("sysroot", "bootprefix").optional()?;
        Ok(if prefix.unwrap_or(false) { "/boot" } else { "" })
    }

    /// `sysroot.bls-append-except-default`: fields for all entries but the default.
    fn append_except_default(&self) -> Result<Vec<(String, String)>> {
        let config = &self.repo.config().keyfile;
        let list = config
            .string_list("sysroot", "bls-append-except-default")
            .optional()?;
        list.unwrap_or_default()
            .into_iter()
            .map(|item| match item.split_once('=') {
                Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
                _ => Err(Error::invalid(format!(
                    "Invalid value '{item}' in sysroot.bls-append-except-default: expected KEY=VALUE"
                ))),
            })
            .collect()
    }

    /// `sysroot.boot-counting-tries`: how often a new entry is tried, 0 to 5.
    pub(crate) fn boot_tries(&self) -> Result<u32> {
        let config = &self.repo.config().keyfile;
        let Some(tries) = config.uint64("sysroot", "boot-counting-tries").optional()? else {
            return Ok(0);
        };
        match u32::try_from(tries) {
            Ok(tries) if tries <= 5 => Ok(tries),
            _ => Err(Error::invalid(format!(
                "Invalid sysroot.boot-counting-tries '{tries}': expected 0 to 5"
            ))),
        }
    }
}

fn os_name(root: &Dir) -> Result<String> {
    for path in ["usr/lib/os-release", "etc/os-release"] {
        if let Some(text) = root.read(Beneath::Tree, path, OS_RELEASE_LIMIT)? {
            let text = String::from_utf8_lossy(&text);
            if let Some(name) = OsRelease::parse(&text).name() {
                return Ok(name.to_owned());
            }
            break;
        }
    }
    Err(Error::invalid("No PRETTY_NAME or ID in /etc/os-release"))
}

fn set_paths(entry: &mut BootEntry, paths: &KernelPaths, prefix: &str, deployment: &Deployment) {
    entry.set("linux", &format!("{prefix}{}", paths.linux));
    let mut set = |key: &str, path: Option<String>| match path {
        Some(path) => entry.set(key, &path),
        None => entry.remove(key),
    };
    let prefixed = |path: &Option<String>| path.as_ref().map(|path| format!("{prefix}{path}"));
    set("initrd", prefixed(&paths.initrd));
    set("devicetree", prefixed(&paths.devicetree));
    if paths.fdtdir.is_some() {
        set("fdtdir", prefixed(&paths.fdtdir));
    }
    // Android's boot images are found from the root file system: no prefix.
    if paths.aboot.is_some() {
        set("aboot", paths.aboot.clone());
        set(
            "abootcfg",
            Some(format!(
                "/{}/usr/lib/ostree-boot/aboot.cfg",
                deployment.id.path()
            )),
        );
    }
}
