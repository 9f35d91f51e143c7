//! Killing our program before a chosen one of its calls that change the file system.
//!
//! The calls of all threads are counted together, in the order in which they are made, so that every one of them can be
//! chosen. (`strace` counts each call by name and by thread, and so never gets at the rare ones.)

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use osier_testkit::skip;
use osier_testkit::tool::Tool;
use std::process::{Command, Stdio};

/// Calls that change something, beside those that open a new file. `ioctl` is left out: a kill while `/boot` is frozen would freeze this machine if the
/// watchdog failed; its own test shows that it works.
const CHANGING: [libc::c_long; 23] = [
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fsetxattr,
    libc::SYS_lsetxattr,
    libc::SYS_setxattr,
    libc::SYS_utimensat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_syncfs,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_copy_file_range,
];
/// More calls than any command under test makes; a run that ends by itself ends the loop much earlier.
const MOST: usize = 20_000;

/// Our program with two threads; `None`, said aloud, where its calls cannot be counted or the program under test is the
/// C tool, which makes no such promise.
pub fn tool() -> Option<Tool> {
    if crate::ours_is_c() {
        skip::because("the C tool makes no such promise");
        return None;
    }
    Some(Tool::ours().env("RAYON_NUM_THREADS", "2"))
}

/// Has `run` run a command again and again, killed at ever later calls, till one ends by itself. `run` gets the number
/// of the call and says whether the command was killed. `OSIER_KILL_EVERY=1` tries each call, the default every
/// seventh.
///
/// # Panics
/// When the command makes no changing call, or too many.
pub fn everywhere(what: &str, mut run: impl FnMut(usize) -> bool) {
    let every = std::env::var("OSIER_KILL_EVERY").map_or(7, |text| {
        text.parse().expect("OSIER_KILL_EVERY is a number")
    });
    for number in (1..MOST).step_by(every) {
        if !run(number) {
            assert!(number > every, "{what} never made a changing call");
            println!("{what}: killed at {} moments", (number - 1) / every);
            return;
        }
    }
    panic!("{what} makes more than {MOST} changing calls");
}

/// Runs the command, killed before its `number`th changing call; whether it was killed.
///
/// # Panics
/// When it ends in another way than by success or the kill.
pub fn run(command: &Command, number: usize) -> bool {
    stop(command, number, Signal::SIGKILL)
}

/// As [`run`], but asked to end as Ctrl-C does; whether it was asked. It may have come to its end nevertheless.
///
/// # Panics
/// As [`run`].
pub fn interrupt(command: &Command, number: usize) -> bool {
    stop(command, number, Signal::SIGINT)
}

fn stop(command: &Command, number: usize, stop: Signal) -> bool {
    // Stops itself, so that it can be caught before its first call.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "kill -STOP $$; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    #[expect(
        clippy::zombie_processes,
        reason = "the loop below waits for it, as its tracer"
    )]
    let child = shell.spawn().expect("sh runs");
    let root = Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
    let stopped = waitpid(root, Some(WaitPidFlag::WUNTRACED));
    assert_eq!(stopped, Ok(WaitStatus::Stopped(root, Signal::SIGSTOP)));
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(root, options).expect("processes may be traced here");
    kill(root, Signal::SIGCONT).expect("the child is there");
    let mut started = false;
    let mut calls = 0;
    loop {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        match waitpid(None, Some(flags)).expect("the child has not ended yet") {
            WaitStatus::PtraceSyscall(pid) => {
                if started && enters_changing(pid) {
                    calls += 1;
                    if calls == number {
                        kill(root, stop).expect("the child is there");
                        if stop == Signal::SIGKILL {
                            continue;
                        }
                    }
                }
                go_on(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                started |= event == libc::PTRACE_EVENT_EXEC;
                go_on(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => {
                let own = matches!(signal, Signal::SIGSTOP | Signal::SIGTRAP | Signal::SIGCONT);
                go_on(pid, (!own).then_some(signal));
            }
            WaitStatus::Exited(pid, code) if pid == root => {
                assert_eq!(code, 0, "{command:?} failed by itself");
                return stop != Signal::SIGKILL && calls >= number;
            }
            WaitStatus::Signaled(pid, signal, _) if pid == root => {
                assert_eq!(signal, stop, "{command:?}");
                return true;
            }
            _ => {}
        }
    }
}

fn go_on(pid: Pid, signal: Option<Signal>) {
    match ptrace::syscall(pid, signal) {
        // Killed meanwhile: its end is told next.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("going on with {pid}: {error}"),
    }
}

/// Whether the thread is about to make one of the calls.
fn enters_changing(pid: Pid) -> bool {
    let Ok(info) = ptrace::syscall_info(pid) else {
        return false;
    };
    let Ok(regs) = ptrace::getregs(pid) else {
        return false;
    };
    #[cfg(target_arch = "x86_64")]
    let (number, third) = (regs.orig_rax, regs.rdx);
    #[cfg(target_arch = "aarch64")]
    let (number, third) = (regs.regs[8], regs.regs[2]);
    let creates = third & (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u64 != 0;
    info.op == libc::PTRACE_SYSCALL_INFO_ENTRY
        && libc::c_long::try_from(number).is_ok_and(|number| match number {
            libc::SYS_openat => creates,
            number => CHANGING.contains(&number),
        })
}
