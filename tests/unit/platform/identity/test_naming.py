"""Names of users and groups, and of the objects that stand for them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.identity.naming import may_be_a_group, may_be_a_user, object_name

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")


@given(st.text(min_size=1, max_size=253))
def test_every_name_has_an_object_name_that_kubernetes_takes(name: str) -> None:
    made = object_name(name)
    assert _SUBDOMAIN.match(made)
    assert len(made) <= 200


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_names_have_two_objects(one: str, other: str) -> None:
    assert (object_name(one) == object_name(other)) == (one == other)


def test_a_name_that_will_do_stays() -> None:
    assert object_name("anna.berg") == "anna.berg"
    assert re.fullmatch("anna-uni-example-[0-9a-f]{12}", object_name("anna@uni.example"))
    assert object_name("Anna") != object_name("anna")


@pytest.mark.parametrize("name", ["system:admin", "skerry:program:x", "system:serviceaccount:a:b"])
def test_people_are_never_called_as_parts_of_the_cluster(name: str) -> None:
    assert not may_be_a_user(name)
    assert may_be_a_user("anna@uni.example")


def test_people_are_never_in_groups_of_the_cluster() -> None:
    assert not may_be_a_group("system:masters")
    assert not may_be_a_group("skerry:project:lidar:owner")
    assert may_be_a_group("skerry:operators")
    assert may_be_a_group("urn:mace:egi.eu:group:vo.access.egi.eu")
