"""Limits in the kernel: a token bucket (tbf) at the host's end of a pod's interface, for what goes in, and one at a
device that stands for what comes out (ifb). A pod cannot reach either, whatever capabilities it has.

The device is named after the instance and the pod's address, so that it is found without the engine that made it.
"""

from __future__ import annotations

import contextlib
import json
import socket

from skerry.engine.config import EngineConfig
from skerry.engine.network.bandwidth.limits import EGRESS, INGRESS, Limits, bucket
from skerry.engine.network.commands import CommandError, run
from skerry.engine.network.machine import links_to

_LATENCY = "50ms"  # how long a packet may wait for its turn: longer queues only make connections sluggish


async def shape(config: EngineConfig, address: str, limits: Limits) -> None:
    """Bring these limits into force, and no others; harmless when they are. Raises CommandError that names the
    annotation, OSError."""
    link = links_to({address}).get(address)
    if link is None:
        raise CommandError(f"no interface leads to {address}")
    try:
        await _into(link, limits.ingress)
    except (CommandError, OSError) as error:
        raise CommandError(f"{INGRESS}: this machine cannot limit it (tc, tbf): {error}") from error
    try:
        await _out_of(link, device_of(config, address), limits.egress)
    except (CommandError, OSError) as error:
        raise CommandError(f"{EGRESS}: this machine cannot limit it (tc, tbf, ifb, cls_u32): {error}") from error


async def release(config: EngineConfig, address: str) -> None:
    """The pod has its address no longer: what is at its own interface goes with that."""
    with contextlib.suppress(CommandError):
        await run("ip", "link", "del", device_of(config, address))


async def leftover_devices(config: EngineConfig) -> list[str]:
    """Devices of ours, of pods that are there and of others."""
    shown = json.loads(await run("ip", "-j", "link", "show", "type", "ifb") or "[]")
    return [one["ifname"] for one in shown if one.get("ifname", "").startswith(_prefix(config))]


async def remove_devices(config: EngineConfig, *, but_of: frozenset[str] = frozenset()) -> None:
    """All devices of ours, but those of pods that have these addresses."""
    kept = {device_of(config, address) for address in but_of}
    for name in await leftover_devices(config):
        if name not in kept:
            with contextlib.suppress(CommandError):
                await run("ip", "link", "del", name)


def device_of(config: EngineConfig, address: str) -> str:
    """Fifteen characters are the most a name may have."""
    return f"{_prefix(config)}{socket.inet_aton(address).hex()}"


def _prefix(config: EngineConfig) -> str:
    return f"sk{config.instance}-"


async def _into(link: str, rate: int) -> None:
    if rate:
        await run("tc", "qdisc", "replace", "dev", link, "root", *_tbf(rate))
    else:
        await _quietly("tc", "qdisc", "del", "dev", link, "root")


async def _out_of(link: str, device: str, rate: int) -> None:
    if not rate:
        await _quietly("tc", "qdisc", "del", "dev", link, "ingress")
        await _quietly("ip", "link", "del", device)
        return
    with contextlib.suppress(CommandError):  # it is there; if it could not be made, the next command says so
        await run("ip", "link", "add", device, "type", "ifb")
    await run("ip", "link", "set", device, "up")
    await run("tc", "qdisc", "replace", "dev", device, "root", *_tbf(rate))
    await run("tc", "qdisc", "replace", "dev", link, "handle", "ffff:", "ingress")
    everything = ("protocol", "all", "prio", "1", "handle", "800::1", "u32", "match", "u32", "0", "0")
    to_device = ("action", "mirred", "egress", "redirect", "dev", device)
    await run("tc", "filter", "replace", "dev", link, "parent", "ffff:", *everything, *to_device)


def _tbf(rate: int) -> list[str]:
    bits, burst = bucket(rate)
    return ["tbf", "rate", f"{bits}bit", "burst", str(burst), "latency", _LATENCY]


async def _quietly(*command: str) -> None:
    with contextlib.suppress(CommandError):
        await run(*command)
