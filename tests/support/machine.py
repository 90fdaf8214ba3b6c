"""What a run may leave on a machine: a snapshot to compare before and after.

Only things that have a name or an owner we can recognise are taken, so that a noisy machine does not fail the
comparison: mounts, loop devices, network interfaces, nftables tables, routes, announced addresses, cgroups, network
namespaces, and processes that carry one of our paths or names in their command line.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from skerry.engine import loop_devices

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
"""Whether the machine forwards packets between interfaces: "0" or "1"."""
CLAIMS = Path("/run/skerry/forwarding")
"""Where running instances note that they need it."""


@contextlib.contextmanager
def forwarding_given_back() -> Iterator[None]:
    """For tests without an engine, which would claim and release it: the ptp plug-in switches it on by itself."""
    before = FORWARDING.read_text()
    try:
        yield
    finally:
        FORWARDING.write_text(before)


@dataclass(frozen=True)
class Machine:
    """What was there at one moment."""

    mounts: frozenset[str]
    devices: frozenset[str]
    interfaces: frozenset[str]
    tables: frozenset[str]
    routes: frozenset[str]
    announced: frozenset[str]
    cgroups: frozenset[str]
    namespaces: frozenset[str]
    processes: frozenset[str]

    def left_since(self, before: Machine, marks: Collection[str] = ("",)) -> dict[str, list[str]]:
        """What is there now and was not there before, by sort; {} when nothing is left. Only what bears one of the
        `marks` of an instance (its id, directories, addresses) counts: another may be at work beside it."""
        grown = {
            f.name: sorted(
                item for item in getattr(self, f.name) - getattr(before, f.name) if any(mark in item for mark in marks)
            )
            for f in fields(self)
        }
        return {name: items for name, items in grown.items() if items}


def snapshot() -> Machine:
    """The machine as it is now."""
    return Machine(
        mounts=frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        devices=frozenset(f"{one.device} over {one.file}" for one in loop_devices.all_attached()),
        interfaces=frozenset(_lines("ip", "-brief", "-4", "address", "show")),
        tables=frozenset(_lines("nft", "list", "tables")),
        routes=frozenset(_lines("ip", "-4", "route", "show", "table", "all") + _local_routes6()),
        announced=frozenset(_lines("ip", "neighbour", "show", "proxy")),
        cgroups=frozenset(_cgroups()),
        namespaces=frozenset(_entries(Path("/run/netns"))),
        processes=frozenset(_processes()),
    )


def _local_routes6() -> list[str]:
    """Of IPv6 only those of unique local addresses (RFC 4193): others change by themselves."""
    return [line for line in _lines("ip", "-6", "route", "show", "table", "all") if "fd73:6b72" in line]


def _lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _entries(directory: Path) -> list[str]:
    return os.listdir(directory) if directory.is_dir() else []


def _cgroups() -> list[str]:
    return [str(path) for path in Path("/sys/fs/cgroup").glob("*/skerry-*")] + [
        str(path) for path in Path("/sys/fs/cgroup").glob("skerry-*")
    ]


def _processes() -> list[str]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        line = b" ".join(words).decode(errors="replace").strip()
        program = os.path.basename(words[0].decode(errors="replace"))
        ours = program.startswith(("containerd", "catatonit", "caddy")) or "skerry.engine" in line
        if ours:
            found.append(f"{directory.name} {line} in {_working_directory(directory)}")
    return found


def _working_directory(process: Path) -> str:
    """Caddy has nothing of its instance on its command line."""
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return "nowhere"
