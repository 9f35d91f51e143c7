#!/bin/bash
# Makes worked-example.txt beside it with the C tool: each step's words and the sysroot after it.
# usage: TOOL=ostree make.sh > worked-example.txt   (2026.4 or newer, umask 022, in an empty folder)
# The Rust test in ../golden.rs does the same steps and must give the same text.
set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC OSTREE_SYSROOT_DEBUG=mutable-deployments
tool=${TOOL:-ostree}
umask 022

# tree NAME KERNEL: a small system.
tree() {
  mkdir -p "$1"/{boot,dev,proc,run,sys,sysroot,var/lib/data} "$1"/usr/{bin,etc/sub,lib/tmpfiles.d,lib/modules/6.1}
  ln -s sysroot/ostree "$1/ostree"
  echo "kernel $2" > "$1/usr/lib/modules/6.1/vmlinuz"
  echo "initramfs $2" > "$1/usr/lib/modules/6.1/initramfs.img"
  printf 'ID=willow\nPRETTY_NAME="Willow %s"\n' "$1" > "$1/usr/lib/os-release"
  echo "sh $1" > "$1/usr/bin/sh"
  chmod 755 "$1/usr/bin/sh"
  echo willow > "$1/usr/etc/hostname"
  echo "motd $1" > "$1/usr/etc/motd"
  echo default > "$1/usr/etc/sub/default"
  ln -s motd "$1/usr/etc/link"
  echo data > "$1/var/lib/data/file"
}

publish() {
  $tool --repo=S/ostree/repo commit -b os/main --tree=dir="$1" --canonical-permissions \
    --add-metadata-string=version="$2" --timestamp="@$3" >/dev/null
}

# state: everything below the sysroot but objects, locks, deployed /usr and times; entries and origins in full.
state() {
  echo "-- sysroot"
  (cd S && find . -mindepth 1 \( -path ./ostree/repo/objects -o -path ./ostree/repo/tmp -o -path ./ostree/repo/extensions \
      -o -path ./ostree/repo/state \
      -o -path './ostree/deploy/*/deploy/*/usr' -o -name .lock -o -name .ostree.cfs \) -prune \
    -o -type d -printf '%P d %m\n' -o -type f -printf '%P f %m\n' -o -type l -printf '%P l -> %l\n' | LC_ALL=C sort)
  (cd S && find . \( -name '*.conf' -path '*/entries/*' -o -name '*.origin' -o -path './ostree/repo/refs/heads/*' -type f \) \
    -printf '%P\n' | LC_ALL=C sort | while read -r f; do echo "-- $f"; cat "$f"; done)
}

step() {
  echo "== $1"
  shift
  $tool admin --sysroot=S "$@"
  state
}

main() {
  tree a 1
  tree b 2
  mkdir S
  $tool admin init-fs --modern S
  sed -i 's/=bare$/=bare-user-only/' S/ostree/repo/config
  $tool admin --sysroot=S stateroot-init willow >/dev/null
  publish a 12.a 1700000000
  step first deploy --os=willow --karg=root=LABEL=root --karg=rw --karg-append='console=ttyS0 console=tty0' os/main
  etc=$(echo S/ostree/deploy/willow/deploy/*.0/etc)
  echo changed > "$etc/hostname"
  echo mine > "$etc/added.conf"
  chmod 600 "$etc/added.conf"
  mkdir "$etc/sub/new"
  echo deep > "$etc/sub/new/deep"
  rm "$etc/motd"
  ln -sfn hostname "$etc/link"
  echo state > S/ostree/deploy/willow/var/state
  publish b 12.b 1700000100
  step upgrade deploy --os=willow os/main
  step same-commit deploy --os=willow os/main
  step sub-swap deploy --os=willow os/main
  step kargs deploy --os=willow --karg=rw=now --karg-delete=console=ttyS0 --retain os/main
  step pin pin 1
  step roll-back set-default 2
  step undeploy undeploy 0
  step no-merge deploy --os=willow --no-merge --karg-none --not-as-default os/main
  step set-kargs instutil set-kargs --merge --append=quiet --replace=rw
  step edit-in-place kargs edit-in-place --append-if-missing=quiet --append-if-missing=extra=1
  step cleanup cleanup
}

# Checksums keep their first 12 digits.
main | sed -E 's/([0-9a-f]{12})[0-9a-f]{52}/\1/g'
