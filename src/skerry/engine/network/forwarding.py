"""Forwarding of packets between the machine's interfaces: each instance claims it, the last to leave gives it back.

It is switched off again only if Skerry switched it on. For IPv6 the kernel's switch makes every interface a router's,
which then learns no routes any more; so the interfaces that were there keep what they had, which does not hinder
forwarding. Source: the kernel's `Documentation/networking/ip-sysctl.rst`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from skerry.engine.config import EngineConfig

_IPV4 = Path("/proc/sys/net/ipv4/ip_forward")
_IPV6 = Path("/proc/sys/net/ipv6/conf")
_SHARED = ("all", "default")
"""Names under which there is no interface."""
_IPV4_WAS_OFF, _IPV6_WAS_OFF = "was-off", "was-off-ipv6"


def switch_on(config: EngineConfig) -> None:
    """Claim it for an instance, and switch it on for the families it has."""
    claims = _claims(config)
    claims.mkdir(mode=0o700, parents=True, exist_ok=True)
    (claims / config.instance).touch()
    if _is_off(_IPV4):
        (claims / _IPV4_WAS_OFF).touch()
        _IPV4.write_text("1\n")
    if config.pod_cidr6 and _is_off(_switch("all")):
        had = _of_interfaces()
        (claims / _IPV6_WAS_OFF).write_text(json.dumps(had))
        _switch("all").write_text("1\n")
        _give(had)


def release(config: EngineConfig) -> None:
    """Take an instance's claim back."""
    claims = _claims(config)
    (claims / config.instance).unlink(missing_ok=True)
    notes = {name: claims / name for name in (_IPV4_WAS_OFF, _IPV6_WAS_OFF)}
    if not claims.is_dir() or any(claim.name not in notes for claim in claims.iterdir()):
        return
    if notes[_IPV4_WAS_OFF].exists():
        _IPV4.write_text("0\n")
    if notes[_IPV6_WAS_OFF].exists():
        _switch("all").write_text("0\n")
        _give(json.loads(notes[_IPV6_WAS_OFF].read_text()))
    for note in notes.values():
        note.unlink(missing_ok=True)
    claims.rmdir()


def _claims(config: EngineConfig) -> Path:
    return config.paths.run.parent / "forwarding"


def _switch(interface: str) -> Path:
    return _IPV6 / interface / "forwarding"


def _is_off(switch: Path) -> bool:
    return switch.read_text().strip() == "0"


def _of_interfaces() -> dict[str, str]:
    return {one.name: _switch(one.name).read_text().strip() for one in _IPV6.iterdir() if one.name not in _SHARED}


def _give(had: Mapping[str, str]) -> None:
    for interface, value in had.items():
        with contextlib.suppress(FileNotFoundError):  # it is gone
            _switch(interface).write_text(f"{value}\n")
