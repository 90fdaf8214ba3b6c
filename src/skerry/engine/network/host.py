"""What the machine itself needs for pods to be reached: forwarding, two routes; and taking all of it away again.

`set_up_host` is called before any traffic, `remove_network` by `skerry down` and after a crash: it works without the
engine that made things, from names and addresses alone, and touches nothing of other instances or other software.
Neighbour: `forwarding`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from ipaddress import ip_network
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.network.announcing.kernel import AnnouncedAddresses
from skerry.engine.network.bandwidth.shaping import remove_devices
from skerry.engine.network.cni import cni_network_name, pod_gateway, pod_gateways
from skerry.engine.network.commands import CommandError, run
from skerry.engine.network.family import Family, families_of
from skerry.engine.network.forwarding import release, switch_on
from skerry.engine.network.loading import whole
from skerry.engine.network.tables import table_of

_CNI_CACHE = Path("/var/lib/cni/results")


async def set_up_host(config: EngineConfig) -> None:
    """Forwarding and routes; the tables must be loaded already. Harmless when done before. Raises CommandError.

    The service range is routed to loopback so that the host's own packets reach the `output` hook. The pod range is
    unreachable but for the pods there are, so that packets to one that is gone never leave the machine. The pods'
    gateway is an address of the machine even when there are no pods: DNS and Ingress listen there, at once. An IPv6
    address would be tentative for a moment, also on loopback: nobody can listen there then (RFC 4862, 5.4).
    """
    switch_on(config)
    for services in config.service_cidrs:
        await run("ip", "route", "replace", services, "dev", "lo")
    for pods in config.pod_cidrs:
        await run("ip", "route", "replace", "unreachable", pods)
    for gateway in pod_gateways(config):
        at_once = ("nodad",) if ":" in gateway else ()
        await run("ip", "address", "replace", str(ip_network(gateway)), "dev", "lo", "scope", "host", *at_once)


async def load_empty_tables(config: EngineConfig) -> None:
    """Load tables without any service, unless they are there (from an engine before us, whose pods still run)."""
    for family in families_of(config):
        if not await table_exists(family):
            await run("nft", "-f", "-", text=whole(family, table_of(family, [])))


async def table_exists(family: Family) -> bool:
    """Whether the kernel has a family's table."""
    return family.table in await tables_there()


async def tables_there() -> set[str]:
    """All tables, others' as well, each with nft's family: "inet skerry-ab12"."""
    return {line.removeprefix("table ") for line in (await run("nft", "list", "tables")).splitlines()}


async def remove_network(config: EngineConfig) -> None:
    """Remove announced addresses, our tables, routes, pod interfaces still there, and our claim on forwarding."""
    await AnnouncedAddresses(config).take_all_away()
    for services in config.service_cidrs:
        await _quietly("ip", "route", "del", services, "dev", "lo")
    for pods in config.pod_cidrs:
        await _quietly("ip", "route", "del", "unreachable", pods)
    for gateway in pod_gateways(config):
        await _quietly("ip", "address", "del", str(ip_network(gateway)), "dev", "lo")
    for link in await _pod_links(config):
        await _quietly("ip", "link", "del", link)
    await remove_devices(config)
    ours = {f"inet {config.policy_table}", *(family.table for family in families_of(config))}
    for table in ours & await tables_there():
        await _quietly("nft", "delete", "table", *table.split())
    _forget_attachments(config)
    for made in (config.paths.cni, config.paths.run / "ingress"):
        shutil.rmtree(made, ignore_errors=True)
    release(config)


async def _pod_links(config: EngineConfig) -> list[str]:
    """Interfaces whose host end carries our gateway address: CNI gives them names that say nothing."""
    shown = json.loads(await run("ip", "-j", "-4", "address", "show", "to", f"{pod_gateway(config)}/32") or "[]")
    return [str(link["ifname"]) for link in shown if link.get("ifname") not in (None, "lo")]


async def _quietly(*command: str) -> None:
    """Run a command that fails when there is nothing left to remove."""
    with contextlib.suppress(CommandError):
        await run(*command)


def _forget_attachments(config: EngineConfig) -> None:
    """What libcni keeps about each attached pod: it stays behind when containerd was killed before it detached them."""
    prefix = f"{cni_network_name(config)}-"
    for kept in _CNI_CACHE.glob(f"{prefix}*-eth0"):
        pod = kept.name.removeprefix(prefix).removesuffix("-eth0")
        kept.unlink(missing_ok=True)
        (_CNI_CACHE / f"cni-loopback-{pod}-lo").unlink(missing_ok=True)
