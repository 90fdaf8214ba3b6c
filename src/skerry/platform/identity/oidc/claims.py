"""What a provider's claims say of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from skerry.kube.objects import Obj
from skerry.platform.identity.rules.told import Told, bounded
from skerry.platform.identity.types import OidcSettings
from skerry.platform.identity.vouching import NotVouched

_LONGEST_NAME = 200


def told_of(claims: Obj, settings: OidcSettings) -> Told:
    """Raises NotVouched: without a name that can be used here."""
    username = claims.get(settings.username_claim)
    if not isinstance(username, str) or not username or not username.isprintable() or len(username) > _LONGEST_NAME:
        raise NotVouched(f"the provider does not say your {settings.username_claim}: it has to release that claim")
    if settings.username_claim == "email" and claims.get("email_verified") not in (True, "true"):
        raise NotVouched(f"the provider has not verified that {username} is your address")
    return replace(
        memberships_of(claims, settings),
        username=username,
        display_name=_text(claims.get("name")),
        email=_text(claims.get("email")),
    )


def memberships_of(claims: Obj, settings: OidcSettings) -> Told:
    """What somebody is a member of, and nothing else."""
    return Told(
        subject=str(claims["sub"]),
        username="",
        entitlements=bounded(value for claim in settings.entitlement_claims for value in _values(claims.get(claim))),
        groups=bounded(_values(claims.get(settings.groups_claim))),
    )


def _values(claim: Any) -> Iterable[object]:
    """Some providers give a list, some a single text."""
    return claim if isinstance(claim, list) else (claim,)


def _text(claim: Any) -> str:
    return claim[:_LONGEST_NAME] if isinstance(claim, str) and claim.isprintable() else ""
