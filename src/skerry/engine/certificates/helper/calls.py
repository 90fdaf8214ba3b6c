"""What can be asked of the helper, by name. Modules are imported by the first call of theirs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_MODULES = {
    "keys": ("new_key", "read_key", "new_request", "read_request"),
    "reading": ("read_pair",),
    "issuing": ("sign", "sign_by_itself"),
    "account": ("register",),
    "orders": ("new_order", "order", "authorization", "accept", "finalize", "chain"),
    "checks": ("check_http", "check_txt", "zone_of", "alias_of", "servers_of"),
}


def _loader(module: str, name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), name)
        return found

    return load


CALLS = {name: _loader(module, name) for module, names in _MODULES.items() for name in names}
