"""The network configuration containerd reads."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.cni import conflist, pod_gateway, write_cni


def config(directory: Path) -> EngineConfig:
    paths = Paths(directory / "data", directory / "run")
    return EngineConfig("ab12", paths, "here", "127.0.0.1", 6443, "10.66.0.0/16", "10.67.0.0/16", index=1)


def test_one_routed_interface_per_pod_from_the_instances_own_range(tmp_path: Path) -> None:
    network = conflist(config(tmp_path), 1400)
    (plugin,) = network["plugins"]
    assert (network["name"], plugin["type"], plugin["mtu"], plugin["ipMasq"]) == ("skerry-ab12", "ptp", 1400, False)
    assert plugin["ipam"]["ranges"] == [[{"subnet": "10.66.0.0/16"}]]
    assert plugin["ipam"]["dataDir"].startswith(str(tmp_path / "run")), "leases must not survive a reboot"
    assert pod_gateway(config(tmp_path)) == "10.66.0.1"


def test_it_is_written_where_containerd_is_told_to_look(tmp_path: Path) -> None:
    directory = write_cni(config(tmp_path))
    (file,) = directory.glob("*.conflist")
    assert json.loads(file.read_text())["name"] == "skerry-ab12"
    write_cni(config(tmp_path))
    assert list(directory.iterdir()) == [file]
