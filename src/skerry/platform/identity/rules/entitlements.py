"""Entitlements that say group memberships, as AARC's communities write them, read into their parts. Pure.

    <namespace>:group:<group>[:<subgroup>]*[:role=<role>][#<authority>]
    urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu

Source: AARC-G069 and its predecessor AARC-G002; URNs by RFC 8141.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Self

from skerry.kube.records import record

LONGEST = 1024
"""Characters of one; a longer one means nothing."""
_ROLE = "role="
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[\x21-\x7e]+", re.IGNORECASE)
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}")


def is_urn(value: str) -> bool:
    """Whether it is one, of visible ASCII as RFC 8141 wants it, and not too long."""
    return len(value) <= LONGEST and _URN.fullmatch(value) is not None


def canonical(urn: str) -> str:
    """The form in which equal URNs are the same: `urn` and the namespace's name in small letters, %-codes in large
    ones (RFC 8141, 3.1). What follows `#` is kept: here it names the authority."""
    scheme, name, rest = urn.split(":", 2)
    return f"{scheme.lower()}:{name.lower()}:{_ENCODED.sub(lambda found: found[0].upper(), rest)}"


@record
class Entitlement:
    """One membership, perhaps in a role."""

    namespace: str
    """Everything before `:group:`."""
    groups: tuple[str, ...]
    """The group and its subgroups, as they are written (%-encoded)."""
    role: str = ""
    authority: str = ""
    """Who says so; "" where it is not said."""

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """None: it is not in AARC's form, whatever else it may be."""
        if not is_urn(value):
            return None
        path, _, authority = canonical(value).partition("#")
        namespace, is_group, listed = path.partition(":group:")
        if not is_group or namespace.count(":") < 1:
            return None
        *groups, last = listed.split(":")
        role = last.removeprefix(_ROLE) if last.startswith(_ROLE) else None
        if role is None:
            groups.append(last)
        if not groups or not all(groups) or role == "" or any(one.startswith(_ROLE) for one in groups):
            return None
        return cls(namespace, tuple(groups), role or "", authority)

    def __str__(self) -> str:
        """As it is written, in canonical form."""
        role = f":{_ROLE}{self.role}" if self.role else ""
        authority = f"#{self.authority}" if self.authority else ""
        return f"{self.namespace}:group:{':'.join(self.groups)}{role}{authority}"

    def implied(self) -> tuple[str, ...]:
        """What a member in a role of one authority also is: the same without authority, without role, without both.

        Never a member of the group above: whoever is, is told to be so."""
        without_role = replace(self, role="")
        forms = (self, replace(self, authority=""), without_role, replace(without_role, authority=""))
        return tuple(dict.fromkeys(str(one) for one in forms))


def forms_of(value: str) -> tuple[str, ...]:
    """All ways to write what a value says: as it was told, then canonical, then what that implies."""
    if not is_urn(value):
        return (value,)
    parsed = Entitlement.parse(value)
    return tuple(dict.fromkeys((value, canonical(value), *(parsed.implied() if parsed else ()))))
