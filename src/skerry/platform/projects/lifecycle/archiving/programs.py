"""What the archive's pods run: shell programs for GNU tar and the like, and where volumes are in such a pod. Pure.

Invariants: an archive has its name only when it is whole, on disk and read back against the volume; nothing a
tenant can name is part of a program. Neighbours: `copying` makes the pods, `engine.node.containerd.archiver_image` (or
an image of the operators') has the programs.
"""

from __future__ import annotations

DATA, ARCHIVE = "/data", "/archive"
"""Where a pod of ours has the project's volume, and what is kept of it."""
FILE = f"{ARCHIVE}/data.tar.gz"
_TOLD = "/dev/termination-log"
_NEW = f"{FILE}.new"
_HOW = "--gzip --numeric-owner --acls --xattrs --xattrs-include='*'"

MEASURE = f"""
set -eu
set -- $(du --summarize --one-file-system --block-size=1 {DATA})
printf '{{"bytes":%s,"entries":%s}}' "$1" "$(find {DATA} -xdev -printf x | wc --bytes)" > {_TOLD}
"""
"""Says what a volume holds."""

COPY = f"""
set -eu
tar --create --sparse --format=posix --sort=name --one-file-system {_HOW} --file={_NEW} --directory={DATA} .
sync {_NEW}
tar --compare {_HOW} --file={_NEW} --directory={DATA}
mv {_NEW} {FILE}
sync {ARCHIVE}
set -- $(sha256sum {FILE})
printf '{{"sha256":"%s","bytes":%s}}' "$1" "$(stat --format=%s {FILE})" > {_TOLD}
"""
"""Says what was kept, after all of it was compared with the volume."""

FILL = f"""
set -eu
echo "$SHA256  {FILE}" | sha256sum --check --status || {{ echo "the archive is spoilt: its checksum differs"; exit 1; }}
find {DATA} -mindepth 1 -delete
tar --extract --same-owner --preserve-permissions {_HOW} --file={FILE} --directory={DATA}
tar --compare {_HOW} --file={FILE} --directory={DATA}
sync
"""
"""Fills a volume from what was kept, from the beginning, and compares."""

GIVE = "exec tail --follow /dev/null"
"""Waits until somebody reads the archive through exec."""
