//! `rofiles-fuse`: the same operations on the C program's mount and on ours give the same results, errors included;
//! where the C program lets a shared file be changed, ours does not.

#[path = "rofiles/mount.rs"]
mod mount;
#[path = "rofiles/ops/mod.rs"]
mod ops;

use mount::{Fixture, Guard, c_program, is_mounted, our_program, ours_is_c, run};
use osier_conformance::{Scratch, commit, root_or_skip, text};
use osier_testkit::tool::Tool;
use rustix::fs::{AtFlags, CWD, FallocateFlags, Mode, OFlags, XattrFlags};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What an operation says on a fresh mount, and what it leaves below the mount and in the store.
fn told(program: &Path, args: &[&str], (name, op): &(&str, ops::Op)) -> String {
    let fixture = if *name == "readdir" {
        Fixture::sized(1500)
    } else {
        Fixture::new()
    };
    let mut told = ops::Told(String::new());
    {
        let guard = Guard::mount(program, args, &fixture.base, &fixture.mnt);
        op(&guard.mnt, &mut told);
    }
    told.0 + &fixture.left()
}

fn compare(args: &[&str]) {
    if !root_or_skip() {
        return;
    }
    let Some(c) = c_program() else { return };
    let ours = our_program();
    let mut wrong = Vec::new();
    for op in ops::all() {
        let (our, c) = (told(&ours, args, op), told(&c, args, op));
        let lines: Vec<String> = our
            .lines()
            .zip(c.lines())
            .filter(|(our, c)| our != c)
            .map(|(our, c)| format!("  ours {our}\n  C    {c}"))
            .collect();
        if !lines.is_empty() || our.lines().count() != c.lines().count() {
            wrong.push(format!("{}:\n{}", op.0, lines.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{args:?} differ:\n{}", wrong.join("\n"));
}

#[test]
fn operations_on_an_immutable_mount_are_those_of_the_c_program() {
    compare(&[]);
}

#[test]
fn operations_on_a_mount_that_copies_up_are_those_of_the_c_program() {
    compare(&["--copyup"]);
}

#[test]
fn command_lines_end_as_the_c_programs_do() {
    if !root_or_skip() {
        return;
    }
    let Some(c) = c_program() else { return };
    let fixture = Fixture::new();
    let (base, mnt) = (text(&fixture.base), text(&fixture.mnt));
    let (absent, file) = (fixture.path("absent"), fixture.base.join("own"));
    for args in [
        &[][..],
        &["--copyup"],
        &[text(&absent), mnt],
        &[text(&file), mnt],
        &["", mnt],
        &[base],
        &[base, text(&absent)],
        &[base, mnt, "extra"],
        &["--bogus", base, mnt],
        &["--copyup=1", base, mnt],
        &["-x", base, mnt],
        &["-o", "bogus", base, mnt],
        &["-o", "ro,copyup", base, mnt],
        &["-o", "use_ino", base, mnt],
        &["-o", "entry_timeout=x", base, mnt],
        &[base, mnt, "-o"],
        &["-V"],
    ] {
        let [our, c] = [&our_program(), &c].map(|program| {
            let output = run(program, args);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            (
                output.status.code(),
                stderr.replace(text(program), "rofiles-fuse"),
            )
        });
        // Debian's 2022.7 forgot the exit code where mounting fails.
        if c.0 != Some(0) {
            assert_eq!(our.0, c.0, "{args:?}: {our:?} {c:?}");
        }
        assert!(our.0 != Some(0) || ours_is_c(), "{args:?}: {our:?}");
        assert_eq!(our.1, c.1, "{args:?}");
        assert!(!is_mounted(&fixture.mnt), "{args:?}");
    }
    if ours_is_c() {
        return;
    }
    for (args, word) in [
        (["--help"], "basepath mountpoint"),
        (["-h"], "--copyup"),
        (["--version"], "rofiles-fuse"),
    ] {
        let output = run(&our_program(), &args);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(word),
            "{args:?}: {output:?}"
        );
    }
}

#[test]
fn mount_options_are_seen_in_the_mount_table() {
    if !root_or_skip() {
        return;
    }
    let Some(c) = c_program() else { return };
    for options in [
        "rw",
        "ro",
        "ro,rw",
        "ro,noexec,suid,dev,noatime,fsname=XX",
        "subtype=zz",
        "sync,dirsync",
        "default_permissions",
    ] {
        let fixture = Fixture::new();
        let [our, c] = [&our_program(), &c].map(|program| {
            let guard = Guard::mount(program, &["-o", options], &fixture.base, &fixture.mnt);
            let table = fs::read_to_string("/proc/self/mounts").unwrap();
            let line = table
                .lines()
                .find(|line| line.split(' ').nth(1) == Some(text(&guard.mnt)));
            line.unwrap().to_owned()
        });
        assert_eq!(our, c, "{options}");
    }
}

/// Each of the ways through which the C program lets a shared file change.
#[test]
fn shared_files_do_not_change_where_the_c_program_lets_them() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    for copy_up in [false, true] {
        let fixture = Fixture::new();
        let before = store(&fixture);
        {
            let args: &[&str] = if copy_up { &["--copyup"] } else { &[] };
            let guard = Guard::mount(&our_program(), args, &fixture.base, &fixture.mnt);
            let at = |name: &str| guard.mnt.join(name);
            let refused = |result: rustix::io::Result<()>, what: &str| {
                let expected = if copy_up {
                    Ok(())
                } else {
                    Err(rustix::io::Errno::ROFS)
                };
                assert_eq!(result, expected, "{what}, copying up: {copy_up}");
            };
            refused(
                open(&at("hard"), OFlags::RDONLY | OFlags::TRUNC).map(drop),
                "O_RDONLY | O_TRUNC",
            );
            refused(
                rustix::fs::removexattr(at("dir/inner"), "user.k"),
                "removexattr",
            );
            // An attribute of a link is the link's own, not that of the file it leads to.
            rustix::fs::lsetxattr(at("link"), "trusted.l", b"l", XattrFlags::empty()).unwrap();
            refused(
                rustix::fs::lsetxattr(at("hlink"), "trusted.l", b"l", XattrFlags::empty()),
                "lsetxattr",
            );
            assert!(
                osier_testkit::xattr::list(&at("link"))
                    .unwrap()
                    .contains_key("trusted.l")
            );
        }
        assert_eq!(before, store(&fixture), "copying up: {copy_up}");
    }
}

fn open(path: &Path, flags: OFlags) -> rustix::io::Result<rustix::fd::OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o644))
}

/// The store's files, without their link counts.
fn store(fixture: &Fixture) -> Vec<String> {
    let left = fixture.left();
    let lines = left.lines().filter(|line| line.starts_with("store/"));
    lines
        .map(|line| line.split(" links ").next().unwrap().to_owned())
        .collect()
}

#[test]
fn what_the_c_program_lacks_works() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::new();
    let guard = Guard::mount(&our_program(), &[], &fixture.base, &fixture.mnt);
    let at = |name: &str| guard.mnt.join(name);
    let file = open(&at("own"), OFlags::RDWR).unwrap();
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, 9000).unwrap();
    assert_eq!(at("own").metadata().unwrap().len(), 9000);
    assert_eq!(fixture.base.join("own").metadata().unwrap().len(), 9000);
    // Holes are holes.
    let sparse = open(&at("sparse"), OFlags::RDONLY).unwrap();
    assert_eq!(
        rustix::fs::seek(&sparse, rustix::fs::SeekFrom::Hole(0)),
        Ok(0)
    );
    // A link is counted at once.
    fs::hard_link(at("twin-a"), at("twin-c")).unwrap();
    assert_eq!(at("twin-a").metadata().unwrap().nlink(), 3);
    // A copy is as old as what it is a copy of.
    {
        let other = Fixture::new();
        let guard = Guard::mount(&our_program(), &["--copyup"], &other.base, &other.mnt);
        rustix::fs::chmod(guard.mnt.join("hard"), Mode::from_raw_mode(0o600)).unwrap();
        let copy = guard.mnt.join("hard").metadata().unwrap();
        assert_eq!(
            (copy.mtime(), copy.mtime_nsec(), copy.nlink()),
            (1_500_000_000, 7, 1)
        );
    }
    // A directory that was removed is empty, not an error, for who is in it.
    let gone = open(&at("empty"), OFlags::RDONLY).unwrap();
    fs::remove_dir(at("empty")).unwrap();
    let left: Vec<_> = rustix::fs::Dir::new(gone)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_owned())
        .collect();
    assert!(
        left.iter().all(|name| name.to_bytes().starts_with(b".")),
        "{left:?}"
    );
}

/// A build that does everything wrong in a checkout.
const CLUMSY: &str = r#"
cd "$1"
for f in $(find . -type f); do
    echo scribble > $f
    echo more >> $f
    true > $f
    truncate -s 1 $f
    dd if=/dev/zero of=$f bs=1 count=1 conv=notrunc
    chmod 0777 $f
    chown 12:34 $f
    setfattr -n user.bad -v 1 $f
    setfattr -x user.attr $f
    python3 -c 'import os,sys; os.close(os.open(sys.argv[1], os.O_RDONLY | os.O_TRUNC))' $f
    python3 -c 'import mmap,sys; m=mmap.mmap(open(sys.argv[1],"r+b").fileno(),0); m[0:1]=b"X"' $f
    sed -i -e s/a/b/ $f
    ln $f $f.link && echo x >> $f.link
    mv $f $f.moved && echo x >> $f.moved
    cp /etc/passwd $f
done
for l in $(find . -type l); do
    chown -h 12:34 $l
    echo through > $l
    setfattr -h -n trusted.bad -v 1 $l
done
rm -rf usr/share
true
"#;

#[test]
fn a_clumsy_build_cannot_corrupt_a_repository() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let tool = Tool::ours();
    for args in [&[][..], &["--copyup"]] {
        let scratch = Scratch::new();
        let repo = scratch.init(&tool, "repo", "bare");
        let tree = scratch.path("tree");
        for (name, content) in [
            ("usr/bin/a", "a program"),
            ("usr/share/b", "data"),
            ("etc/c", "aaa\n"),
            ("etc/d", ""),
        ] {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            let _ = osier_testkit::xattr::set(&path, "user.attr", b"1");
        }
        rustix::fs::symlink("a", tree.join("usr/bin/link")).unwrap();
        let id = commit(&tool, &repo, "main", &tree, &[]);
        let root = scratch.path("root");
        tool.repo(&repo).ok(["checkout", "-H", "main", text(&root)]);
        let mnt = scratch.path("mnt");
        fs::create_dir(&mnt).unwrap();
        {
            let guard = Guard::mount(&our_program(), args, &root, &mnt);
            let build = Command::new("sh")
                .args(["-c", CLUMSY, "sh"])
                .arg(&guard.mnt)
                .output()
                .unwrap();
            assert!(build.status.success(), "{build:?}");
        }
        tool.repo(&repo).ok(["fsck"]);
        let again = scratch.path("again");
        tool.repo(&repo).ok(["checkout", "main", text(&again)]);
        assert_eq!(
            commit(&tool, &repo, "again", &again, &["--no-bindings"]),
            { commit(&tool, &repo, "orig", &tree, &["--no-bindings"]) },
            "{args:?}: {id} changed"
        );
        assert!(!root.join("usr/share").exists(), "{args:?}: deleting works");
        // The result can be committed from below, with unchanged files known by their inodes.
        tool.repo(&repo).ok([
            "commit",
            "--branch=built",
            "--link-checkout-speedup",
            text(&root),
        ]);
        tool.repo(&repo).ok(["fsck"]);
    }
}

/// The daemon of a mount, by what the kernel says holds `/dev/fuse` with that mount point in its command line.
fn daemon(mnt: &Path) -> rustix::process::Pid {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(words) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let is_ours = words
            .split(|&b| b == 0)
            .any(|word| word == text(mnt).as_bytes());
        if is_ours && let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() {
            return rustix::process::Pid::from_raw(pid).unwrap();
        }
    }
    panic!("no daemon of {}", mnt.display());
}

/// Waits for what happens when a process has ended.
fn eventually(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("never: {what}");
}

#[test]
fn a_killed_daemon_leaves_the_tree_and_can_be_replaced() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::new();
    let before = fixture.left();
    let guard = Guard::mount(&our_program(), &["--copyup"], &fixture.base, &fixture.mnt);
    let pid = daemon(&fixture.mnt);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually("the mount is dead", || {
        fs::read(fixture.mnt.join("hard")).is_err()
    });
    assert_eq!(before, fixture.left());
    // Mounting over the dead one says what is wrong with it.
    let output = run(&our_program(), &[text(&fixture.base), text(&fixture.mnt)]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("bad mount point"),
        "{output:?}"
    );
    drop(guard);
    let _guard = Guard::mount(&our_program(), &[], &fixture.base, &fixture.mnt);
    assert_eq!(
        fs::read_to_string(fixture.mnt.join("hard")).unwrap(),
        "hard\n"
    );
}

#[test]
fn signals_and_unmounting() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::new();
    let guard = Guard::mount(&our_program(), &[], &fixture.base, &fixture.mnt);
    // A busy mount stays.
    let open_file = fs::File::open(fixture.mnt.join("hard")).unwrap();
    let busy = Command::new("fusermount3")
        .arg("-u")
        .arg(&fixture.mnt)
        .output()
        .unwrap();
    assert!(
        !busy.status.success() && is_mounted(&fixture.mnt),
        "{busy:?}"
    );
    drop(open_file);
    let pid = daemon(&fixture.mnt);
    let free = Command::new("fusermount3")
        .arg("-u")
        .arg(&fixture.mnt)
        .output()
        .unwrap();
    assert!(free.status.success(), "{free:?}");
    eventually("the daemon ended", || {
        !Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()
    });
    drop(guard);
    let guard = Guard::mount(&our_program(), &[], &fixture.base, &fixture.mnt);
    let pid = daemon(&fixture.mnt);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    eventually("unmounted", || !is_mounted(&fixture.mnt));
    eventually("the daemon ended", || {
        !Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()
    });
    drop(guard);
    // In the foreground, the program ends with the mount and says that all was well.
    let mut child = Command::new(our_program())
        .args(["-f", text(&fixture.base), text(&fixture.mnt)])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    eventually("mounted", || is_mounted(&fixture.mnt));
    let free = Command::new("fusermount3")
        .arg("-u")
        .arg(&fixture.mnt)
        .output()
        .unwrap();
    assert!(free.status.success(), "{free:?}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_mount_inside_its_own_tree_or_over_it() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::new();
    {
        let guard = Guard::mount(
            &our_program(),
            &["-s"],
            &fixture.base,
            &fixture.base.join("empty"),
        );
        assert!(guard.mnt.join("hard").exists());
        let error = fs::read_dir(guard.mnt.join("empty")).unwrap_err();
        assert_eq!(
            error.raw_os_error(),
            Some(rustix::io::Errno::LOOP.raw_os_error())
        );
        let find = Command::new("find").arg(&guard.mnt).output().unwrap();
        assert!(
            String::from_utf8_lossy(&find.stdout).contains("many/a-name"),
            "{find:?}"
        );
    }
    let guard = Guard::mount(&our_program(), &[], &fixture.base, &fixture.base);
    assert!(fs::write(guard.mnt.join("hard"), "no").is_err());
    fs::write(guard.mnt.join("new"), "yes").unwrap();
    drop(guard);
    assert_eq!(fs::read_to_string(fixture.base.join("new")).unwrap(), "yes");
}

#[test]
fn others_get_what_modes_allow_and_own_what_they_make() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::new();
    rustix::fs::chmod(fixture.base.join("dir"), Mode::from_raw_mode(0o777)).unwrap();
    let guard = Guard::mount(
        &our_program(),
        &["-o", "allow_other"],
        &fixture.base,
        &fixture.mnt,
    );
    let script = r#"cd "$1"; cat hard; echo x > own; ls closed; umask 022; echo made > dir/new; mkdir dir/d; ln -s a dir/l; stat -c '%n %u:%g %a' dir/new dir/d dir/l"#;
    let output = Command::new("setpriv")
        .args([
            "--reuid=1001",
            "--regid=1002",
            "--clear-groups",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(&guard.mnt)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "hard\ndir/new 1001:1002 644\ndir/d 1001:1002 755\ndir/l 1001:1002 777\n",
        "{stderr}"
    );
    assert_eq!(stderr.matches("ermission denied").count(), 2, "{stderr}");
    assert_eq!(
        fs::read_to_string(fixture.base.join("own")).unwrap(),
        "own\n"
    );
}

#[test]
fn a_large_tree_takes_few_descriptors_and_threads_do_not_mix_up_names() {
    if !root_or_skip() || ours_is_c() {
        return;
    }
    let fixture = Fixture::sized(1500);
    let guard = Guard::mount(&our_program(), &["--copyup"], &fixture.base, &fixture.mnt);
    assert_eq!(
        fs::read_dir(guard.mnt.join("many"))
            .unwrap()
            .filter(|e| e.as_ref().unwrap().metadata().is_ok())
            .count(),
        1500
    );
    let fds = fs::read_dir(format!(
        "/proc/{}/fd",
        daemon(&fixture.mnt).as_raw_nonzero()
    ))
    .unwrap()
    .count();
    assert!(fds < 200, "{fds} descriptors for 1500 files");
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let dir = guard.mnt.join("many");
            scope.spawn(move || {
                for round in 0..60 {
                    let (a, b) = (
                        dir.join(format!("a{worker}")),
                        dir.join(format!("b{worker}")),
                    );
                    let content = format!("{worker} {round}");
                    fs::write(&a, &content).unwrap();
                    fs::rename(&a, &b).unwrap();
                    assert_eq!(fs::read_to_string(&b).unwrap(), content);
                    rustix::fs::linkat(CWD, &b, CWD, &a, AtFlags::empty()).unwrap();
                    // Shared now: the write makes two files of it.
                    fs::write(&b, "other").unwrap();
                    assert_eq!(fs::read_to_string(&a).unwrap(), content);
                    let shared: PathBuf = dir.join(format!("a-name-of-some-length-{round:05}"));
                    fs::OpenOptions::new().append(true).open(&shared).unwrap();
                    fs::remove_file(&a).unwrap();
                    fs::remove_file(&b).unwrap();
                }
            });
        }
    });
    drop(guard);
    let names: Vec<_> = fs::read_dir(fixture.base.join("many"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 1500);
}
