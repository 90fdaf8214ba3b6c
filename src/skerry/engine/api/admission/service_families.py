"""Which IP families a Service has: what it asks for, what it had, what this cluster has. Pure.

A policy that is not given is inferred and never changes by itself: only who asks for it goes from one family to two and
back. Source: `initIPFamilyFields` in Kubernetes' `pkg/registry/core/service/storage/alloc.go`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.kinds.core.service_families import (
    HEADLESS,
    OTHER_FAMILY,
    PREFER_DUAL,
    REQUIRE_DUAL,
    SINGLE,
    check_families,
    family_of,
)
from skerry.kube import errors
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, name_of


def set_families(service: Obj, old: Obj | None, configured: Collection[str]) -> None:
    """Fill in `ipFamilyPolicy` and `ipFamilies`, and let go of the second address of who wants one family only.
    `configured`: the cluster's families, the first is the default. Raises Invalid."""
    spec, before = service["spec"], (old or {}).get("spec") or {}
    if _stays_as_it_was(spec, before):
        return
    spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or before.get("ipFamilyPolicy") or _inferred_policy(spec)
    _refuse(service, check_families(spec))
    complaints = list(_reduced(spec, before)) if spec["ipFamilyPolicy"] != SINGLE else []
    if spec["ipFamilyPolicy"] == SINGLE:
        _reduce(spec, before)
        complaints += _too_many(spec)
    complaints += _infer_families(spec, configured)
    _refuse(service, complaints)
    if not _is_served_by_others(spec):
        _refuse(service, _not_configured(spec, configured))
    families = spec.get("ipFamilies") or [next(iter(configured))]
    wants_two = spec["ipFamilyPolicy"] != SINGLE and (_is_served_by_others(spec) or len(configured) == 2)
    spec["ipFamilies"] = [families[0], OTHER_FAMILY[families[0]]] if wants_two and len(families) == 1 else families


def _stays_as_it_was(spec: Obj, before: Obj) -> bool:
    """Who prefers two families keeps what there was when it was made, whatever the cluster has since."""
    same = all(spec.get(field) == before.get(field) for field in ("type", "ipFamilyPolicy", "ipFamilies", "clusterIPs"))
    return same and spec.get("ipFamilyPolicy") == PREFER_DUAL


def _is_served_by_others(spec: Obj) -> bool:
    """Headless and without selector: whoever writes its endpoints may write what they like."""
    return spec.get("clusterIP") == HEADLESS and not spec.get("selector")


def _inferred_policy(spec: Obj) -> str:
    return REQUIRE_DUAL if _is_served_by_others(spec) else SINGLE


def _reduce(spec: Obj, before: Obj) -> None:
    for field in ("clusterIPs", "ipFamilies"):
        if len(spec.get(field) or ()) > 1 and spec[field] == before.get(field):
            spec[field] = spec[field][:1]


def _reduced(spec: Obj, before: Obj) -> Iterator[Cause]:
    for field, noun in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        was, now = before.get(field) or [], spec.get(field) or []
        if len(was) == 2 and now == was[:1]:
            why = f"must be 'SingleStack' to release the secondary {noun}"
            yield invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why)


def _too_many(spec: Obj) -> Iterator[Cause]:
    for field, noun in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if len(spec.get(field) or ()) == 2:
            why = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {noun} are specified"
            yield invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why)


def _infer_families(spec: Obj, configured: Collection[str]) -> Iterator[Cause]:
    """Add the families that the addresses have and nobody named."""
    families = list(spec.get("ipFamilies") or ())
    addresses = [one for one in spec.get("clusterIPs") or () if one != HEADLESS]
    for index, address in enumerate(addresses[len(families) :], len(families)):
        family = family_of(address)
        if family not in configured:
            yield invalid(
                f"spec.clusterIPs[{index}]", spec["clusterIPs"], f"{family} is not configured on this cluster"
            )
        else:
            families.append(family)
    if families:
        spec["ipFamilies"] = families


def _not_configured(spec: Obj, configured: Collection[str]) -> Iterator[Cause]:
    if spec["ipFamilyPolicy"] == REQUIRE_DUAL and len(configured) < 2:
        why = "this cluster is not configured for dual-stack services"
        yield invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why)
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in configured:
            yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")


def _refuse(service: Obj, complaints: Iterator[Cause] | list[Cause]) -> None:
    found = list(complaints)
    if found:
        raise errors.invalid("", "Service", name_of(service), found)
