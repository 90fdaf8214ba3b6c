"""What Ingresses and Services ask for."""

from __future__ import annotations

import pytest

from skerry.engine.controllers.dynamic_dns.hosts import (
    CONTROLLER,
    HOSTNAME,
    PREFIX,
    SOURCE,
    TARGET,
    TTL,
    asked_by_ingress,
    asked_by_service,
    needs_no_record,
    records_for,
)
from skerry.kube.objects import Obj


def ingress(*hosts: str, annotations: dict[str, str] | None = None, tls: tuple[str, ...] = ()) -> Obj:
    metadata = {"name": "web", "namespace": "default", "annotations": annotations or {}, "creationTimestamp": "T"}
    spec = {"rules": [{"host": host} for host in hosts] + [{}], "tls": [{"hosts": list(tls)}]}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}


def service(type_: str = "LoadBalancer", **annotations: str) -> Obj:
    metadata = {"name": "git", "namespace": "default", "annotations": annotations}
    return {"metadata": metadata, "spec": {"type": type_}, "status": {"loadBalancer": {"ingress": [{"hostname": "x"}]}}}


def hosts_of(obj: Obj) -> list[str]:
    return [request.host for request in asked_by_ingress(obj).requests]


def reasons(obj: Obj) -> list[str]:
    return [objection.reason for objection in asked_by_ingress(obj).objections]


def test_hosts_are_those_of_rules_tls_and_the_annotation_once_each() -> None:
    obj = ingress("a.example.org", "*.b.example.org", tls=("A.example.org", "c.example.org"))
    obj["metadata"]["annotations"] = {HOSTNAME: "d.example.org., a.example.org"}
    assert hosts_of(obj) == ["a.example.org", "*.b.example.org", "c.example.org", "d.example.org"]


@pytest.mark.parametrize(("source", "hosts"), [("annotation-only", ["b.org"]), ("defined-hosts-only", ["a.org"])])
def test_where_hosts_are_taken_from_can_be_chosen(source: str, hosts: list[str]) -> None:
    assert hosts_of(ingress("a.org", annotations={HOSTNAME: "b.org", SOURCE: source})) == hosts


@pytest.mark.parametrize(
    "host",
    ["-a.org", "a..org", "a_b", "_acme-challenge.a.org", "*.*.org", "x*.org", "a.org/path", "a" * 64 + ".org", "ä.org"],
)
def test_what_is_no_name_is_refused(host: str) -> None:
    assert reasons(ingress(host)) == ["InvalidHost"]
    assert hosts_of(ingress(host)) == []


def test_an_ingress_of_another_controller_or_that_is_going_asks_for_nothing() -> None:
    assert hosts_of(ingress("a.org", annotations={CONTROLLER: "mine"})) == []
    assert hosts_of(ingress("a.org", annotations={CONTROLLER: "dns-controller"})) == ["a.org"]
    going = ingress("a.org")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert hosts_of(going) == []


@pytest.mark.parametrize(("text", "seconds"), [("60", 60), ("2m", 120), ("1h30m", 5400)])
def test_times_to_live_are_seconds_or_durations(text: str, seconds: int) -> None:
    assert asked_by_ingress(ingress("a.org", annotations={TTL: text})).requests[0].ttl == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1", "700000"])
def test_other_times_to_live_are_named_and_not_used(text: str) -> None:
    obj = ingress("a.org", annotations={TTL: text})
    assert reasons(obj) == ["InvalidTTL"]
    assert asked_by_ingress(obj).requests[0].ttl is None


def test_unknown_annotations_of_the_family_are_named() -> None:
    assert reasons(ingress("a.org", annotations={f"{PREFIX}alias": "true", "other/alias": "true"})) == [
        "UnknownAnnotation"
    ]


def test_targets_are_the_load_balancers_or_those_written() -> None:
    assert asked_by_ingress(ingress("a.org")).requests[0].targets == ["192.0.2.1"]
    written = asked_by_ingress(ingress("a.org", annotations={TARGET: "192.0.2.7, 192.0.2.8"})).requests[0]
    assert (written.targets, written.explicit) == (["192.0.2.7", "192.0.2.8"], True)


def test_services_ask_by_annotation_and_need_an_address() -> None:
    assert asked_by_service(service()).requests == []
    assert asked_by_service(service(**{HOSTNAME: "git.org"})).requests[0].targets == ["x"]
    assert [one.reason for one in asked_by_service(service("NodePort", **{HOSTNAME: "git.org"})).objections] == [
        "UnsupportedService"
    ]


def test_records_are_addresses_by_family_or_one_name() -> None:
    assert records_for(["192.0.2.2", "192.0.2.1", "2001:DB8:0::1"]) == {
        "A": ("192.0.2.1", "192.0.2.2"),
        "AAAA": ("2001:db8::1",),
    }
    assert records_for(["Front.example.net.", "other.example.net"]) == {"CNAME": ("front.example.net",)}
    assert records_for(["front.example.net", "192.0.2.1"]) == {"A": ("192.0.2.1",)}
    assert records_for([]) == {}


@pytest.mark.parametrize("host", ["localhost", "web.localhost", "web", "x.default.svc.cluster.local", "nas.home.arpa"])
def test_some_names_need_no_record(host: str) -> None:
    assert needs_no_record(host, "cluster.local")


def test_public_names_do() -> None:
    assert not needs_no_record("web.notlocalhost", "cluster.local")
