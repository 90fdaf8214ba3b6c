"""Label selectors: what they select, what is refused, and that text and objects mean the same."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.selectors import Selector, SelectorError, check_key, check_value, parse_selector, selector_of

LABELS = {"app": "web", "tier": "front", "rank": "7", "example.com/zone": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "", "app", "app=web", "app==web", " app = web ", "app!=db", "missing!=x", "!missing", "app in (web, db)",
        "app notin (db)", "missing notin (db)", "rank>6", "rank<8", "app=web,tier=front,!other", "example.com/zone=a",
        "app in (web),tier notin (back)",
    ],
)  # fmt: skip
def test_selects(text: str) -> None:
    assert parse_selector(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "app=db",
        "missing",
        "!app",
        "app in (db)",
        "app notin (web)",
        "rank>7",
        "rank<7",
        "app>1",
        "missing>1",
        "app=",
        "app!=web",
    ],
)
def test_does_not_select(text: str) -> None:
    assert not parse_selector(text).matches(LABELS)


def test_an_empty_value_is_a_value() -> None:
    assert parse_selector("app=").matches({"app": ""})
    assert parse_selector("app in (a,)").matches({"app": ""})
    assert not parse_selector("app=").matches({})


@pytest.mark.parametrize(
    "text",
    [
        "=", ",", "a,", ",a", "a,,b", "a=b=c", "a b", "!a=b", "a in b", "a in (b", "a in b)", "a in (b c)", "a>b",
        "a>", "a ! b", "a=(b)", "-a=b", "a=-b", "a..b/c=d", "/a=b", "a/b/c=d", "a=" + "x" * 64, "x" * 64, "a=b\n,",
        "a>99999999999999999999", "a@b", "é=b", "a>" + "1" * 5000, "a>" + "0" * 5000,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(SelectorError):
        parse_selector(text)


@pytest.mark.parametrize("key", ["a\n", "x.y/", "X.y/a", "a" * 254 + "/b"])
def test_illegal_keys(key: str) -> None:
    with pytest.raises(SelectorError):
        check_key(key)


def test_a_value_may_not_end_in_a_newline() -> None:
    with pytest.raises(SelectorError):
        check_value("a\n")


def test_objects() -> None:
    spec = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["front", "back"]},
            {"key": "rank", "operator": "NotIn", "values": ["1"]},
            {"key": "app", "operator": "Exists"},
            {"key": "missing", "operator": "DoesNotExist"},
        ],
    }
    assert selector_of(spec).matches(LABELS)
    assert not selector_of(spec).matches({**LABELS, "missing": "x"})
    assert selector_of({}) == selector_of(None) == Selector()


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "a", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["x"]}, {"key": "a"},
        {"operator": "Exists"}, {"key": "a", "operator": "in", "values": ["x"]},
    ],
)  # fmt: skip
def test_refused_objects(expression: dict[str, object]) -> None:
    with pytest.raises(SelectorError):
        selector_of({"matchExpressions": [expression]})


WORDS = st.from_regex(r"[a-z]([a-z0-9]{0,5}[a-z0-9])?", fullmatch=True).filter(lambda word: word not in ("in", "notin"))


@given(st.dictionaries(WORDS, WORDS), WORDS, st.lists(WORDS, min_size=1))
def test_text_and_object_agree(labels: dict[str, str], key: str, values: list[str]) -> None:
    for word, operator in (("in", "In"), ("notin", "NotIn")):
        text = parse_selector(f"{key} {word} ({','.join(values)})")
        spec = selector_of({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
        assert text.matches(labels) is spec.matches(labels)


@given(st.dictionaries(WORDS, WORDS), WORDS, WORDS)
def test_negations_negate(labels: dict[str, str], key: str, value: str) -> None:
    assert parse_selector(f"{key}={value}").matches(labels) is not parse_selector(f"{key}!={value}").matches(labels)
    assert parse_selector(key).matches(labels) is not parse_selector(f"!{key}").matches(labels)


@given(st.text() | st.text(alphabet="ab=!,()<> in/.-\\"))
def test_garbage_is_refused_or_understood(text: str) -> None:
    with contextlib.suppress(SelectorError):
        parse_selector(text).matches(LABELS)
