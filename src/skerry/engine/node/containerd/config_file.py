"""containerd's `config.toml`, written anew at every start of the engine.

Decided purely from the instance and what the machine offers (`Machine`), so that tests need neither. Plug-ins that
nothing here uses are disabled: they cost start time and memory. Source: containerd's
`docs/man/containerd-config.toml.5.md` and `docs/cri/config.md`, release 1.6.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.kube.records import record

PAUSE_IMAGE = "skerry.dev/pause:1"
_CNI_PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_RUNTIMES = ("crun", "runc")  # the first that is installed is the default
_CAP_SYS_RESOURCE = 24
_IMAGE_USAGE_SECONDS = 120  # containerd measures every snapshot this often: more often costs idle CPU
_DISABLED = (
    "io.containerd.grpc.v1.healthcheck",
    "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.restart",
    "io.containerd.internal.v1.tracing",
    "io.containerd.monitor.v1.cgroups",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.native",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
)
Value: TypeAlias = "str | int | bool | list[str] | Mapping[str, Value]"


@record
class Machine:
    """What of the machine the configuration depends on."""

    runtime: str
    """Absolute path of crun or runc."""
    cni_plugins: Path
    may_lower_oom_score: bool
    """Whether we hold CAP_SYS_RESOURCE: without it a container's oom_score_adj cannot go below our own."""
    handlers: Mapping[str, str] = field(default_factory=dict)
    """Runtimes that a RuntimeClass may ask for, by their names: absolute paths."""


def look_at_machine() -> Machine:
    """Find runtime, CNI plug-ins and capabilities. Raises ContainerdError naming the missing package."""
    handlers = {name: path for name in _RUNTIMES if (path := shutil.which(name))}
    if not handlers:
        raise ContainerdError("no container runtime is installed: apt-get install crun")
    plugins = next((directory for directory in _CNI_PLUGINS if (directory / "ptp").exists()), None)
    if plugins is None:
        raise ContainerdError("the CNI plug-ins are not installed: apt-get install containernetworking-plugins")
    return Machine(next(iter(handlers.values())), plugins, _has_capability(_CAP_SYS_RESOURCE), handlers)


def config_path(paths: Paths) -> Path:
    """Where the file is; also what recognises our containerd among others in a process list."""
    return paths.containerd / "config.toml"


def write_config(config: EngineConfig, machine: Machine) -> Path:
    """Write the file and the directories it names (0600, 0700); returns its path."""
    paths = config.paths
    for directory in (paths.containerd, paths.containerd / "root", registries(paths), paths.run, paths.logs):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = config_path(paths)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(to_toml(settings(config, machine)))
    return target


def registries(paths: Paths) -> Path:
    """One directory `<host:port>/hosts.toml` per registry that needs settings (mirrors, plain HTTP, certificates)."""
    return paths.containerd / "certs.d"


def settings(config: EngineConfig, machine: Machine) -> Mapping[str, Value]:
    """The whole configuration."""
    paths = config.paths
    return {
        "version": 2,
        "root": str(paths.containerd / "root"),
        "state": str(paths.run / "state"),
        "oom_score": 0,
        "disabled_plugins": list(_DISABLED),
        "required_plugins": ["io.containerd.grpc.v1.cri"],
        "grpc": {"address": str(paths.containerd_socket)},
        "debug": {"level": "warn"},
        "plugins": {"io.containerd.grpc.v1.cri": _cri(config, machine)},
    }


def _cri(config: EngineConfig, machine: Machine) -> Mapping[str, Value]:
    plugins = config.paths.cni_plugins if config.pod_cidr6 else machine.cni_plugins
    runtimes = {name: _runtime(path) for name, path in {**machine.handlers, "default": machine.runtime}.items()}
    return {
        "sandbox_image": PAUSE_IMAGE,
        "restrict_oom_score_adj": not machine.may_lower_oom_score,
        "netns_mounts_under_state_dir": True,
        "stats_collect_period": _IMAGE_USAGE_SECONDS,
        "stream_server_address": "127.0.0.1",
        "stream_server_port": "0",
        # as kubelet's own defaults since 1.22: a pod may open port 80 and ping without capabilities
        "enable_unprivileged_ports": True,
        "enable_unprivileged_icmp": True,
        "containerd": {
            "snapshotter": "overlayfs",
            "default_runtime_name": "default",
            "runtimes": runtimes,
        },
        "cni": {"bin_dir": str(plugins), "conf_dir": str(config.paths.cni / "conf"), "max_conf_num": 1},
        "registry": {"config_path": str(registries(config.paths))},
    }


def _runtime(path: str) -> Mapping[str, Value]:
    return {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": path, "SystemdCgroup": False}}


def to_toml(table: Mapping[str, Value], prefix: str = "") -> str:
    """Plain values first, then one section per nested table (JSON's strings, numbers and lists are TOML's too)."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"[{prefix}]"] if prefix and plain else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    text = "\n".join(lines) + "\n" if lines else ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            name = json.dumps(key) if "." in key else key
            text += to_toml(value, f"{prefix}.{name}" if prefix else name)
    return text


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> number & 1)
