"""Kinds that are stored but that nothing acts on in this release: who makes one is told so in a `Warning:` header.

Such an object is valid and moves to a real cluster as it is; silence would let people think that it works here.
Whoever adds the controller, the admission step or the network part of a kind takes it out of here and of
docs/limits.md.
"""

from __future__ import annotations

_UNWATCHED = frozenset({
    "servicecidrs.networking.k8s.io", "ipaddresses.networking.k8s.io",
})  # fmt: skip


def warnings_for(group_resource: str) -> list[str]:
    """What its maker should know about a new object, [] when it does what it says."""
    if group_resource in _UNWATCHED:
        return [f"{group_resource} are stored, but nothing acts on them in this release of Skerry"]
    return []
