"""What this machine offers: rights, programs and kernel features. Asked before anything is started.

What is required and missing stops `skerry up` with one line that says how to mend it; what is optional and missing is
listed by `skerry status`. Kernel features are tried in namespaces of a short-lived process, which take everything back
when it ends. `python -m skerry.engine.network.features` prints all of it as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from skerry.engine.network.cni import PLUGINS, plugin_dir

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_CGROUP = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "memory", "pids")
_CAP_SYS_RESOURCE = 24


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing the machine has or lacks."""

    name: str
    present: bool
    required: bool
    mend: str
    """How to get it, or what does not work without it: the end of a sentence."""

    @property
    def line(self) -> str:
        """What a person reads when it is missing."""
        return f"{self.name} is missing: {self.mend}"


@dataclass(frozen=True, slots=True)
class _Program:
    """A program we start: any of `names` will do."""

    names: tuple[str, ...]
    package: str
    required: bool = True
    purpose: str = ""


_PROGRAMS = (
    _Program(("containerd",), "containerd"),
    _Program(("ctr",), "containerd"),
    _Program(("crun", "runc"), "crun"),
    _Program(("nft",), "nftables"),
    _Program(("ip",), "iproute2"),
    _Program(("unshare",), "util-linux"),
    _Program(("nsenter",), "util-linux"),
    _Program(("mount",), "mount"),
    _Program(("catatonit",), "catatonit"),
    _Program(("conntrack",), "conntrack", False, "UDP clients notice a replaced endpoint late"),
    _Program(("buildah",), "buildah", False, "`skerry image build` does not work"),
    _Program(("mkfs.ext4",), "e2fsprogs", False, "local volumes with ext4 cannot be made"),
    _Program(("mkfs.xfs",), "xfsprogs", False, "local volumes with XFS cannot be made"),
    _Program(("sshfs",), "sshfs", False, "no SSHFS volumes"),
    _Program(("mount.davfs",), "davfs2", False, "no WebDAV volumes"),
    _Program(("s3fs",), "s3fs", False, "no S3 volumes"),
    _Program(("mount.nfs",), "nfs-common", False, "no NFS volumes"),
)

_REQUIRED_SCRIPT = """
ip link add v0 type veth peer name v1 2>/dev/null && echo veth
nft -f - 2>/dev/null <<END && echo nftables
table inet probe {
 map m { type inet_proto . inet_service : verdict; }
 chain a { type nat hook prerouting priority dstnat; fib daddr type local meta l4proto . th dport vmap @m
  meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 192.0.2.1 . 1, 1 : 192.0.2.2 . 1 }; }
 chain b { type nat hook postrouting priority srcnat; ct status dnat masquerade; }
 chain c { type filter hook forward priority filter; reject with icmp port-unreachable; }
}
END
mount -t tmpfs none /mnt 2>/dev/null && mkdir /mnt/l /mnt/u /mnt/w /mnt/m &&
mount -t overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w none /mnt/m 2>/dev/null && echo overlay
"""

_OPTIONAL_SCRIPT = """
ip link set lo up
ip link add v0 type veth peer name v1 2>/dev/null
try() { name=$1; shift; "$@" >/dev/null 2>&1 && echo $name; }
try vxlan ip link add t1 type vxlan id 7 dstport 4789 dev lo
try ipvlan ip link add t2 link v0 type ipvlan
try macvlan ip link add t3 link v0 type macvlan
try wireguard ip link add t4 type wireguard
try bridge ip link add t5 type bridge
try netem tc qdisc add dev lo root netem delay 1ms
try tbf tc qdisc add dev v0 root tbf rate 1mbit burst 32k latency 50ms
"""

_OPTIONAL_LINKS = {
    "vxlan": "no overlay networks between machines",
    "ipvlan": "no ipvlan networks for pods",
    "macvlan": "no macvlan networks for pods",
    "wireguard": "no encrypted links between machines",
    "bridge": "no bridged networks",
    "netem": "no simulated delay and loss",
    "tbf": "no bandwidth limits for pods",
}
_OPTIONAL_FILE_SYSTEMS = {
    "fuse": "no SSHFS, WebDAV and S3 volumes",
    "xfs": "local volumes have snapshots only where the kernel has btrfs",
    "btrfs": "local volumes have snapshots only where the kernel has XFS",
    "nfs": "NFS volumes cannot be mounted here",
}


def required_features() -> list[Feature]:
    """Rights, programs and kernel features without which nothing starts. Takes some 30 ms."""
    root = Feature("root", os.geteuid() == 0, True, "run as root, for example with sudo")
    found = [root, *_programs(required=True), _plugins()]
    if not all(feature.present for feature in found):
        return found  # the kernel is asked with these programs
    return [*found, *_required_kernel()]


def optional_features() -> list[Feature]:
    """What more could be used. Takes some 60 ms."""
    offered = _in_namespaces(_OPTIONAL_SCRIPT)
    links = [Feature(name, name in offered, False, f"{without} (kernel)") for name, without in _OPTIONAL_LINKS.items()]
    return [*_programs(required=False), *links, *_devices(), *_file_systems(), _capability()]


def missing(features: Iterable[Feature]) -> list[Feature]:
    """Those that are not there."""
    return [feature for feature in features if not feature.present]


def search_path() -> str:
    """PATH with the system's own program directories, which `su` and cron leave out."""
    parts = os.environ.get("PATH", os.defpath).split(":")
    return ":".join([*parts, *(one for one in SBIN if one not in parts)])


def _programs(*, required: bool) -> list[Feature]:
    path = search_path()
    return [
        Feature(
            name=" or ".join(program.names),
            present=any(shutil.which(name, path=path) for name in program.names),
            required=required,
            mend=f"apt-get install {program.package}" + (f" ({program.purpose})" if program.purpose else ""),
        )
        for program in _PROGRAMS
        if program.required == required
    ]


def _plugins() -> Feature:
    name = f"CNI plug-ins {', '.join(PLUGINS)}"
    return Feature(name, plugin_dir() is not None, True, "apt-get install containernetworking-plugins")


def _required_kernel() -> list[Feature]:
    offered = _in_namespaces(_REQUIRED_SCRIPT)
    features = [
        Feature("kernel feature veth", "veth" in offered, True, "use a kernel with CONFIG_VETH"),
        Feature("kernel feature nftables with NAT", "nftables" in offered, True, "use a kernel with CONFIG_NFT_NAT"),
        Feature("kernel feature overlay", "overlay" in offered, True, "use a kernel with CONFIG_OVERLAY_FS"),
    ]
    controllers = _cgroup_controllers()
    features += [
        Feature(f"cgroup controller {one}", one in controllers, True, "enable it on the kernel's command line")
        for one in _CONTROLLERS
    ]
    return features


def _in_namespaces(script: str) -> set[str]:
    """What the script says it found, tried where nothing can stay behind."""
    command = ["unshare", "--net", "--mount", "sh", "-c", script]
    environment = {"PATH": search_path(), "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return set(done.stdout.split())


def _cgroup_controllers() -> set[str]:
    unified = _CGROUP / "cgroup.controllers"
    if unified.is_file():
        return set(unified.read_text().split())
    return {one for one in _CONTROLLERS if (_CGROUP / one / "cgroup.procs").exists()}


def _devices() -> list[Feature]:
    return [
        Feature("tun", Path("/dev/net/tun").exists(), False, "no VPN software in pods (kernel)"),
        Feature("loop devices", Path("/dev/loop-control").exists(), False, "no local volumes (kernel)"),
    ]


def _file_systems() -> list[Feature]:
    known = set(Path("/proc/filesystems").read_text().split())
    return [
        Feature(name, name in known or _module_exists(name), False, f"{without} (kernel)")
        for name, without in _OPTIONAL_FILE_SYSTEMS.items()
    ]


def _module_exists(name: str) -> bool:
    """Whether the kernel could load it; a dry run loads nothing."""
    program = shutil.which("modprobe", path=search_path())
    return program is not None and subprocess.run([program, "-n", "-q", name], check=False).returncode == 0


def _capability() -> Feature:
    """Without it the kernel refuses to lower OOM scores, and containerd must be told so."""
    status = Path("/proc/self/status").read_text()
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    present = bool(effective & (1 << _CAP_SYS_RESOURCE))
    without = "OOM scores of pods cannot be lowered, and local volumes are XFS, because ext4 cannot grow while mounted"
    return Feature("capability CAP_SYS_RESOURCE", present, False, without)


def main() -> None:
    """Print everything as a JSON list."""
    json.dump([asdict(feature) for feature in (*required_features(), *optional_features())], sys.stdout)


if __name__ == "__main__":
    main()
