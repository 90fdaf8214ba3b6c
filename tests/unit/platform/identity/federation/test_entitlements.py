"""Entitlements in AARC's form, and what they imply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.identity.rules.entitlements import Entitlement, canonical, forms_of

EGI = "urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu"
HELMHOLTZ = "urn:geant:helmholtz.de:group:Helmholtz-member:subgroup#login.helmholtz.de"


def test_those_of_egi_and_helmholtz_are_read() -> None:
    assert Entitlement.parse(EGI) == Entitlement("urn:mace:egi.eu", ("vo.access.egi.eu",), "member", "aai.egi.eu")
    read = Entitlement.parse(HELMHOLTZ)
    assert read == Entitlement("urn:geant:helmholtz.de", ("Helmholtz-member", "subgroup"), "", "login.helmholtz.de")


@pytest.mark.parametrize(
    "value",
    [
        "members",
        "urn:mace:egi.eu:res:compute#aai.egi.eu",
        "urn:mace:egi.eu:group:#aai.egi.eu",
        "urn:mace:egi.eu:group:a::b",
        "urn:mace:egi.eu:group:role=member",
        "urn:mace:egi.eu:group:a:role=",
        "urn:mace:egi.eu:group:a:role=x:b",
        "urn:mace:egi.eu:group:a b",
        "urn:mace:egi.eu:group:" + "a" * 2000,
    ],
)
def test_what_is_none_is_none(value: str) -> None:
    assert Entitlement.parse(value) is None


def test_a_member_in_a_role_is_a_member_but_not_of_the_group_above() -> None:
    assert forms_of("URN:mace:egi.eu:group:vo:sub%2fx:role=admin#aai") == (
        "URN:mace:egi.eu:group:vo:sub%2fx:role=admin#aai",
        "urn:mace:egi.eu:group:vo:sub%2Fx:role=admin#aai",
        "urn:mace:egi.eu:group:vo:sub%2Fx:role=admin",
        "urn:mace:egi.eu:group:vo:sub%2Fx#aai",
        "urn:mace:egi.eu:group:vo:sub%2Fx",
    )
    assert forms_of("urn:x-other:thing") == ("urn:x-other:thing",)


_part = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True)


@given(
    namespace=st.from_regex(r"urn:[a-z0-9]{2,8}:[a-z0-9.]{1,10}", fullmatch=True),
    groups=st.lists(_part, min_size=1, max_size=4),
    role=st.just("") | _part,
    authority=st.just("") | _part,
)
def test_what_is_written_is_read_back(namespace: str, groups: list[str], role: str, authority: str) -> None:
    written = Entitlement(namespace, tuple(groups), role, authority)
    assert Entitlement.parse(str(written)) == written
    assert all(Entitlement.parse(one) for one in written.implied())


@given(st.text(max_size=80))
def test_nothing_is_too_strange_to_be_read(value: str) -> None:
    forms = forms_of(value)
    assert forms[0] == value
    if len(forms) > 1:
        assert canonical(canonical(value)) == canonical(value)
