"""What Caddy is told: expressions that match what they should, certificates for those who may see them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.network.ingress.backends import Backend
from skerry.engine.network.ingress.document import Listeners, document, listening_by
from skerry.engine.network.ingress.handover import named
from skerry.engine.network.ingress.materials import Certificate, Materials
from skerry.engine.network.ingress.plan import Place
from skerry.engine.network.ingress.program import hands_over, keeps_streams
from skerry.engine.network.ingress.proxying import Abilities, Successors, proxies
from skerry.engine.network.ingress.routes import _longer_than
from skerry.engine.network.ingress.settings import PLAIN, Settings
from skerry.kube.objects import Obj
from tests.unit.ingress.objects import ingress, path, planned, rule

LISTENERS = Listeners(("10.64.0.1",), 10080, 10443)
ABILITIES = Abilities(keeps_streams=True, resolver="10.65.0.10")


def rendered(*ingresses: Obj, materials: Materials | None = None) -> Obj:
    return document(planned(*ingresses, materials=materials)[0], LISTENERS, ABILITIES)


@given(st.integers(0, 10**7), st.integers(0, 10**8))
def test_numbers_that_are_greater(limit: int, number: int) -> None:
    assert bool(re.search(_longer_than(limit), str(number))) == (number > limit)


def test_equal_plans_give_equal_documents() -> None:
    one, other = ingress("one", rule("a.org", path("/"))), ingress("two", rule("b.org", path("/")))
    assert rendered(one, other) == rendered(other, one)


def test_hosts_come_before_wildcards_and_those_before_everybody() -> None:
    found = rendered(
        ingress("all", rule("", path("/"))),
        ingress("wild", rule("*.a.org", path("/"))),
        ingress("b", rule("b.org", path("/"))),
    )
    routes = found["apps"]["http"]["servers"]["http"]["routes"]
    hosts = [route["match"][0]["host"] for route in routes if "host" in (route.get("match") or [{}])[0]]
    assert hosts == [["b.org"], ["*.a.org"]]
    assert "match" not in routes[-2], (
        "what is for all hosts comes last, but for the page that says that there is nothing"
    )


def test_many_hosts_are_grouped_and_none_is_lost() -> None:
    hosts = [f"h{number}.a.org" for number in range(100)]
    found = rendered(*(ingress(host, rule(host, path("/"))) for host in hosts))
    routes = found["apps"]["http"]["servers"]["http"]["routes"]
    groups = [route for route in routes if len((route.get("match") or [{}])[0].get("host", ())) > 1]
    assert len(groups) == 10
    assert sorted(host for group in groups for host in group["match"][0]["host"]) == sorted(hosts)
    for group in groups:
        inner = [route["match"][0]["host"][0] for route in group["handle"][0]["routes"]]
        assert inner == group["match"][0]["host"]


def test_certificates_are_chosen_by_name_only() -> None:
    pairs = {
        "": Certificate("other", "C0", "K0"),
        "a.org": Certificate("a", "C1", "K1"),
        "*.a.org": Certificate("wild", "C2", "K2"),
        "b.org": Certificate("a", "C1", "K1"),
    }
    found = rendered(ingress("one", rule("a.org", path("/"))), materials=Materials(pairs))
    assert found["apps"]["http"]["servers"]["https"]["tls_connection_policies"] == [
        {"match": {"sni": ["a.org", "b.org"]}, "certificate_selection": {"any_tag": ["a"]}},
        {"match": {"sni": ["*.a.org"]}, "certificate_selection": {"any_tag": ["wild"]}},
        {"certificate_selection": {"any_tag": ["other"]}},
    ]
    loaded = found["apps"]["tls"]["certificates"]["load_pem"]
    assert [one["tags"] for one in loaded] == [["a"], ["other"], ["wild"]]


def test_keys_do_not_show_in_text() -> None:
    assert "SECRET" not in repr(Certificate("a", "CERT", "SECRET"))


def test_from_which_caddy_on_streams_outlive_a_change() -> None:
    assert [keeps_streams(version) for version in ("2.6.2", "2.7.0", "2.11.7", "3.0.0", "")] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_configuration_that_ends_says_so_on_kept_connections() -> None:
    plan = planned(ingress("one", rule("a.org", path("/"))))[0]
    found = document(plan, LISTENERS, Abilities(keeps_streams=True, resolver="10.65.0.10", hands_over=True))
    assert found["apps"]["http"]["shutdown_delay"] > 0
    for server in found["apps"]["http"]["servers"].values():
        first = server["routes"][0]
        assert first["match"] == [{"vars": {"{http.shutting_down}": ["true"]}}]
        assert "terminal" not in first
    assert "shutdown_delay" not in document(plan, LISTENERS, ABILITIES)["apps"]["http"]
    assert [hands_over(version) for version in ("2.6.2", "2.9.1", "2.11.7", "")] == [False, True, True, False]


def test_the_same_configuration_at_addresses_of_another_name() -> None:
    plan = planned(ingress("one", rule("a.org", path("/"))))[0]
    plain = document(plan, Listeners(("10.64.0.1", "fd00::1"), 10080, 10443), ABILITIES)
    found = listening_by(plain, partial(named, other=True))
    servers = found["apps"]["http"]["servers"]
    assert [servers[name]["listen"] for name in ("http", "https")] == [
        ["tcp4/10.64.0.1:10080", "tcp6/[fd00::1]:10080"],
        ["tcp4/10.64.0.1:10443", "tcp6/[fd00::1]:10443"],
    ]
    assert named("[fd00::1]:10080", other=False) == "tcp/[fd00::1]:10080"
    listening = plain["apps"]["http"]["servers"]["http"]["listen"]
    assert listening == ["10.64.0.1:10080", "[fd00::1]:10080"], "nothing is changed in place"
    assert servers["http"]["routes"] == plain["apps"]["http"]["servers"]["http"]["routes"]


def dialled(found: Obj) -> list[str]:
    return [one["dial"] for one in found["upstreams"]]


def passed_on(*dials: str, service: str = "10.65.0.20:80", settings: Settings = PLAIN) -> Obj:
    place = Place("Prefix", "", Backend(dials, service), settings, "default/web", "uid")
    (handler,) = proxies(place, ABILITIES, Successors())
    return handler


def test_the_service_itself_is_asked_only_when_its_one_endpoint_fails() -> None:
    successors = Successors()
    place = Place("Prefix", "", Backend(("10.64.0.5:80",), "10.65.0.20:80"), PLAIN, "default/web", "uid")
    said, first = proxies(place, ABILITIES, successors)
    (around,) = successors.around([{"handle": [first]}])
    (failing,) = around["handle"]
    again, other = failing["errors"]["routes"]
    (second,) = again["handle"]
    assert (dialled(first), dialled(second)) == (["10.64.0.5:80"], ["{http.vars.successor}"])
    assert said["successor"] == "10.65.0.20:80"
    assert all(one["vars"]["{http.vars.successor_way}"] == [said["successor_way"]] for one in again["match"])
    assert "try_duration" not in first["load_balancing"], "the endpoint is not tried twice"
    assert first["transport"] == second["transport"]
    assert other["handle"][0]["handler"] == "error", "what may not be repeated stays an error"


def test_those_who_are_asked_again_alike_share_one_handler() -> None:
    successors = Successors()
    for number, settings in enumerate((PLAIN, PLAIN, replace(PLAIN, protocol="HTTPS"))):
        backend = Backend((f"10.64.0.{number}:80",), f"10.65.0.{number}:80")
        proxies(Place("Prefix", "", backend, settings, f"default/web{number}", "uid"), ABILITIES, successors)
    (around,) = successors.around([])
    assert len(around["handle"][0]["errors"]["routes"]) == 3
    assert Successors().around([{"handle": []}]) == [{"handle": []}]


def test_several_endpoints_are_each_others_second_try() -> None:
    found = passed_on("10.64.0.5:80", "10.64.0.6:80")
    assert dialled(found) == ["10.64.0.5:80", "10.64.0.6:80"]
    assert found["load_balancing"]["try_duration"] > 0


def test_a_single_endpoint_with_affinity_or_without_a_service_address_is_all_there_is() -> None:
    assert dialled(passed_on("10.64.0.5:80", service="")) == ["10.64.0.5:80"]
    assert dialled(passed_on("10.64.0.5:80", settings=Settings(affinity_cookie="route"))) == ["10.64.0.5:80"]
    assert dialled(passed_on("10.64.0.5:80", settings=Settings(by_service=True))) == ["10.65.0.20:80"]


def test_an_app_that_speaks_tls_is_told_the_host_that_was_asked_for() -> None:
    handler = passed_on("10.64.0.9:8443", settings=replace(PLAIN, protocol="HTTPS"), service="")
    assert handler["headers"]["request"]["set"]["Host"] == ["{http.request.hostport}"]
    other = passed_on(
        "10.64.0.9:8443", settings=replace(PLAIN, protocol="HTTPS", upstream_host="app.internal"), service=""
    )
    assert other["headers"]["request"]["set"]["Host"] == ["app.internal"]
    assert "headers" not in passed_on("10.64.0.9:8080", service="")
