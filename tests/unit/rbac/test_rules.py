"""What a rule allows, and whether rules cover others: by example and, for all small cases, against the definition."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.api.auth.access import Access, path_access
from skerry.engine.api.auth.rbac.cover import broken_down, compacted, described, uncovered
from skerry.engine.api.auth.rbac.rules import Rule, allows
from skerry.engine.api.request import User

ANNA = User("anna", ("system:authenticated",))
VERBS, GROUPS, RESOURCES = ("get", "list"), ("", "apps"), ("pods", "pods/log", "nodes")
NAMES, PATHS = ("a", "b"), ("/healthz", "/healthz/ping", "/version")


def access(verb: str, resource: str, group: str = "", name: str = "", namespace: str = "default") -> Access:
    plural, _, subresource = resource.partition("/")
    return Access(verb, group, plural, subresource, namespace, "", ANNA, name)


@pytest.mark.parametrize(
    ("rule", "asked", "allowed"),
    [
        (Rule(("get",), ("",), ("pods",)), access("get", "pods", name="x"), True),
        (Rule(("get",), ("",), ("pods",)), access("get", "pods/log", name="x"), False),
        (Rule(("get",), ("",), ("pods/log",)), access("get", "pods", name="x"), False),
        (Rule(("get",), ("",), ("pods",)), access("list", "pods"), False),
        (Rule(("*",), ("*",), ("*",)), access("list", "pods/log"), True),
        (Rule(("get",), ("*",), ("*/scale",)), access("get", "deployments/scale", "apps"), True),
        (Rule(("get",), ("*",), ("*/scale",)), access("get", "deployments", "apps"), False),
        (Rule(("get",), ("apps",), ("pods",)), access("get", "pods"), False),
        (Rule(("get",), ("",), ("pods",), ("x",)), access("get", "pods", name="x"), True),
        (Rule(("get",), ("",), ("pods",), ("x",)), access("get", "pods", name="y"), False),
        (Rule(("list",), ("",), ("pods",), ("x",)), access("list", "pods"), False),
        (Rule(("get",), urls=("/healthz/*",)), path_access(ANNA, "get", "/healthz/ping"), True),
        (Rule(("get",), urls=("/healthz/*",)), path_access(ANNA, "get", "/healthz"), False),
        (Rule(("get",), urls=("*",)), path_access(ANNA, "get", "/anything"), True),
        (Rule(("*",), ("*",), ("*",)), path_access(ANNA, "get", "/anything"), False),
        (Rule(("*",), urls=("*",)), access("get", "pods"), False),
    ],
)
def test_a_rule_allows(rule: Rule, asked: Access, allowed: bool) -> None:
    assert allows(rule, asked) is allowed


def some(values: tuple[str, ...], wild: str = "*") -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from((*values, wild)), min_size=1, max_size=2, unique=True).map(tuple)


# `st.builds(Rule, ...)` fills in `urls` as well, and a rule is for resources or for URLs, never both.
RESOURCE_RULES = st.builds(
    lambda verbs, groups, resources, names: Rule(verbs, groups, resources, names),
    some(VERBS),
    some(GROUPS),
    st.lists(st.sampled_from((*RESOURCES, "*", "*/log")), min_size=1, max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
)
URL_RULES = st.builds(lambda verbs, urls: Rule(verbs, urls=urls), some(VERBS), some((*PATHS, "/healthz/*"), "*"))
RULES = st.lists(RESOURCE_RULES | URL_RULES, max_size=3)
QUESTIONS = [
    *(access(v, r, g, n) for v, r, g, n in itertools.product(VERBS, RESOURCES, GROUPS, ("", *NAMES, "c"))),
    *(path_access(ANNA, verb, path) for verb, path in itertools.product(VERBS, PATHS)),
]


@given(RULES, RULES)
def test_who_covers_rules_may_do_all_they_allow(held: list[Rule], wanted: list[Rule]) -> None:
    """Never may a grant that passes give more than is held."""
    if uncovered(held, wanted):
        return
    for question in QUESTIONS:
        if any(allows(rule, question) for rule in wanted):
            assert any(allows(rule, question) for rule in held)


@given(RULES)
def test_rules_cover_themselves_and_everything_covers_them(rules: list[Rule]) -> None:
    assert uncovered(rules, rules) == []
    assert uncovered([Rule(("*",), ("*",), ("*",)), Rule(("*",), urls=("*",))], rules) == []


@given(RULES)
def test_breaking_down_and_putting_together_change_nothing(rules: list[Rule]) -> None:
    small = [each for rule in rules for each in broken_down(rule)]
    for question in QUESTIONS:
        expected = any(allows(rule, question) for rule in rules)
        assert any(allows(rule, question) for rule in small) is expected
        assert any(allows(rule, question) for rule in compacted(small)) is expected


def test_what_is_missing_is_told_as_kubernetes_tells_it() -> None:
    missing = uncovered([Rule(("get",), ("",), ("pods",))], [Rule(("get", "list", "watch"), ("",), ("pods",))])
    (rule,) = compacted(missing)
    assert described(rule) == '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}'
    assert described(Rule(("get",), urls=("/x",))) == '{NonResourceURLs:["/x"], Verbs:["get"]}'
