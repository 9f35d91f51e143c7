//! `ostree admin instutil set-kargs`.

use anyhow::{Result, bail};
use osier_sysroot::kargs::KernelArgs;

use crate::admin::deploy::proc_cmdline;
use crate::admin::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Set new kernel command line arguments(Not stable)
#[derive(clap::Args)]
#[command(after_help = "ostree admin instutil set-kargs --merge --append=quiet")]
pub struct Args {
    /// Import current /proc/cmdline
    #[arg(long)]
    import_proc_cmdline: bool,
    /// Merge with previous command line
    #[arg(long)]
    merge: bool,
    /// Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the same name
    #[arg(long, value_name = "NAME=VALUE")]
    replace: Vec<String>,
    /// Append kernel argument; useful with e.g. console= that can be used multiple times
    #[arg(long, value_name = "NAME=VALUE")]
    append: Vec<String>,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "ARGS";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let mut sysroot = open::lock(cx)?;
        let Some(first) = sysroot.deployments().first() else {
            bail!("Unable to find a deployment in sysroot");
        };
        let mut kargs = match proc_cmdline(self.import_proc_cmdline)? {
            Some(cmdline) => KernelArgs::from_proc_cmdline(&cmdline)?,
            None if self.merge => first.entry.kargs()?,
            None => KernelArgs::new(),
        };
        for arg in &self.replace {
            kargs.replace(arg)?;
        }
        for arg in self.append.iter().chain(&self.rest) {
            kargs.append(arg)?;
        }
        Ok(sysroot.set_kargs(0, &kargs)?)
    }
}
