"""The CNI configuration our containerd uses: one routed point-to-point interface per pod.

`ptp` rather than `bridge`: all pod traffic is routed, so the stateful `forward` hook sees it without br_netfilter.
Everything else (masquerading, services, host ports) is done in our own nftables table, because the `portmap` and
`firewall` plug-ins double the time a pod needs to start. The address leases live in the run directory: pods do not
survive a reboot, so neither must their leases. Follows the CNI specification 1.0.0. With two IP families `ptp` is
called through a plug-in of our own (`dual_stack_plugin`).
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.network import dual_stack_plugin
from skerry.engine.network.machine import default_route_mtu

PLUGIN_DIRS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
PLUGINS = ("ptp", "host-local", "loopback")


def plugin_dir() -> Path | None:
    """The first directory that holds every plug-in we need, None if there is none."""
    for directory in PLUGIN_DIRS:
        if all((directory / plugin).is_file() for plugin in PLUGINS):
            return directory
    return None


def pod_gateway(config: EngineConfig) -> str:
    """The host's end of every pod interface: `host-local` takes the first address of the range."""
    return str(ipaddress.IPv4Network(config.pod_cidr)[1])


def pod_gateways(config: EngineConfig) -> tuple[str, ...]:
    """The host's end in each family, the first family's first: what the engine serves to pods is there."""
    return tuple(str(ipaddress.ip_network(pods)[1]) for pods in config.pod_cidrs)


def cni_network_name(config: EngineConfig) -> str:
    """The network's name in CNI's own books."""
    return f"skerry-{config.instance}"


def conflist(config: EngineConfig, mtu: int) -> dict[str, Any]:
    """The network configuration list. `mtu` in bytes."""
    everywhere = ("0.0.0.0/0", "::/0")[: len(config.pod_cidrs)]
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": pods}] for pods in config.pod_cidrs],
        "routes": [{"dst": destination} for destination in everywhere],
        "dataDir": str(config.paths.cni / "leases"),
    }
    plugin = dual_stack_plugin.NAME if config.pod_cidr6 else "ptp"
    ptp = {"type": plugin, "ipMasq": False, "mtu": mtu, "ipam": ipam}
    return {"cniVersion": "1.0.0", "name": cni_network_name(config), "plugins": [ptp]}


def write_cni(config: EngineConfig) -> Path:
    """Write the configuration below the run directory; returns the directory containerd must read it from. With two
    families the plug-ins are beside it."""
    if config.pod_cidr6 and (standard := plugin_dir()) is not None:
        dual_stack_plugin.write(config.paths.cni_plugins, [standard / plugin for plugin in PLUGINS])
    directory = config.paths.cni / "conf"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps(conflist(config, default_route_mtu()), indent=2)
    fresh = directory / ".10-skerry.new"
    fresh.write_text(text + "\n")
    fresh.replace(directory / "10-skerry.conflist")
    return directory
