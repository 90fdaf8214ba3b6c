"""Who reaches whom under the policies of `network_policy_cases`, among real pods, and as policies and labels change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import network_policy_cases as cases
from tests.e2e.network_policy_cases import (
    HTTP,
    NAMESPACES,
    PODS,
    Allowed,
    Case,
    Port,
    into,
    only_into,
    peers,
    pods,
    spaces,
)
from tests.support.program import Program
from tests.support.reach import Reach
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def world(program: Program) -> Iterator[Reach]:
    for namespace in NAMESPACES:
        program.kubectl("create", "namespace", namespace)
        program.kubectl("label", "namespace", namespace, f"ns={namespace}")
    reach = Reach(program)
    reach.start(PODS)
    yield reach
    program.kubectl("delete", "namespace", *NAMESPACES, "--wait=false")


@pytest.fixture
def reach(world: Reach) -> Iterator[Reach]:
    yield world
    world.program.kubectl("delete", "networkpolicies", "--all", "--all-namespaces")


def apply(reach: Reach, policies: list[dict[str, Any]]) -> None:
    for number, one in enumerate(policies):
        one["metadata"]["name"] = f"policy-{number}"
    reach.program.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": policies}))


def expect(reach: Reach, allowed: Allowed, port: Port = HTTP) -> None:
    """Wait until the whole table is as it should be; every pod reaches itself."""
    wanted = {one: frozenset(two for two in PODS if one == two or allowed(one, two)) for one in PODS}

    def as_wanted() -> bool:
        found = reach.table(*port)
        different = {
            one: (found[one] - wanted[one], wanted[one] - found[one]) for one in PODS if found[one] != wanted[one]
        }
        assert not different, f"reached though forbidden, and not reached though allowed, at {port}: {different}"
        return True

    eventually(as_wanted, "the table")


def check(reach: Reach, case: Case) -> None:
    apply(reach, case.policies)
    for port, allowed in {HTTP: case.allowed, **case.others}.items():
        expect(reach, allowed, port)


@pytest.mark.parametrize("name", cases.INGRESS)
def test_ingress(reach: Reach, name: str) -> None:
    check(reach, cases.INGRESS[name])


@pytest.mark.parametrize("name", cases.EGRESS)
def test_egress(reach: Reach, name: str) -> None:
    check(reach, cases.EGRESS[name])


@pytest.mark.parametrize("name", cases.blocks(lambda _: "10.0.0.1"))
def test_blocks(reach: Reach, name: str) -> None:
    check(reach, cases.blocks(reach.addresses.__getitem__)[name])


def test_policies_are_followed_as_they_change_and_go(reach: Reach) -> None:
    expect(reach, cases.everybody)
    apply(reach, [into("x/a", peers(pods(pod="b")))])
    expect(reach, only_into("x/a", "x/b"))
    apply(reach, [into("x/a", peers(spaces(ns="z")))])
    expect(reach, only_into("x/a", "z"))
    reach.program.kubectl("-n", "x", "delete", "networkpolicy", "policy-0")
    expect(reach, cases.everybody)


def test_labels_of_namespaces_are_followed(reach: Reach) -> None:
    apply(reach, [into("x/a", peers(spaces(ns2="updated")))])
    expect(reach, only_into("x/a"))
    reach.program.kubectl("label", "namespace", "y", "ns2=updated")
    expect(reach, only_into("x/a", "y"))
    reach.program.kubectl("label", "namespace", "y", "ns2-")
    expect(reach, only_into("x/a"))


def test_labels_of_pods_are_followed_on_both_sides(reach: Reach) -> None:
    apply(reach, [into("x/a", peers(pods(pod2="updated")))])
    expect(reach, only_into("x/a"))
    reach.program.kubectl("-n", "x", "label", "pod", "b", "pod2=updated")
    expect(reach, only_into("x/a", "x/b"))
    reach.program.kubectl("-n", "x", "label", "pod", "b", "pod2-")
    expect(reach, only_into("x/a"))
    late = cases.policy("x", policyTypes=["Ingress"])
    late["spec"]["podSelector"] = {"matchLabels": {"target": "isolated"}}
    apply(reach, [late])
    expect(reach, cases.everybody)
    reach.program.kubectl("-n", "x", "label", "pod", "a", "target=isolated")
    expect(reach, only_into("x/a"))
    reach.program.kubectl("-n", "x", "label", "pod", "a", "target-")
    expect(reach, cases.everybody)
