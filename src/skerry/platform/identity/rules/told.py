"""What a provider says of a person, before any rule: what all types of providers come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.records import record
from skerry.platform.identity.rules.entitlements import LONGEST

MOST = 250
"""Entitlements, and groups, of one person; more mean nothing."""


@record
class Told:
    """One person."""

    subject: str
    """What the provider calls the person, for good."""
    username: str
    """Without the provider's prefix."""
    display_name: str = ""
    email: str = ""
    entitlements: tuple[str, ...] = ()
    """Those that are URNs are groups as they are, others what rules make of them."""
    groups: tuple[str, ...] = ()
    """Plain names: they are what rules make of them and nothing else."""
    uid_number: int | None = None
    gid_number: int | None = None


def bounded(values: Iterable[object]) -> tuple[str, ...]:
    """Values from elsewhere: texts that can be printed, each once, none too long, not too many."""
    kept = (one for one in values if isinstance(one, str) and 0 < len(one) <= LONGEST and one.isprintable())
    return tuple(list(dict.fromkeys(kept))[:MOST])
