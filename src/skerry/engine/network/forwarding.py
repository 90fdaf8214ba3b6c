"""Forwarding of packets between the machine's interfaces: claimed by each instance for its IP families, given back when
the last has left a family.

It is switched off again only if Skerry switched it on. For IPv6 the kernel's switch makes every interface a router's,
which then learns no routes any more; so the interfaces that were there keep what they had, which does not hinder
forwarding, and what they had learnt. Source: the kernel's `Documentation/networking/ip-sysctl.rst`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from skerry.engine.config import EngineConfig

_IPV4 = Path("/proc/sys/net/ipv4/ip_forward")
_IPV6 = Path("/proc/sys/net/ipv6/conf")
_SHARED = ("all", "default")
"""Names under which there is no interface."""
_WAS_OFF = "was-off"
_IF_NO_ROUTER, _EVEN_A_ROUTER = "1", "2"
"""Whether an interface learns from announcements of routers."""


def switch_on(config: EngineConfig) -> None:
    """Claim it for an instance, and switch it on for the families it has."""
    claimed = _claim(config, "ipv4")
    if _is_off(_IPV4):
        (claimed / _WAS_OFF).touch()
        _IPV4.write_text("1\n")
    if not config.pod_cidr6:
        return
    claimed = _claim(config, "ipv6")
    if _is_off(_switch("all")):
        had = _of_interfaces()
        (claimed / _WAS_OFF).write_text(json.dumps(had))
        with _learnt_routes_kept():
            _switch("all").write_text("1\n")
            _give(had)


def release(config: EngineConfig) -> None:
    """Take an instance's claims back."""
    if (note := _last_claim_gone(config, "ipv4")) is not None:
        _IPV4.write_text("0\n")
        _forget(note)
    if (note := _last_claim_gone(config, "ipv6")) is not None:
        with _learnt_routes_kept():
            _switch("all").write_text("0\n")
            _give(json.loads(note.read_text()))
        _forget(note)
    with contextlib.suppress(OSError):  # others still claim it
        _claims(config).rmdir()


def _claims(config: EngineConfig) -> Path:
    return config.paths.run.parent / "forwarding"


def _claim(config: EngineConfig, family: str) -> Path:
    """Note that the instance needs it; where the family's notes are."""
    claimed = _claims(config) / family
    claimed.mkdir(mode=0o700, parents=True, exist_ok=True)
    (claimed / config.instance).touch()
    return claimed


def _last_claim_gone(config: EngineConfig, family: str) -> Path | None:
    """The note that it was off before, when nobody needs it any more."""
    claimed = _claims(config) / family
    (claimed / config.instance).unlink(missing_ok=True)
    left = {note.name for note in claimed.iterdir()} if claimed.is_dir() else set()
    if left == {_WAS_OFF}:
        return claimed / _WAS_OFF
    if not left and claimed.is_dir():
        claimed.rmdir()
    return None


def _forget(note: Path) -> None:
    note.unlink()
    note.parent.rmdir()


def _switch(interface: str) -> Path:
    return _IPV6 / interface / "forwarding"


def _is_off(switch: Path) -> bool:
    return switch.read_text().strip() == "0"


def _of_interfaces(switch: str = "forwarding") -> dict[str, str]:
    return {one.name: (one / switch).read_text().strip() for one in _IPV6.iterdir() if one.name not in _SHARED}


@contextlib.contextmanager
def _learnt_routes_kept() -> Iterator[None]:
    """When an interface becomes a router's, the kernel forgets all default routes that routers announced; the next
    announcement may be half an hour away. It spares interfaces that are told to learn even then."""
    learning = [name for name, value in _of_interfaces("accept_ra").items() if value == _IF_NO_ROUTER]
    _accept(learning, _EVEN_A_ROUTER)
    try:
        yield
    finally:
        _accept(learning, _IF_NO_ROUTER)


def _accept(interfaces: Iterable[str], value: str) -> None:
    for interface in interfaces:
        with contextlib.suppress(FileNotFoundError):  # it is gone
            (_IPV6 / interface / "accept_ra").write_text(f"{value}\n")


def _give(had: Mapping[str, str]) -> None:
    for interface, value in had.items():
        with contextlib.suppress(FileNotFoundError):  # it is gone
            _switch(interface).write_text(f"{value}\n")
