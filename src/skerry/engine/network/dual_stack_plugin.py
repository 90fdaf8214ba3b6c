"""A CNI plug-in around `ptp`, for pods with IPv6: without the wait of one or two seconds that every pod had to make.

Linux looks whether somebody else on the link has a new address before it uses it (RFC 4862, 5.4), and the plug-ins wait
for that. On an interface whose two ends are both ours nobody can have it, so the pod's end does not look, and the
addresses of the host's end are given again without looking.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

NAME = "skerry-ptp"
_SCRIPT = r"""#!/bin/sh
set -eu
plugin="${0%/*}/ptp"
[ "$CNI_COMMAND" = ADD ] || exec "$plugin"
nsenter --net="$CNI_NETNS" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad'
result=$("$plugin") || { printf '%s\n' "$result"; exit 1; }
end=$(printf '%s' "$result" | sed -n 's/.*"name": "\(veth[^"]*\)".*/\1/p' | head -n 1)
ip -6 address show dev "$end" | sed -n 's/ *inet6 \([^ ]*\) .*/\1/p' | while read -r address; do
  ip -6 address del "$address" dev "$end"
  ip -6 address add "$address" dev "$end" nodad
done
printf '%s\n' "$result"
"""


def write(directory: Path, standard: Iterable[Path]) -> None:
    """Put it there, and links to the standard plug-ins, `ptp` among them. Runs of it meanwhile come to no harm."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for plugin in standard:
        link = _beside(directory / plugin.name)
        link.symlink_to(plugin)
        link.replace(directory / plugin.name)
    script = _beside(directory / NAME)
    script.write_text(_SCRIPT)
    script.chmod(0o700)
    script.replace(directory / NAME)


def _beside(path: Path) -> Path:
    """Where to make what then replaces a file."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    return fresh
