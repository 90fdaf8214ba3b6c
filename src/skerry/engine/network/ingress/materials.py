"""What routes need beside Ingresses and Services: certificates, passwords, headers. `gathering` finds them.

Keys of certificates never leave this process but through Caddy's admin socket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.network.ingress.annotations import Problem


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain, and its key, PEM."""

    tag: str
    """What the configuration calls it: the same name always has the same content."""
    certificate: str = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Materials:
    """What was found, and what was not."""

    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    """By host: what is shown to clients that ask for it; "" is for all others."""
    passwords: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """User to bcrypt hash, by key of the Ingress; absent when nobody can be let in."""
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Headers of answers, by key of the Ingress."""
    problems: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    """By key of the Ingress."""
