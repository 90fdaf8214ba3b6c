"""Whose host it is, in which order paths are tried, and where requests go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.network.ingress.backends import backend
from skerry.engine.network.ingress.classes import CONTROLLER, default_class, is_ours
from skerry.engine.network.ingress.plan import Plan
from skerry.engine.network.ingress.rules import Target
from skerry.kube.objects import Obj
from tests.unit.ingress.objects import ingress, path, planned, rule, service

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def places(plan: Plan, host: str) -> list[tuple[str, str, str]]:
    (site,) = (one for one in plan.sites if one.host == host)
    return [(place.kind, place.path, place.ingress) for place in site.places]


def test_the_longest_path_comes_first_and_exact_before_all() -> None:
    plan, _ = planned(
        ingress(
            "web",
            rule(
                "a.org",
                path("/"),
                path("/longer/path"),
                path("/v2/"),
                path("/x", kind="Exact"),
                path("/any", kind="ImplementationSpecific"),
            ),
        )
    )
    assert [(kind, where) for kind, where, _ in places(plan, "a.org")] == [
        ("Exact", "/x"),
        ("Prefix", "/longer/path"),
        ("Prefix", "/any"),
        ("Prefix", "/v2"),
        ("Prefix", ""),
    ]


def test_a_host_belongs_to_the_namespace_of_the_oldest() -> None:
    late = ingress("late", rule("a.org", path("/x")), rule("b.org", path("/")), namespace="other", created=LATE)
    plan, problems = planned(late, ingress("early", rule("a.org", path("/")), created=EARLY))
    assert places(plan, "a.org") == [("Prefix", "", "default/early")]
    assert places(plan, "b.org") == [("Prefix", "", "other/late")]
    (problem,) = problems["other/late"]
    assert problem.reason == "HostTaken"
    assert "default/early" in problem.message


def test_in_one_namespace_the_older_path_counts() -> None:
    late = ingress("late", rule("a.org", path("/"), path("/late")), created=LATE)
    plan, problems = planned(late, ingress("early", rule("a.org", path("/")), created=EARLY))
    assert places(plan, "a.org") == [("Prefix", "/late", "default/late"), ("Prefix", "", "default/early")]
    assert [one.reason for one in problems["default/late"]] == ["PathTaken"]
    assert problems["default/early"] == ()


@given(st.permutations(range(4)))
def test_the_order_of_the_cache_does_not_matter(order: list[int]) -> None:
    all_of_them = [
        ingress(f"i{number}", rule("a.org", path(f"/{number % 2}")), created=f"2026-01-0{number + 1}T00:00:00Z")
        for number in range(4)
    ]
    assert planned(*(all_of_them[number] for number in order))[0].sites == planned(*all_of_them)[0].sites


def test_the_certificate_of_another_namespace_is_not_used() -> None:
    tls = [{"hosts": ["a.org"], "secretName": "theirs"}]
    late = ingress("late", rule("a.org", path("/")), namespace="other", created=LATE, tls=tls)
    plan, _ = planned(ingress("early", rule("a.org", path("/")), created=EARLY), late)
    assert [site.tls for site in plan.sites] == [None]


def test_a_wildcard_in_tls_counts_for_hosts_below_it() -> None:
    tls = [{"hosts": ["*.a.org"], "secretName": "wild"}]
    plan, _ = planned(ingress("web", rule("x.a.org", path("/")), rule("y.x.a.org", path("/")), tls=tls))
    assert {site.host: site.tls and site.tls.secret for site in plan.sites} == {
        "x.a.org": "default/wild",
        "y.x.a.org": None,
    }


def test_aliases_are_hosts() -> None:
    plan, _ = planned(ingress("web", rule("a.org", path("/")), annotations={"server-alias": "B.org, c.org"}))
    assert [site.host for site in plan.sites] == ["a.org", "b.org", "c.org"]


def test_what_is_missing_is_said() -> None:
    _, problems = planned(ingress("web", rule("a.org", path("/", "missing"), path("/p", port=81))))
    assert [one.message for one in problems["default/web"]] == [
        "Service default/web has no port 81",
        "there is no Service default/missing",
    ]


def _slice(*conditions: dict[str, bool]) -> Obj:
    endpoints = [{"addresses": [f"10.64.0.{n}"], "conditions": one} for n, one in enumerate(conditions)]
    return {"addressType": "IPv4", "ports": [{"name": "http", "port": 8080}], "endpoints": endpoints}


def test_requests_go_to_ready_endpoints_else_to_those_that_still_serve() -> None:
    target = Target("default", "web", "http")
    ready, going = {"ready": True}, {"ready": False, "serving": True, "terminating": True}
    cases = {
        (): (),
        (_tuple(ready), _tuple(going)): ("10.64.0.0:8080",),
        (_tuple(going), _tuple({"ready": False})): ("10.64.0.0:8080",),
    }
    for conditions, wanted in cases.items():
        piece = _slice(*(dict(one) for one in conditions))
        found = backend(target, service, lambda _namespace, _name, piece=piece: [piece])  # type: ignore[misc]
        assert found.dials == wanted
        assert found.service_dial == "10.65.0.20:80"


def _tuple(conditions: dict[str, bool]) -> tuple[tuple[str, bool], ...]:
    return tuple(conditions.items())


@pytest.mark.parametrize("name", ["localhost", "a.LOCALHOST.", "127.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_a_name_for_this_machine_is_refused(name: str) -> None:
    outside: Obj = {"metadata": {}, "spec": {"type": "ExternalName", "externalName": name}}
    found = backend(Target("default", "web", 80), lambda _namespace, _name: outside, lambda _namespace, _name: [])
    assert found.dials == ()
    assert "is refused" in found.trouble


def test_classes() -> None:
    foreign = {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
    ours = {"metadata": {"name": "inner"}, "spec": {"controller": CONTROLLER}}
    usual = {"skerry": default_class(), "inner": ours}
    named = {name: ingress("a", ingressClassName=name) for name in ("skerry", "nginx", "inner", "traefik")}
    assert {name: is_ours(one, usual.get) for name, one in named.items()} == {
        "skerry": True,
        "nginx": True,
        "inner": True,
        "traefik": False,
    }
    with_nginx = {**usual, "nginx": foreign}
    assert not is_ours(named["nginx"], with_nginx.get)
    assert is_ours(ingress("a"), usual.get)
    assert not is_ours(ingress("a"), {}.get)
    annotated = ingress("a", ingressClassName="skerry")
    annotated["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "traefik"
    assert not is_ours(annotated, usual.get)
