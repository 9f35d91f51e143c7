//! The `rofiles-fuse` program: arguments in, a mount served until it is taken away.
#![forbid(unsafe_code)]

use osier_fuse::Settings;
use osier_fuse::arguments::{self, Arguments, HELP, Wanted};
use osier_fuse::mount::{self, Mounted, words};
use osier_fuse::nodes::Nodes;
use osier_fuse::serve::Service;
use osier_fuse::view::View;
use osier_sys::background::{self, Side};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments::read(&words) {
        Ok(Wanted::Help) => print(HELP),
        Ok(Wanted::Version) => print(concat!(
            "rofiles-fuse (Osier) ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Ok(Wanted::Mount(arguments)) => serve(&arguments),
        Err(wrong) => fail(&wrong.text, wrong.code),
    }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(text: &str, code: u8) -> ExitCode {
    // Nothing sensible is left to do if stderr is gone.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}

fn serve(arguments: &Arguments) -> ExitCode {
    let cannot_open = |error: &io::Error| {
        fail(
            &format!(
                "rofiles-fuse: opening rootfs {}: {}",
                arguments.base.display(),
                words(error)
            ),
            1,
        )
    };
    let top = match mount::open_base(arguments.base.as_os_str()) {
        Ok(top) => top,
        Err(error) => return cannot_open(&error),
    };
    let Some(place) = &arguments.mount_point else {
        return fail("error: no mountpoint specified", 2);
    };
    prepare(arguments.debug);
    let nodes = match Nodes::new(top) {
        Ok(nodes) => nodes,
        Err(error) => return cannot_open(&error.into()),
    };
    let view = Arc::new(View::new(
        nodes,
        Settings {
            copy_up: arguments.copy_up,
        },
    ));
    let notifier = Arc::new(OnceLock::new());
    let service = Service::new(view.clone(), arguments.caching, notifier.clone());
    let (session, mounted) =
        match mount::mount(service, place, &arguments.mount, threads(arguments.single)) {
            Ok(made) => made,
            Err(failed) => return fail(&failed.to_string(), failed.code()),
        };
    if let Some(device) = mounted.device() {
        view.nodes.mounted_as(device);
    }
    let _ = notifier.set(session.notifier());
    // Caught from before the starting process ends: whoever waits for that may send a signal at once, and a process that
    // dies of it leaves a dead mount.
    let signals = match Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        Ok(signals) => signals,
        Err(error) => {
            let _ = mounted.unmount();
            return fail(&format!("fuse: waiting for signals: {}", words(&error)), 6);
        }
    };
    if !arguments.foreground && !arguments.debug {
        match background::split() {
            // Nothing of the mount is let go here: it is the other's now.
            Ok(Side::Front) => std::process::exit(0),
            Ok(Side::Back) => detach(),
            Err(error) => {
                let _ = mounted.unmount();
                return fail(
                    &format!("fuse: going to the background: {}", words(&error)),
                    5,
                );
            }
        }
    }
    if let Err(error) = unmount_on_signals(signals, mounted) {
        return fail(&format!("fuse: waiting for signals: {}", words(&error)), 6);
    }
    match session.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("fuse: serving the mount: {}", words(&error)), 8),
    }
}

/// What the process needs to be before it serves.
fn prepare(debug: bool) {
    // Modes come from the kernel with the caller's mask applied.
    rustix::process::umask(Mode::empty());
    // Each directory that the kernel knows is one descriptor here. Root may raise the limit itself.
    let most = Some(1 << 20);
    let wanted = Rlimit {
        current: most,
        maximum: most,
    };
    if rustix::process::setrlimit(Resource::Nofile, wanted).is_err() {
        let limit = rustix::process::getrlimit(Resource::Nofile);
        let _ = rustix::process::setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                ..limit
            },
        );
    }
    if debug && log::set_logger(&Stderr).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

/// Enough threads that slow files do not hold up fast ones.
fn threads(single: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if single { 1 } else { (cores * 2).clamp(4, 16) }
}

/// Lets go of the folder and the terminal that the program was started from.
fn detach() {
    let _ = rustix::process::chdir("/");
    if let Ok(null) = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// Asked to stop, the program takes its mount away; serving ends with that.
fn unmount_on_signals(mut signals: Signals, mounted: Mounted) -> io::Result<()> {
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
                if let Err(error) = mounted.unmount() {
                    log::error!("unmounting: {error}");
                }
            }
        })?;
    Ok(())
}

/// Prints each request, for `-d`.
struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(io::stderr(), "{}", record.args());
    }

    fn flush(&self) {}
}
