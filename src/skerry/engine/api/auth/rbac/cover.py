"""Whether some rules allow all that others allow, and what is missing: nobody may grant what they do not hold.

Rules are broken down to one group, resource, name and verb each; such a small one is covered by one rule or by none.
Pure functions. Source: Kubernetes' `component-helpers/auth/rbac/validation/policy_comparator.go` and
`pkg/registry/rbac/validation/policy_compact.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from skerry.engine.api.auth.rbac.rules import ALL, Rule, url_matches
from skerry.engine.schema.causes import shown


def uncovered(held: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What `wanted` allows and `held` does not, in small rules; [] when everything is covered."""
    return [small for rule in wanted for small in broken_down(rule) if not any(covers(one, small) for one in held)]


def broken_down(rule: Rule) -> Iterator[Rule]:
    """A rule as small ones: one verb, and one group, resource and name or one URL."""
    for group in rule.groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                if not rule.names:
                    yield Rule((verb,), (group,), (resource,))
                for name in rule.names:
                    yield Rule((verb,), (group,), (resource,), (name,))
    for url in rule.urls:
        for verb in rule.verbs:
            yield Rule((verb,), urls=(url,))


def covers(rule: Rule, small: Rule) -> bool:
    """Whether a rule allows what a small one allows."""
    if not _has(rule.verbs, small.verbs):
        return False
    if small.urls:
        return all(any(url_matches(url, wanted) for url in rule.urls) for wanted in small.urls)
    if not _has(rule.groups, small.groups) or not _has_resource(rule.resources, small.resources[0]):
        return False
    return not rule.names or (bool(small.names) and set(small.names) <= set(rule.names))


def _has(values: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return ALL in values or all(value in values for value in wanted)


def _has_resource(resources: tuple[str, ...], wanted: str) -> bool:
    if ALL in resources or wanted in resources:
        return True
    _, slash, subresource = wanted.partition("/")
    return bool(slash) and f"*/{subresource}" in resources


def compacted(small: Iterable[Rule]) -> list[Rule]:
    """Small rules that differ in their verbs only, put together."""
    verbs: dict[Rule, dict[str, None]] = {}
    for rule in small:
        verbs.setdefault(rule._replace(verbs=()), {}).update(dict.fromkeys(rule.verbs))
    return [rule._replace(verbs=tuple(each)) for rule, each in verbs.items()]


def described(rule: Rule) -> str:
    """A rule as Kubernetes prints it in messages."""
    parts = (
        ("APIGroups", rule.groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.urls),
        ("ResourceNames", rule.names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{name}:{quoted(values)}" for name, values in parts if values) + "}"


def quoted(values: Iterable[str]) -> str:
    """A list of strings as Go prints it: ["a" "b"]."""
    return "[" + " ".join(shown(value) for value in values) + "]"
