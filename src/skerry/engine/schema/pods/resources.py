"""Rules on `resources`: names, amounts, requests within limits. Source: `ValidateResourceRequirements`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

NOT_NEGATIVE = "must be greater than or equal to 0"
_STANDARD = ("cpu", "memory", "ephemeral-storage")


def check_resources(resources: Obj, field: str) -> Iterator[Cause]:
    """Limits, requests, and requests against limits."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        yield from _check_amount(name, amount, f"{field}.limits")
    for name, amount in requests.items():
        yield from _check_amount(name, amount, f"{field}.requests")
        yield from _check_against_limit(name, amount, limits.get(name), field)
    known = {claim for claim in limits if _is_huge_page(claim)} | {claim for claim in requests if _is_huge_page(claim)}
    if known and not (limits.keys() | requests.keys()) & {"cpu", "memory"}:
        yield forbidden(field, "HugePages require cpu or memory")


def _check_against_limit(name: str, amount: str, limit: str | None, field: str) -> Iterator[Cause]:
    if limit is None:
        if not _overcommits(name):
            yield required(f"{field}.limits", "Limit must be set for non overcommitable resources")
        return
    if amount == limit:
        return
    wanted, allowed = parse_quantity(amount), parse_quantity(limit)
    if wanted != allowed and not _overcommits(name):
        yield invalid(f"{field}.requests", amount, f"must be equal to {name} limit of {limit}")
    elif wanted > allowed:
        yield invalid(f"{field}.requests", amount, f"must be less than or equal to {name} limit of {limit}")


def _check_amount(name: str, amount: str, field: str) -> Iterator[Cause]:
    if name not in _STANDARD and not _is_huge_page(name):
        yield from _check_extended_name(name, field)
    value = parse_quantity(amount)
    if value < 0:
        yield invalid(f"{field}[{name}]", amount, NOT_NEGATIVE)
    if not _overcommits(name) and value != value.to_integral_value():
        yield invalid(f"{field}[{name}]", amount, "must be an integer")


def _check_extended_name(name: str, field: str) -> Iterator[Cause]:
    if complaint := names.qualified_name(name):
        yield invalid(f"{field}[{name}]", name, complaint)
    elif "/" not in name:
        yield invalid(f"{field}[{name}]", name, "must be a standard resource for containers")


def _is_huge_page(name: str) -> bool:
    return name.startswith("hugepages-")


def _overcommits(name: str) -> bool:
    """Whether more of it may be promised than there is: not of extended resources and huge pages."""
    return name in _STANDARD or "kubernetes.io/" in name


def check_positive_quantity(amount: str, field: str) -> Iterator[Cause]:
    """An amount that must be more than nothing."""
    if parse_quantity(amount) <= Decimal(0):
        yield invalid(field, amount, "must be greater than zero")


def check_quantity(amount: str, field: str) -> Iterator[Cause]:
    """An amount that must not be negative."""
    if parse_quantity(amount) < Decimal(0):
        yield invalid(field, amount, NOT_NEGATIVE)
