"""Facts about this machine for the Node object, read from /proc, /etc and the file system; never changed by us."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

from skerry.kube.records import record

_NOWHERE = "192.0.2.1"  # TEST-NET-1: routed like the internet, nothing is ever sent there


@record
class Machine:
    """`memory`, `storage` and `storage_free` in bytes; `ip` is the address of the default route."""

    cpus: int
    memory: int
    storage: int
    ip: str
    hostname: str
    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str


@record
class Pressure:
    """What may run out: free memory in bytes, disk and inodes as parts of the whole, free process ids as a number."""

    memory_available: int
    disk_free_part: float
    pids_free: int
    inodes_free_part: float = 1.0
    disk_total: int = 0
    inodes_total: int = 0


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def read_machine(data: Path) -> Machine:
    """`data` is on the file system that holds images, logs and volumes."""
    disk = os.statvfs(data)
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory=_meminfo()["MemTotal"],
        storage=disk.f_blocks * disk.f_frsize,
        ip=own_address(),
        hostname=socket.gethostname(),
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        kernel=platform.release(),
        os_image=_os_image(),
        machine_id=_line("/etc/machine-id"),
        boot_id=_line("/proc/sys/kernel/random/boot_id"),
    )


def read_pressure(data: Path) -> Pressure:
    """How things stand now."""
    disk = os.statvfs(data)
    processes = int(_line("/proc/loadavg").split()[3].partition("/")[2])
    return Pressure(
        memory_available=_meminfo()["MemAvailable"],
        disk_free_part=disk.f_bavail / max(disk.f_blocks, 1),
        pids_free=int(_line("/proc/sys/kernel/pid_max")) - processes,
        inodes_free_part=disk.f_favail / disk.f_files if disk.f_files else 1.0,  # btrfs has no fixed number of them
        disk_total=disk.f_blocks * disk.f_frsize,
        inodes_total=disk.f_files,
    )


def own_address() -> str:
    """The IPv4 address packets to elsewhere would carry; the loopback address on a machine without a default route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_NOWHERE, 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _meminfo() -> dict[str, int]:
    """/proc/meminfo in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    pairs = (line.split(":") for line in lines)
    return {name: int(rest.split()[0]) * 1024 for name, rest in pairs}


def _os_image() -> str:
    for line in _text("/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return "Linux"


def _line(path: str) -> str:
    return _text(path).strip()


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
