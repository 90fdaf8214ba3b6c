"""IP families of a Service: the rules that policy, families and addresses have by themselves.

Which families a Service gets is admission's matter (`api/admission/service_families`). Source:
`ValidateServiceClusterIPsRelatedFields` in Kubernetes' `pkg/apis/core/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import duplicate, invalid, not_supported
from skerry.engine.schema.pods.validation import NOT_AN_IP, is_ip
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

IPV4, IPV6 = "IPv4", "IPv6"
OTHER_FAMILY = {IPV4: IPV6, IPV6: IPV4}
SINGLE, PREFER_DUAL, REQUIRE_DUAL = "SingleStack", "PreferDualStack", "RequireDualStack"
HEADLESS = "None"
_POLICIES = (PREFER_DUAL, REQUIRE_DUAL, SINGLE)


def family_of(address: str) -> str:
    """Of an IP address."""
    return IPV6 if ":" in address else IPV4


def check_families(spec: Obj) -> Iterator[Cause]:
    """What is wrong with policy, families and addresses by themselves."""
    addresses, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    yield from _check_in_step(spec.get("clusterIP") or "", addresses)
    for index, family in enumerate(families):
        if family not in OTHER_FAMILY:
            yield not_supported(f"spec.ipFamilies[{index}]", family, (IPV4, IPV6))
        elif family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    if spec.get("ipFamilyPolicy") and spec["ipFamilyPolicy"] not in _POLICIES:
        yield not_supported("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], _POLICIES)
    malformed = list(_check_each(addresses))
    yield from malformed
    if len(addresses) > 2:
        yield invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    if malformed:
        return
    if len(addresses) > 1 and len({family_of(one) for one in addresses}) < len(addresses):
        yield invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family")
    elif addresses[:1] != [HEADLESS]:
        yield from _check_matching(addresses, families)


def _check_in_step(address: str, addresses: list[str]) -> Iterator[Cause]:
    if address and addresses and addresses[0] != address:
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    if addresses and not address:
        yield invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")


def _check_each(addresses: list[str]) -> Iterator[Cause]:
    if addresses[:1] == [HEADLESS] and len(addresses) > 1:
        yield invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
    for index, address in enumerate(addresses):
        if not is_ip(address) and not (index == 0 and address == HEADLESS):
            yield invalid(f"spec.clusterIPs[{index}]", address, NOT_AN_IP)


def _check_matching(addresses: list[str], families: list[str]) -> Iterator[Cause]:
    for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
        if family_of(address) != family:
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", address, why)
