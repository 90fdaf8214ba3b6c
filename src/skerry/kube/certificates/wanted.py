"""What a certificate is to say. Plain data: deciding what is missing must not import `cryptography`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

LEAF_DAYS = 365
BACKDATED = timedelta(days=1)
"""Certificates are good since so long before they are made: a clock may be set back by that and they stay valid."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate that must be there: its subject and, for a server, its names and addresses."""

    name: str
    common_name: str
    organization: str = ""
    names: tuple[str, ...] = ()
    days: int = LEAF_DAYS
    renew_days: int = 30
    """How long before its end it is made anew."""
    authority: str = "ca"
    """The name of the authority that issues it; its own for an authority."""
