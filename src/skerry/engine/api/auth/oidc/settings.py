"""What an AuthenticationConfiguration says, checked and compiled. Plain data; made by `reading`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.engine.cel.contract import Program


class ConfigurationError(Exception):
    """A configuration that cannot be used; one line for each thing that is wrong."""


@record
class Mapped:
    """Where a value comes from: a claim with a prefix, or an expression over the claims. Neither: nowhere."""

    claim: str = ""
    prefix: str = ""
    expression: Program | None = None


@record
class Rule:
    """An expression that must hold, and what to say when it does not."""

    expression: Program
    message: str = ""


@record
class Issuer:
    """One issuer. `discovery_url` "": the usual place. `authority`: PEM of who signs its certificate; "": the system's
    authorities do."""

    url: str
    audiences: tuple[str, ...]
    username: Mapped
    groups: Mapped = Mapped()
    uid: Mapped = Mapped()
    extra: tuple[tuple[str, Program], ...] = ()
    required_claims: tuple[tuple[str, str], ...] = ()
    claim_rules: tuple[Rule, ...] = ()
    user_rules: tuple[Rule, ...] = ()
    discovery_url: str = ""
    authority: str = ""


@record
class Anonymous:
    """Who may come without credentials: nobody, everybody, or whoever asks for one of these paths."""

    enabled: bool = True
    paths: frozenset[str] | None = None


@record
class Settings:
    """The whole configuration."""

    issuers: tuple[Issuer, ...] = ()
    anonymous: Anonymous = Anonymous()
