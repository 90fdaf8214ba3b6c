"""From entitlements and groups, as providers tell them, to groups of this cluster; and why. Pure.

What decides and what explains is the same code. Matching takes linear time, whatever a rule says (RE2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import re2

from skerry.kube.records import record
from skerry.platform.identity.naming import may_be_a_group
from skerry.platform.identity.rules.entitlements import canonical, forms_of, is_urn
from skerry.platform.identity.rules.told import Told, bounded
from skerry.platform.identity.types import IdentityProviderSpec, Rule

_CAPTURE = re.compile(r"\$([1-9])")
_LONGEST_GROUP = 253
_RESERVED = ("system:", "skerry:")


@record
class Meaning:
    """What one value comes to."""

    value: str
    """As the provider says it."""
    groups: tuple[str, ...]
    """Of this cluster, without repetitions."""
    why: tuple[str, ...]
    """A sentence for each rule that matched, or why there is none."""


def groups_of(told: Told, spec: IdentityProviderSpec) -> tuple[str, ...]:
    """The groups a person is in by what a provider says, sorted."""
    return tuple(sorted({group for one in explained(told, spec) for group in one.groups}))


def explained(told: Told, spec: IdentityProviderSpec) -> list[Meaning]:
    """What each value that was told comes to, in the order in which they were told."""
    entitlements = [_meaning(one, spec, as_it_is=True) for one in bounded(told.entitlements)]
    return entitlements + [_meaning(one, spec, as_it_is=False) for one in bounded(told.groups)]


def _meaning(value: str, spec: IdentityProviderSpec, *, as_it_is: bool) -> Meaning:
    groups: list[str] = []
    why: list[str] = []
    forms = forms_of(value) if as_it_is else (value,)
    if as_it_is and is_urn(value):
        if is_trusted(value, spec.trusted_namespaces):
            groups += [one for one in forms if len(one) <= _LONGEST_GROUP]
            why.append("an entitlement that is a URN is a group as it is")
        else:
            why.append("its namespace is not in spec.trustedNamespaces")
    for number, rule in enumerate(spec.rules, 1):
        for form in forms:
            group = applied(rule, form)
            if group:
                groups.append(group)
                why.append(f'rule {number} ("{rule.match}") makes {group} of {form}')
                break
    if not why:
        why.append("no rule matches" if spec.rules else "there are no rules")
    return Meaning(value, tuple(dict.fromkeys(groups)), tuple(why))


def is_trusted(urn: str, namespaces: Sequence[str]) -> bool:
    """Whether a provider is believed: all of them where none is named, else the namespace and what is below it."""
    if not namespaces:
        return True
    whole = canonical(urn)
    return any(whole == one or whole.startswith((f"{one}:", f"{one}#")) for one in _canonical(namespaces))


def _canonical(namespaces: Iterable[str]) -> Iterable[str]:
    return (canonical(one) if is_urn(one) else one for one in namespaces)


def applied(rule: Rule, value: str) -> str:
    """The group that a rule makes of a value; "" where it does not match, or the group would not be one that people
    may be in. What stars stand for can not make a group one of the platform's own: those a rule writes out."""
    found = _pattern(rule.match).fullmatch(value)
    if found is None:
        return ""
    stars = found.groups()
    group = _CAPTURE.sub(lambda one: stars[int(one[1]) - 1] if int(one[1]) <= len(stars) else "", rule.group)
    literal = _CAPTURE.split(rule.group, maxsplit=1)[0]
    reserved = next((one for one in _RESERVED if group.startswith(one)), "")
    if reserved and not literal.startswith(reserved):
        return ""
    return group if _can_be_one(group) else ""


def _can_be_one(group: str) -> bool:
    """Whether the cluster can have a group of this name. Spaces at its ends would be lost on the way, and make another
    name of it."""
    is_as_it_is = group == " ".join(group.split()) and group.isprintable()
    return bool(group) and len(group) <= _LONGEST_GROUP and is_as_it_is and may_be_a_group(group)


@lru_cache(1024)
def _pattern(match: str) -> re2._Regexp:
    return re2.compile("([^:#]+)".join(re2.escape(one) for one in match.split("*")))
