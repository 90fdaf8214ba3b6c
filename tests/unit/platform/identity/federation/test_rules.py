"""From what a provider tells to groups, and the explanation of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.identity.rules.rules import applied, explained, groups_of
from skerry.platform.identity.rules.told import MOST, Told
from skerry.platform.identity.types import IdentityProviderSpec, Rule

EGI = "urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu"


def provider(*rules: tuple[str, str], trusted: tuple[str, ...] = ()) -> IdentityProviderSpec:
    made = [Rule(match=match, group=group) for match, group in rules]
    return IdentityProviderSpec(type="OIDC", display_name="", username_prefix="", disabled=False, rules=made,
                                trusted_namespaces=list(trusted))  # fmt: skip


def told(*entitlements: str, groups: tuple[str, ...] = ()) -> Told:
    return Told("1", "anna", entitlements=entitlements, groups=groups)


def test_an_entitlement_is_a_group_as_it_is_with_what_it_implies() -> None:
    assert groups_of(told(EGI), provider()) == (
        "urn:mace:egi.eu:group:vo.access.egi.eu",
        "urn:mace:egi.eu:group:vo.access.egi.eu#aai.egi.eu",
        "urn:mace:egi.eu:group:vo.access.egi.eu:role=member",
        EGI,
    )


def test_plain_names_are_groups_by_rules_only() -> None:
    plain = told("admins", groups=("staff", EGI))
    assert groups_of(plain, provider()) == ()
    rules = provider(("staff", "lab"), ("admins", "skerry:operators"))
    assert groups_of(plain, rules) == ("lab", "skerry:operators")


def test_a_provider_is_believed_in_its_namespaces_only() -> None:
    rules = provider(("urn:mace:*", "seen"), trusted=("urn:mace:egi.eu",))
    foreign = "urn:mace:egi.euvil:group:vo"
    assert EGI in groups_of(told(EGI), rules)
    (meaning,) = explained(told(foreign), rules)
    assert meaning.groups == ()
    assert meaning.why == ("its namespace is not in spec.trustedNamespaces",)
    assert groups_of(told("urn:mace:x"), rules) == ("seen",)


def test_what_a_star_stands_for_can_be_said_in_the_group() -> None:
    rule = Rule(match="urn:mace:egi.eu:group:*:role=*#aai.egi.eu", group="$1/$2$3")
    assert applied(rule, EGI) == "vo.access.egi.eu/member"
    assert applied(rule, EGI.replace(":role", ":sub:role")) == "", "a star stands for no colon"


@pytest.mark.parametrize(
    "hostile", ["skerry:operators", "system:masters", " skerry:operators", "skerry:project:lidar:owner"]
)
def test_nobody_becomes_an_operator_by_the_name_of_a_group_elsewhere(hostile: str) -> None:
    assert groups_of(told(groups=(hostile,)), provider(("*", "$1"), ("*:*", "$1:$2"), ("*:*:*:*", "$1:$2:$3:$4"))) == ()
    assert applied(Rule(match="*", group="$1:masters"), "system") == ""
    assert applied(Rule(match="*", group="$1"), "a  b") == "" == applied(Rule(match="a*", group="$1"), "a system")
    assert applied(Rule(match="a", group="system:masters"), "a") == "", "not by an operator's rule either"
    assert applied(Rule(match="ops", group="skerry:operators"), "ops") == "skerry:operators"


def test_the_explanation_names_rule_and_form() -> None:
    rules = provider(("urn:mace:egi.eu:group:vo.access.egi.eu", "lab"))
    one, two = explained(told(EGI, "nothing"), rules)
    assert one.why[1] == (
        'rule 1 ("urn:mace:egi.eu:group:vo.access.egi.eu") makes lab of urn:mace:egi.eu:group:vo.access.egi.eu'
    )
    assert two.why == ("no rule matches",)
    assert explained(told("nothing"), provider())[0].why == ("there are no rules",)


@given(st.lists(st.text(max_size=30)), st.lists(st.text(max_size=30)), st.text(min_size=1, max_size=12))
def test_no_name_breaks_it_and_it_explains_what_it_does(ours: list[str], plain: list[str], match: str) -> None:
    rules = provider((match, "x-$1"), ("*", "y-$1"))
    said = Told("1", "anna", entitlements=tuple(ours), groups=tuple(plain))
    groups = groups_of(said, rules)
    assert set(groups) == {group for one in explained(said, rules) for group in one.groups}
    assert not any(one.startswith(("system:", "skerry:")) for one in groups)
    assert (
        groups_of(Told("1", "anna", groups=tuple(reversed(plain)), entitlements=tuple(reversed(ours))), rules) == groups
    )


def test_many_values_are_bounded_and_hostile_ones_matched_in_linear_time() -> None:
    many = tuple(f"urn:mace:egi.eu:group:g{number}" for number in range(10_000))
    assert len(groups_of(told(*many), provider())) == MOST
    assert applied(Rule(match="*a" * 20, group="x"), "a" * 1000 + "b") == ""
