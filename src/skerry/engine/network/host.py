"""What the machine itself needs for pods to be reached: forwarding, two routes; and taking all of it away again.

`set_up_host` is called before any traffic, `remove_network` by `skerry down` and after a crash: it works without the
engine that made things, from names and addresses alone, and touches nothing of other instances or other software.
Forwarding is switched off again only if Skerry switched it on and no other instance still needs it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import cni_network_name, pod_gateway
from skerry.engine.network.commands import CommandError, run
from skerry.engine.network.loading import whole
from skerry.engine.network.tables import table_of

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_CNI_CACHE = Path("/var/lib/cni/results")


async def set_up_host(config: EngineConfig) -> None:
    """Forwarding and routes; the table must be loaded already. Harmless when done before. Raises CommandError.

    The service range is routed to loopback so that the host's own packets reach the `output` hook. The pod range is
    unreachable but for the pods there are, so that packets to one that is gone never leave the machine. The pods'
    gateway is an address of the machine even when there are no pods: DNS listens there.
    """
    _switch_on_forwarding(config)
    await run("ip", "route", "replace", config.service_cidr, "dev", "lo")
    await run("ip", "route", "replace", "unreachable", config.pod_cidr)
    await run("ip", "address", "replace", f"{pod_gateway(config)}/32", "dev", "lo", "scope", "host")


async def load_empty_table(config: EngineConfig) -> None:
    """Load our table without any service, unless one is there (from an engine before us, whose pods still run)."""
    if not await table_exists(config):
        await run("nft", "-f", "-", text=whole(config, table_of(config, [])))


async def table_exists(config: EngineConfig) -> bool:
    """Whether the kernel has our table."""
    return f"table inet {config.nft_table}" in (await run("nft", "list", "tables", "inet")).splitlines()


async def remove_network(config: EngineConfig) -> None:
    """Remove the table, the routes, pod interfaces still there, and our claim on forwarding."""
    await _quietly("ip", "route", "del", config.service_cidr, "dev", "lo")
    await _quietly("ip", "route", "del", "unreachable", config.pod_cidr)
    await _quietly("ip", "address", "del", f"{pod_gateway(config)}/32", "dev", "lo")
    for link in await _pod_links(config):
        await _quietly("ip", "link", "del", link)
    if await table_exists(config):
        await _quietly("nft", "delete", "table", "inet", config.nft_table)
    _forget_attachments(config)
    shutil.rmtree(config.paths.cni, ignore_errors=True)
    _release_forwarding(config)


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


def _claims(config: EngineConfig) -> Path:
    return config.paths.run.parent / "forwarding"


def _switch_on_forwarding(config: EngineConfig) -> None:
    before = _FORWARDING.read_text().strip()
    claims = _claims(config)
    claims.mkdir(mode=0o700, parents=True, exist_ok=True)
    (claims / config.instance).touch()
    if before == "0":
        (claims / "was-off").touch()
        _FORWARDING.write_text("1\n")


def _release_forwarding(config: EngineConfig) -> None:
    claims = _claims(config)
    (claims / config.instance).unlink(missing_ok=True)
    if not claims.is_dir() or any(claim.name != "was-off" for claim in claims.iterdir()):
        return
    if (claims / "was-off").exists():
        _FORWARDING.write_text("0\n")
        (claims / "was-off").unlink()
    claims.rmdir()
