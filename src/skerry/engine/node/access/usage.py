"""CPU and memory of containers and of the machine, read from cgroup files and /proc: cheap, without asking the runtime.

Works on cgroup v1 (cpuacct, memory) and v2. CPU is cumulative: a rate needs two samples. Memory is the working set:
what is used less what the kernel could drop at once. Source: cAdvisor's and metrics-server's definitions; cgroups(7).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from skerry.kube.records import record

_CGROUPS = Path("/sys/fs/cgroup")
_TICKS = os.sysconf("SC_CLK_TCK")
_ID_LENGTH = 64
_IDLE_COLUMNS = (3, 4)  # idle, iowait


@record
class Reading:
    """One moment: CPU time used so far in nanoseconds; in bytes the working set, all memory used, and what of that
    belongs to no file."""

    cpu: int
    memory: int
    used: int = 0
    rss: int = 0


@record
class Sample:
    """All readings of one moment. `at`: seconds of the monotonic clock."""

    at: float
    node: Reading
    containers: Mapping[str, Reading]


class UsageReader:
    """Reads the usage of the containers below one cgroup. `root`: where cgroups are mounted."""

    def __init__(self, cgroup: str, root: Path = _CGROUPS) -> None:
        name = cgroup.lstrip("/")
        self._unified = (root / "cgroup.controllers").exists()
        self._cpu = root / name if self._unified else root / "cpuacct" / name
        self._memory = root / name if self._unified else root / "memory" / name

    def sample(self, containers: Iterable[str]) -> Sample:
        """Readings of those of `containers` that have a cgroup now."""
        wanted = set(containers)
        readings: dict[str, Reading] = {}
        for directory in self._container_directories():
            if directory.name in wanted:
                reading = self._read(directory.relative_to(self._cpu))
                if reading is not None:
                    readings[directory.name] = reading
        return Sample(time.monotonic(), node_reading(), readings)

    def _container_directories(self) -> Iterable[Path]:
        for directory, names, _files in os.walk(self._cpu):
            found = [name for name in names if len(name) == _ID_LENGTH]
            yield from (Path(directory) / name for name in found)
            names[:] = [name for name in names if len(name) != _ID_LENGTH]

    def _read(self, where: Path) -> Reading | None:
        try:
            if self._unified:
                cpu = _fields((self._cpu / where / "cpu.stat").read_text())["usage_usec"] * 1000
                return _reading(cpu, self._memory / where, "memory.current", ("inactive_file", "anon"))
            cpu = int((self._cpu / where / "cpuacct.usage").read_text())
            return _reading(cpu, self._memory / where, "memory.usage_in_bytes", ("total_inactive_file", "total_rss"))
        except (OSError, KeyError, ValueError):
            return None  # it ended while we looked


def node_reading(proc: Path = Path("/proc")) -> Reading:
    """The whole machine: CPU time of all cores but idle, memory that is not available."""
    columns = [int(word) for word in (proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy = sum(value for column, value in enumerate(columns) if column not in _IDLE_COLUMNS)
    memory = _fields((proc / "meminfo").read_text().replace(":", ""))
    used = (memory["MemTotal"] - memory.get("MemFree", 0)) * 1024
    working_set = (memory["MemTotal"] - memory["MemAvailable"]) * 1024
    return Reading(busy * (1_000_000_000 // _TICKS), working_set, used, memory.get("AnonPages", 0) * 1024)


def cpu_rate(before: Reading, after: Reading, seconds: float) -> int:
    """Nanocores: billionths of a core."""
    return max(0, round((after.cpu - before.cpu) / seconds)) if seconds > 0 else 0


def _reading(cpu: int, directory: Path, total: str, parts: tuple[str, str]) -> Reading:
    """`parts`: what the kernel calls inactive file pages, and pages of no file."""
    used = int((directory / total).read_text())
    stat = _fields((directory / "memory.stat").read_text())
    return Reading(cpu, max(0, used - stat[parts[0]]), used, stat.get(parts[1], 0))


def _fields(text: str) -> dict[str, int]:
    """`name number ...` lines as a dictionary."""
    words = (line.split() for line in text.splitlines())
    return {word[0]: int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}
