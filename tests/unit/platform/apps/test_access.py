"""What an Ingress with `skerry.dev/access` comes to."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.platform.base.admission import Review
from skerry.platform.identity.apps.access import ACCESS, guarded, has_host, is_anothers, question
from skerry.platform.identity.apps.guarding import judged
from skerry.platform.identity.apps.passes import Pass, Passes
from skerry.platform.identity.apps.routes import _as_header, _asked_at_sign_in, _may_lead_to
from tests.support.clock import SetClock

URL = "https://portal.example:7443"
NGINX = "nginx.ingress.kubernetes.io/"


def ingress(who: str = "members", **more: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "lab", "annotations": {ACCESS: who, **more.pop("annotations", {})}}
    return {"metadata": metadata, "spec": {"rules": [{"host": "web.lab.localhost"}], **more}}


def review(obj: dict[str, Any]) -> Review:
    return Review(
        "u", "CREATE", "networking.k8s.io", "v1", "ingresses", "", "lab", "web", "anna", frozenset(), obj, {}, False
    )


def annotations_after(obj: dict[str, Any]) -> dict[str, str]:
    (patch,) = judged(review(obj), URL).patch
    value: dict[str, str] = patch["value"]
    return value


def test_it_is_guarded_whatever_it_says_itself() -> None:
    wanted = annotations_after(ingress(annotations={f"{NGINX}auth-url": "https://mine.example/yes", "kept": "1"}))
    assert wanted[f"{NGINX}auth-url"] == (
        "https://skerry-platform.skerry-system.svc.cluster.local/identity/apps/check?namespace=lab&ingress=web"
    )
    assert wanted[f"{NGINX}auth-signin"] == f"{URL}/identity/apps/sign-in?namespace=lab&ingress=web"
    assert (wanted["kept"], wanted[f"{NGINX}force-ssl-redirect"]) == ("1", "true")
    assert judged(review({**ingress(), "metadata": {**ingress()["metadata"], "annotations": wanted}}), URL).patch == ()


def test_what_was_set_goes_with_the_wish_and_only_that() -> None:
    set_by_us = guarded({ACCESS: "members"}, "web", "lab", URL)
    assert guarded({**set_by_us, ACCESS: "everyone"}, "web", "lab", URL) == {ACCESS: "everyone"}
    own = {f"{NGINX}auth-url": "https://mine.example/yes", f"{NGINX}auth-signin": "https://mine.example/"}
    assert guarded(own, "web", "lab", URL) == own


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (ingress("friends"), "skerry.dev/access must be members, editors, owner or everyone, not 'friends'"),
        (ingress(rules=[{"http": {}}]), "needs a host in each rule"),
        (ingress(rules=[{"host": "web.lab.localhost"}, {"http": {}}]), "needs a host in each rule"),
        (ingress(annotations={f"{NGINX}server-alias": "b.localhost"}), "names all its hosts in rules"),
        (ingress(defaultBackend={"service": {}}), "no defaultBackend"),
        (
            {**ingress(), "metadata": {"generateName": "web-", "annotations": {ACCESS: "owner"}}},
            "needs a metadata.name",
        ),
    ],
)
def test_what_cannot_be_guarded_is_refused(obj: dict[str, Any], why: str) -> None:
    verdict = judged(review(obj), URL)
    assert (verdict.code, why in verdict.message) == (422, True)


def test_each_value_is_a_question_to_rbac() -> None:
    asked = {who: question(ingress(who), "lidar") for who in ("members", "editors", "owner")}
    assert [(one.verb, one.resource.plural, one.name) for one in asked.values() if one] == [
        ("get", "ingresses", "web"),
        ("update", "ingresses", "web"),
        ("update", "projects", "lidar"),
    ]
    assert question(ingress("everyone"), "lidar") is None
    annas = ingress("owner", annotations={"skerry.dev/user": "anna"})
    assert (is_anothers(annas, "anna"), is_anothers(annas, "ben"), is_anothers(ingress("owner"), "ben")) == (
        False,
        True,
        False,
    )
    still_a_member = question(annas, "lidar")
    assert still_a_member
    assert (still_a_member.verb, still_a_member.resource.plural) == ("get", "ingresses")


@pytest.mark.parametrize(
    ("netloc", "allowed"),
    [
        ("web.lab.localhost", True),
        ("web.lab.localhost:443", True),
        ("web.lab.localhost:30080", False),
        ("evil.example", False),
        ("web.lab.localhost@evil.example", False),
        ("", False),
    ],
)
def test_codes_go_to_the_apps_own_address_only(netloc: str, allowed: bool) -> None:
    assert _may_lead_to(ingress(), netloc) == allowed


def test_a_wildcard_stands_for_one_label() -> None:
    wild = ingress(rules=[{"host": "*.lab.localhost"}])
    assert (has_host(wild, "a.lab.localhost"), has_host(wild, "a.b.lab.localhost")) == (True, False)


@pytest.mark.parametrize(
    "written",
    [
        "https://x.example/p?a=1&namespace=other&ingress=none",
        "https://x.example%2Fp%3Fa%3D1%26namespace%3Dother%26ingress%3Dnone",
        "https%3A%2F%2Fx.example%2Fp%3Fa%3D1%26namespace%3Dother%26ingress%3Dnone",
    ],
)
def test_where_somebody_wanted_to_go_is_read_encoded_and_not(written: str) -> None:
    which, wanted = _asked_at_sign_in(f"namespace=lab&ingress=web&rd={written}")
    assert which == {"namespace": "lab", "ingress": "web"}
    assert wanted == "https://x.example/p?a=1&namespace=other&ingress=none"


def test_codes_are_good_once_at_their_host_for_a_minute() -> None:
    clock = SetClock()
    passes = Passes(clock)
    wanted = Pass("lab/web", "web.lab.localhost", "session")
    code = passes.code_for(wanted)
    known, token = passes.redeem(code, "web.lab.localhost") or (None, "")
    assert (known, passes.redeem(code, "web.lab.localhost")) == (wanted, None)
    assert passes.redeem(passes.code_for(wanted), "other.localhost") is None
    late = passes.code_for(wanted)
    clock.advance(61)
    assert passes.redeem(late, "web.lab.localhost") is None
    here = ["web.lab.localhost"]
    assert (passes.of(token, "lab/web", []), passes.of("guessed", "lab/web", here)) == (wanted, None)
    assert passes.of(token, "lab/api", here) == wanted, "another path of the host has the same cookie"
    assert passes.of(token, "lab/other", ["other.lab.localhost"]) is None
    assert passes.of(token, "lab/all", ["*.lab.localhost"]) is None
    assert passes.of(token, "eve/web", here) is None
    passes.end(token)
    assert passes.of(token, "lab/web", here) is None


def test_names_of_people_are_told_in_utf_8() -> None:
    assert _as_header("Łukasz").encode("latin-1").decode() == "Łukasz"
