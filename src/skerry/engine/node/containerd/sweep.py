"""Removal of every trace of an instance outside its data: processes, mounts, cgroups, the run directory's state.

Needs no containerd: safe after everything was killed with -9, also half-way through a start. Touches only what carries
the instance's own paths or cgroup. Run it as `python -m skerry.engine.node.containerd.sweep --data DIR --run DIR
--instance ID`, or call it in two steps as the supervisor does.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.node.containerd import cgroups, cni_results, config_file, loop_traces, mount_namespace, processes


def sweep(config: EngineConfig) -> list[str]:
    """Everything. From outside the mount namespace, with no engine running. Returns what could not be removed."""
    left = end_processes(config) + remove_traces(config)
    mount_namespace.release(config.paths)
    return left + loop_traces.release(config.paths.data)


def end_processes(config: EngineConfig) -> list[str]:
    """Kill containerd first (it would report and restart), then containers, then shims. Returns who stayed."""
    paths = config.paths
    stayed = processes.kill_and_wait(processes.containerds(config_file.config_path(paths)))
    stayed += cgroups.kill_members(config.cgroup)
    stayed += processes.kill_and_wait(processes.shims(paths.containerd_socket))
    return [f"process {pid} does not end" for pid in stayed]


def remove_traces(config: EngineConfig) -> list[str]:
    """Mounts, cgroups, sockets and state of processes that have ended. Returns what could not be removed."""
    paths = config.paths
    storage = (paths.data / "storage").glob("*")  # an operator may have put a disk at `storage/local`
    mounts.unmount_below(paths.run / "state", paths.containerd, paths.pods, *storage)
    left = [f"cgroup {directory} is in use" for directory in cgroups.remove(config.cgroup)]
    cni_results.remove_results(config.instance)
    for name in ("state", "exec"):
        shutil.rmtree(paths.run / name, ignore_errors=True)
    for name in ("containerd.pid", "containerd.sock", "containerd.sock.ttrpc"):
        with contextlib.suppress(FileNotFoundError):
            (paths.run / name).unlink()
    return left


def main() -> int:
    """The command line; prints what could not be removed, one a line."""
    parser = argparse.ArgumentParser(prog="sweep", description="Remove every trace of a stopped Skerry instance.")
    parser.add_argument("--data", type=Path, required=True, help="the instance's data directory (kept)")
    parser.add_argument("--run", type=Path, required=True, help="the instance's run directory")
    parser.add_argument("--instance", required=True, help="the instance's four hexadecimal digits")
    arguments = parser.parse_args()
    left = sweep(_config(arguments.data, arguments.run, arguments.instance))
    sys.stdout.writelines(f"{item}\n" for item in left)
    return 1 if left else 0


def _config(data: Path, run: Path, instance: str) -> EngineConfig:
    """Enough of a configuration to name what belongs to the instance."""
    if len(instance) != 4 or not set(instance) <= set("0123456789abcdef"):
        raise SystemExit(f"not an instance: {instance!r} (four lower-case hexadecimal digits)")
    paths = Paths(data.resolve(), run.resolve())
    return EngineConfig(instance, paths, node_name="", bind="", port=0, pod_cidr="", service_cidr="")


if __name__ == "__main__":
    raise SystemExit(main())
