#!/bin/bash
# Runs a command with TMPDIR on a disk of its own, a sparse file that is mounted; both are gone afterwards.
# The tests remove hundreds of thousands of files. On a file system that discards their blocks as they go (ext4 with
# `discard` and no journal) each removal waits for the machine's disk: minutes, and everything beside it waits too.
# Without root or loop devices the command runs where it is. What a killed run left is removed by the next.
set -euo pipefail

gone() { # gone PLACE
  umount --lazy "$1/tmp" 2>/dev/null || true
  rm -rf "$1"
}

for left in /tmp/skt.*; do
  [ -e "$left/owner" ] && kill -0 "$(cat "$left/owner")" 2>/dev/null || gone "$left"
done

place=$(mktemp -d /tmp/skt.XXXX)
chmod 755 "$place" # servers of other users are among the tests
trap 'gone "$place"' EXIT
echo $$ >"$place/owner"
mkdir "$place/tmp"
free=$(df --output=avail --block-size=1G /tmp | tail -1)
truncate --size "$((free * 3 / 4))G" "$place/disk"
if [ "$(id -u)" -eq 0 ] && mkfs.ext4 -q -F -O ^has_journal -E nodiscard "$place/disk" &&
  mount -o loop,nodiscard,noatime "$place/disk" "$place/tmp"; then
  chmod 1777 "$place/tmp"
  export TMPDIR=$place/tmp
else
  echo "test disk: no loop device to be had, the tests run in ${TMPDIR:-/tmp}" >&2
fi
"$@"
