"""What annotations are read as, and what is said about those that cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.network.ingress import annotation_values as values
from skerry.engine.network.ingress.annotations import DANGEROUS, HARMLESS, SUPPORTED, read
from skerry.engine.network.ingress.settings import PLAIN, BasicAuth, Redirect
from tests.unit.ingress.objects import ingress

PAGE = Path(__file__).parents[3] / "docs/resources/ingress.md"


def settings_of(**annotations: str) -> object:
    given = {key.replace("_", "-"): text for key, text in annotations.items()}
    settings, problems = read(ingress(annotations=given))
    assert problems == []
    return settings


def test_without_annotations_nothing_is_asked_for() -> None:
    assert settings_of() is PLAIN


def test_values_come_to_settings() -> None:
    found = read(
        ingress(
            annotations={
                "proxy-body-size": "8m",
                "proxy-read-timeout": "3600",
                "proxy-connect-timeout": "2s",
                "backend-protocol": "grpc",
                "whitelist-source-range": "10.0.0.0/8, 192.0.2.1",
                "temporal-redirect": "https://a.org",
                "temporal-redirect-code": "307",
                "permanent-redirect": "https://b.org",
                "auth-type": "basic",
                "auth-secret": "users",
                "auth-secret-type": "auth-map",
                "affinity": "cookie",
                "load-balance": "ewma",
            }
        )
    )[0]
    assert found.body_size == 8 << 20
    assert (found.read_seconds, found.connect_seconds) == (3600, 2)
    assert found.protocol == "GRPC"
    assert found.allowed == ("10.0.0.0/8", "192.0.2.1/32")
    assert found.redirect == Redirect("https://a.org", 307)
    assert found.basic_auth == BasicAuth("users", "", is_map=True)
    assert found.affinity_cookie == "INGRESSCOOKIE"
    assert found.balancing == "least_conn"


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("ssl-redirect", "maybe"),
        ("proxy-body-size", "8 apples"),
        ("proxy-read-timeout", "0"),
        ("backend-protocol", "FCGI"),
        ("permanent-redirect", "javascript:alert(1)"),
        ("permanent-redirect", "https://a.org/{http.request.header.Cookie}"),
        ("permanent-redirect-code", "200"),
        ("rewrite-target", "no-slash"),
        ("upstream-vhost", "a\r\nX-Evil: 1"),
        ("affinity", "ip"),
        ("session-cookie-name", "a b"),
    ],
)
def test_a_value_that_cannot_be_read_is_reported_and_leaves_the_default(annotation: str, text: str) -> None:
    settings, problems = read(ingress(annotations={annotation: text}))
    assert settings == PLAIN
    assert [(one.reason, annotation in one.message) for one in problems] == [("InvalidAnnotation", True)]


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("whitelist-source-range", "10.0.0.0/33"),
        ("denylist-source-range", "everybody"),
        ("auth-type", "digest"),
        ("auth-url", "/relative"),
    ],
)
def test_what_says_who_is_let_in_and_cannot_be_read_closes(annotation: str, text: str) -> None:
    settings, problems = read(ingress(annotations={annotation: text}))
    assert settings.closed
    assert [(one.reason, annotation in one.message) for one in problems] == [("InvalidAnnotation", True)]


def test_protection_that_cannot_be_read_lets_nobody_in() -> None:
    settings, problems = read(ingress(annotations={"auth-type": "basic"}))
    assert problems == []
    assert settings.basic_auth == BasicAuth("")


def test_each_annotation_is_supported_harmless_refused_or_reported() -> None:
    assert not SUPPORTED & HARMLESS | SUPPORTED & DANGEROUS | HARMLESS & DANGEROUS
    _, problems = read(ingress(annotations={"limit-rps": "1", "server-snippet": "x", "proxy-buffering": "on"}))
    assert [one.reason for one in problems] == ["UnsupportedAnnotation", "RefusedAnnotation"]


def test_the_page_lists_them() -> None:
    text = PAGE.read_text()
    for names in (SUPPORTED, HARMLESS, DANGEROUS):
        assert [name for name in sorted(names) if not re.search(rf"`{re.escape(name)}`", text)] == []


@given(st.integers(0, 10**6), st.sampled_from(["", "k", "K", "m", "g"]))
def test_sizes(amount: int, unit: str) -> None:
    power = {"": 0, "k": 10, "m": 20, "g": 30}[unit.lower()]
    assert values.size(f"{amount}{unit}") == amount << power
