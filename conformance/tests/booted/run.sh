#!/bin/bash
# What `ostree admin` says and does on a system that runs from a deployment: a chroot in a namespace of its own.
# usage: unshare --mount --pid --fork run.sh TOOL FOLDER > output     (root; FOLDER is made; mounts are private then)
# expected.txt was made with the C tool 2026.4, TOOL=ostree, inside a Debian root.
set -euo pipefail
tool=$(command -v "$1")
work=$2
export LC_ALL=C TZ=UTC OSTREE_SYSROOT_DEBUG=mutable-deployments
umask 022
mkdir "$work"
cd "$work"
# tree N: a system; the folders at its end get this machine's programs.
tree() {
  mkdir -p "$1"/{boot,dev,etc,home,proc,run,sys,sysroot,var} "$1"/usr/{bin,etc,lib/tmpfiles.d,lib/modules/6.1,tool}
  rmdir "$1/etc"
  mkdir -p "$1"/usr/{lib64,lib/x86_64-linux-gnu}
  for link in bin lib lib64; do ln -s "usr/$link" "$1/$link"; done
  ln -s sysroot/ostree "$1/ostree"
  echo "kernel $2" > "$1/usr/lib/modules/6.1/vmlinuz"
  echo "initramfs $2" > "$1/usr/lib/modules/6.1/initramfs.img"
  echo 'PRETTY_NAME="Willow"' > "$1/usr/lib/os-release"
  echo "motd $2" > "$1/usr/etc/motd"
}
publish() {
  $tool --repo=S/ostree/repo commit -b os/main --tree=dir="$work/t$1" --canonical-permissions \
    --timestamp="@170000000$1" --add-metadata-string=version="v$1" >/dev/null
}
# booted ARGS: runs a shell command inside.
booted() {
  echo "## $*"
  chroot "$root" /bin/sh -c "PATH=/usr/tool:/usr/bin; $*" || echo "rc=$?"
}

main() {
  for n in 1 2 3; do tree "t$n" $n; done
  mkdir S
  $tool admin init-fs --modern S >/dev/null
  for name in willow other; do $tool admin --sysroot=S stateroot-init $name >/dev/null; done
  publish 1
  $tool admin --sysroot=S deploy --os=willow --karg=root=x os/main
  root=$(echo "$work"/S/ostree/deploy/willow/deploy/*.0)
  mount --bind "$root" "$root"
  mount --bind S "$root/sysroot"
  mount --bind S/boot "$root/boot"
  mount --bind S/ostree/deploy/willow/var "$root/var"
  for dir in usr/bin usr/lib64 usr/lib/x86_64-linux-gnu; do
    if [ -d "/$dir" ]; then mount --bind "/$dir" "$root/$dir"; fi
  done
  mount --bind "$(dirname "$tool")" "$root/usr/tool"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/run"
  touch "$root/run/ostree-booted"

  booted ostree admin status
  publish 2
  booted ostree admin deploy os/main
  booted ostree admin status
  booted ostree admin status -D
  publish 3
  booted ostree admin deploy os/main
  booted ostree admin status --json
  booted ostree admin deploy --retain os/main
  booted ostree admin status
  booted ostree admin undeploy 2
  booted ostree admin pin booted pending rollback
  booted ostree admin pin booted pending
  booted ostree admin set-default 2
  booted ostree admin status -D
  booted ostree admin status
  booted ostree admin deploy --not-as-default os/main
  booted ostree admin status
  booted ostree admin deploy --retain-pending os/main
  booted ostree admin deploy --retain-rollback os/main
  booted ostree admin status
  booted 'echo mine > /etc/mine; ostree admin config-diff'
  booted ostree admin upgrade
  booted ostree admin deploy --stateroot=other --karg=y os/main
  booted ostree admin status
  booted 'cat /boot/loader/entries/*'
  booted 'ostree admin set-origin --set=gpg-verify=false up http://127.0.0.1:9/; ostree admin status'
  booted ostree admin undeploy 0
  mount -o remount,bind,ro "$root/sysroot"
  mount -o remount,bind,ro "$root/boot"
  booted ostree admin deploy os/main
  booted ostree admin status
  booted touch /sysroot/written
  mount -o remount,bind,rw "$root/sysroot"
  mount -o remount,bind,rw "$root/boot"
  rm "$root/run/ostree-booted"
  booted ostree admin status
}

# Checksums keep their first 12 digits.
main 2>&1 | sed -E 's/([0-9a-f]{12})[0-9a-f]{52}/\1/g'
