"""Which IP families a Service gets: as Kubernetes infers, completes and refuses them."""

from ipaddress import ip_network
from typing import Any

import pytest

from skerry.engine.api.admission.service_addresses import allocate_addresses, keep_allocated
from skerry.engine.api.admission.service_families import set_families
from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj

ONE, BOTH = ("IPv4",), ("IPv4", "IPv6")
SELECTED = {"selector": {"app": "web"}}


def service(**spec: Any) -> Obj:
    return {"metadata": {"name": "web"}, "spec": {"type": "ClusterIP", **SELECTED, **spec}}


@pytest.mark.parametrize(
    ("asked", "configured", "policy", "families"),
    [
        ({}, ONE, "SingleStack", ["IPv4"]),
        ({}, BOTH, "SingleStack", ["IPv4"]),
        ({"ipFamilies": ["IPv6"]}, BOTH, "SingleStack", ["IPv6"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, ONE, "PreferDualStack", ["IPv4"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, BOTH, "PreferDualStack", ["IPv4", "IPv6"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, BOTH, "RequireDualStack", ["IPv6", "IPv4"]),
        ({"clusterIP": "fd00::7", "clusterIPs": ["fd00::7"]}, BOTH, "SingleStack", ["IPv6"]),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, BOTH, "SingleStack", ["IPv4"]),
        ({"clusterIP": "None", "clusterIPs": ["None"], "selector": {}}, ONE, "RequireDualStack", ["IPv4", "IPv6"]),
        (
            {"clusterIP": "None", "clusterIPs": ["None"], "selector": {}, "ipFamilyPolicy": "SingleStack"},
            ONE,
            "SingleStack",
            ["IPv4"],
        ),
    ],
)
def test_families_are_completed(
    asked: dict[str, Any], configured: tuple[str, ...], policy: str, families: list[str]
) -> None:
    made = service(**asked)
    set_families(made, None, configured)
    assert (made["spec"]["ipFamilyPolicy"], made["spec"]["ipFamilies"]) == (policy, families)


@pytest.mark.parametrize(
    ("asked", "configured", "field", "why"),
    [
        ({"ipFamilies": ["IPv6"]}, ONE, "spec.ipFamilies[0]", "not configured on this cluster"),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            ONE,
            "spec.ipFamilyPolicy",
            "this cluster is not configured for dual-stack services",
        ),
        (
            {"ipFamilies": ["IPv4", "IPv6"]},
            BOTH,
            "spec.ipFamilyPolicy",
            "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
        ),
        ({"ipFamilies": ["IPv4", "IPv4"]}, BOTH, "spec.ipFamilies[1]", "Duplicate value"),
        ({"ipFamilies": ["IPv5"]}, BOTH, "spec.ipFamilies[0]", "Unsupported value"),
        ({"ipFamilyPolicy": "Both"}, BOTH, "spec.ipFamilyPolicy", "Unsupported value"),
        (
            {"clusterIP": "fd00::7", "clusterIPs": ["fd00::7"]},
            ONE,
            "spec.clusterIPs[0]",
            "IPv6 is not configured on this cluster",
        ),
        (
            {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ipFamilies": ["IPv6"]},
            BOTH,
            "spec.clusterIPs[0]",
            "expected an IPv6 value as indicated by `ipFamilies[0]`",
        ),
        (
            {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7", "10.0.0.8"]},
            BOTH,
            "spec.clusterIPs",
            "may specify no more than one IP for each IP family",
        ),
        ({"clusterIPs": ["10.0.0.7"]}, BOTH, "spec.clusterIPs", "must be empty when `clusterIP` is not specified"),
        (
            {"clusterIP": "None", "clusterIPs": ["None", "10.0.0.7"]},
            BOTH,
            "spec.clusterIPs",
            "'None' must be the first and only value",
        ),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], configured: tuple[str, ...], field: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        set_families(service(**asked), None, configured)
    cause = refused.value.details["causes"][0]
    assert cause["field"] == field
    assert why in cause["message"]


def upgraded(before: Obj, **changes: Any) -> Obj:
    spec = {**before["spec"], **changes}
    return {**before, "spec": {name: value for name, value in spec.items() if value is not None}}


DUAL = service(
    clusterIP="10.0.0.7",
    clusterIPs=["10.0.0.7", "fd00::7"],
    ipFamilies=["IPv4", "IPv6"],
    ipFamilyPolicy="PreferDualStack",
)
SINGLE = service(clusterIP="10.0.0.7", clusterIPs=["10.0.0.7"], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")


def test_a_second_family_is_added_and_its_address_given_when_asked_for() -> None:
    wanted = upgraded(SINGLE, ipFamilyPolicy="PreferDualStack")
    keep_allocated(wanted, SINGLE)
    set_families(wanted, SINGLE, BOTH)
    allocate_addresses(wanted, {"IPv4": ip_network("10.0.0.0/24"), "IPv6": ip_network("fd00::/112")}, set())
    assert wanted["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    first, second = wanted["spec"]["clusterIPs"]
    assert (first, second[:4]) == ("10.0.0.7", "fd00")


def test_the_second_family_is_let_go_by_asking_for_one() -> None:
    wanted = upgraded(DUAL, ipFamilyPolicy="SingleStack")
    set_families(wanted, DUAL, BOTH)
    assert (wanted["spec"]["clusterIPs"], wanted["spec"]["ipFamilies"]) == (["10.0.0.7"], ["IPv4"])


def test_the_second_family_is_not_let_go_by_leaving_it_out() -> None:
    with pytest.raises(Invalid, match="must be 'SingleStack' to release the secondary IP family"):
        set_families(upgraded(DUAL, ipFamilies=["IPv4"]), DUAL, BOTH)


def test_who_prefers_two_families_is_not_changed_when_the_cluster_gets_a_second() -> None:
    before = upgraded(SINGLE, ipFamilyPolicy="PreferDualStack")
    wanted = upgraded(before, sessionAffinity="None")
    set_families(wanted, before, BOTH)
    assert wanted["spec"]["ipFamilies"] == ["IPv4"]
