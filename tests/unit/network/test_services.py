"""What is forwarded where, from API objects."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.network.services import Backend, Forward, Forwarding, Place, has_host_ports

OWN = frozenset({"192.0.2.2", "127.0.0.1"})


def forwards(services: list[Any], slices: list[Any], pods: list[Any], node: str) -> list[Forward]:
    return Forwarding(Place(node, OWN)).of(services, slices, pods)


def service(**spec: Any) -> dict[str, Any]:
    spec = {"clusterIP": "10.65.0.9", "clusterIPs": ["10.65.0.9"], "ports": [{"name": "http", "port": 80}], **spec}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def piece(*endpoints: dict[str, Any], name: str = "web-1", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": list(endpoints),
        **more,
    }


def endpoint(address: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


def backends(*slices: dict[str, Any], **spec: Any) -> tuple[Backend, ...]:
    (found,) = forwards([service(**spec)], slices, [], "here")
    return found.backends


def test_ready_endpoints_of_all_slices_once_each() -> None:
    found = backends(
        piece(endpoint("10.64.0.3", ready=True), endpoint("10.64.0.2", ready=True)),
        piece(endpoint("10.64.0.2", ready=True), endpoint("10.64.0.9", ready=False), name="web-2"),
    )
    assert found == (Backend("10.64.0.2", 8080), Backend("10.64.0.3", 8080))


def test_an_endpoint_without_conditions_is_ready() -> None:
    assert backends(piece({"addresses": ["10.64.0.2"]})) == (Backend("10.64.0.2", 8080),)


def test_draining_endpoints_serve_while_none_is_ready() -> None:
    draining = endpoint("10.64.0.2", ready=False, serving=True, terminating=True)
    assert backends(piece(draining)) == (Backend("10.64.0.2", 8080),)
    assert backends(piece(draining, endpoint("10.64.0.3", ready=True))) == (Backend("10.64.0.3", 8080),)
    assert backends(piece(endpoint("10.64.0.2", ready=False, serving=True))) == ()


def test_ports_are_matched_by_name_and_protocol() -> None:
    two = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    mixed = piece(
        endpoint("10.64.0.2", ready=True),
        ports=[{"name": "dns", "port": 5353, "protocol": "UDP"}, {"name": "http", "port": 8080, "protocol": "UDP"}],
    )
    tcp, udp = forwards([service(ports=two)], [mixed], [], "here")
    assert (tcp.protocol, tcp.backends) == ("tcp", ())
    assert (udp.protocol, udp.backends) == ("udp", (Backend("10.64.0.2", 5353),))


def test_nothing_is_forwarded_for_headless_and_external_services_and_other_families() -> None:
    assert forwards([service(clusterIP="None", clusterIPs=["None"])], [], [], "here") == []
    assert forwards([service(type="ExternalName", clusterIP="", clusterIPs=[])], [], [], "here") == []
    assert forwards([service(clusterIP="fd00::9", clusterIPs=["fd00::9"])], [], [], "here") == []
    assert backends(piece(endpoint("fd00::1", ready=True), addressType="IPv6")) == ()


def test_slices_of_other_services_and_namespaces_do_not_count() -> None:
    elsewhere = piece(endpoint("10.64.0.2", ready=True))
    elsewhere["metadata"] = {**elsewhere["metadata"], "namespace": "other"}
    assert backends(elsewhere) == ()


def test_node_port_and_affinity() -> None:
    (found,) = forwards([service(ports=[{"port": 80, "nodePort": 30080}], sessionAffinity="ClientIP")], [], [], "here")
    assert (found.addresses, found.port, found.host_port, found.affinity_seconds) == (("10.65.0.9",), 80, 30080, 10800)


def pod(*ports: dict[str, Any], phase: str = "Running", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "one", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "ports": list(ports)}], **spec},
        "status": {"phase": phase, "podIP": "10.64.0.7"},
    }


def test_host_ports_everywhere_or_at_one_address() -> None:
    asked = pod(
        {"containerPort": 80, "hostPort": 8080},
        {"containerPort": 53, "hostPort": 53, "protocol": "UDP", "hostIP": "192.0.2.7"},
        {"containerPort": 99},
    )
    everywhere, one_address = forwards([], [], [asked], "here")
    assert (everywhere.host_port, everywhere.addresses, everywhere.backends) == (8080, (), (Backend("10.64.0.7", 80),))
    assert (one_address.protocol, one_address.addresses, one_address.port) == ("udp", ("192.0.2.7",), 53)
    assert one_address.host_port == 0


def test_host_ports_of_finished_and_host_network_pods_are_not_forwarded() -> None:
    port = {"containerPort": 80, "hostPort": 8080}
    assert forwards([], [], [pod(port, phase="Succeeded")], "here") == []
    assert forwards([], [], [pod(port, hostNetwork=True)], "here") == []
    assert has_host_ports(pod(port))
    assert not has_host_ports(pod(port, hostNetwork=True))


def at(address: str, node: str) -> dict[str, Any]:
    return {**endpoint(address, ready=True), "nodeName": node}


def test_a_local_policy_leaves_endpoints_of_this_node_only() -> None:
    pieces = [piece(at("10.64.0.2", "here"), at("10.64.0.3", "there"), endpoint("192.0.2.9", ready=True))]
    assert len(backends(*pieces)) == 3
    assert backends(*pieces, internalTrafficPolicy="Local", externalTrafficPolicy="Local") == (
        Backend("10.64.0.2", 8080),
    )


def test_policies_hold_for_cluster_addresses_and_for_node_ports_apart() -> None:
    pieces = [piece(at("10.64.0.2", "here"), at("10.64.0.3", "there"))]
    ports = [{"name": "http", "port": 80, "nodePort": 30080}]
    asked = service(ports=ports, externalTrafficPolicy="Local", externalIPs=["192.0.2.7"])
    outside, inside = forwards([asked], pieces, [], "here")
    assert (inside.addresses, inside.host_port, len(inside.backends)) == (("10.65.0.9",), 0, 2)
    assert (outside.addresses, outside.host_port, len(outside.backends)) == (("192.0.2.7",), 30080, 1)


def test_external_addresses_are_forwarded_as_well() -> None:
    (found,) = forwards([service(externalIPs=["192.0.2.7", "fd00::7"])], [], [], "here")
    assert found.addresses == ("10.65.0.9", "192.0.2.7")


def test_the_time_of_affinity_is_the_services() -> None:
    config = {"clientIP": {"timeoutSeconds": 60}}
    (found,) = forwards([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], [], [], "here")
    assert found.affinity_seconds == 60


@pytest.mark.parametrize("name", ["service-proxy-name", "headless"])
def test_services_of_other_proxies_are_left_to_them(name: str) -> None:
    other = service()
    other["metadata"]["labels"] = {f"service.kubernetes.io/{name}": ""}
    assert forwards([other], [piece(endpoint("10.64.0.2", ready=True))], [], "here") == []


def test_what_is_remembered_is_as_good_as_new() -> None:
    remembering = Forwarding(Place("here", OWN))
    one, two = service(), service(externalIPs=["192.0.2.7"])
    first, second = piece(endpoint("10.64.0.2", ready=True)), piece(endpoint("10.64.0.3", ready=True))
    for services, slices in (([one], [first]), ([one], [first]), ([one], [second]), ([two], [second]), ([], [])):
        assert remembering.of(services, slices, []) == forwards(services, slices, [], "here")


def balanced(*ingress: dict[str, Any], **spec: Any) -> dict[str, Any]:
    given = service(type="LoadBalancer", **spec)
    return {**given, "status": {"loadBalancer": {"ingress": list(ingress)}}}


def lent(*ingress: dict[str, Any], **spec: Any) -> Forward | None:
    pieces = [piece(endpoint("10.64.0.2", ready=True))]
    found = forwards([balanced(*ingress, **spec)], pieces, [], "here")
    return next((one for one in found if one.name == "lb/default/web/tcp-80"), None)


def test_a_balanced_address_is_forwarded_and_that_of_the_node_like_a_node_port() -> None:
    found = lent({"ip": "203.0.113.7"}, {"ip": "192.0.2.2", "ipMode": "VIP"}, {"ip": "fd00::7"})
    assert found is not None
    assert (found.addresses, found.port, found.host_port) == (("203.0.113.7",), 80, 80)
    assert found.lent == ("203.0.113.7",)
    theirs = lent({"ip": "203.0.113.7"}, loadBalancerClass="example.com/other")
    assert theirs is not None
    assert (theirs.addresses, theirs.lent) == (("203.0.113.7",), ()), "who knows what else is there"
    only = lent({"ip": "203.0.113.7"})
    assert only is not None
    assert only.host_port == 0


def test_addresses_of_proxies_and_names_and_other_types_are_not_forwarded() -> None:
    assert lent({"ip": "203.0.113.7", "ipMode": "Proxy"}, {"hostname": "web.example.com"}) is None
    assert lent() is None
    other = balanced({"ip": "203.0.113.7"})
    other["spec"]["type"] = "NodePort"
    assert [one.name for one in forwards([other], [], [], "here")] == ["svc/default/web/tcp-80"]


def test_a_port_that_the_status_does_not_list_is_not_served() -> None:
    assert lent({"ip": "192.0.2.2", "ports": [{"port": 443, "protocol": "TCP"}]}) is None
    assert lent({"ip": "192.0.2.2", "ports": [{"port": 80, "protocol": "TCP", "error": "Taken"}]}) is None
    assert lent({"ip": "192.0.2.2", "ports": [{"port": 80, "protocol": "TCP"}]}) is not None


def test_source_ranges_are_collapsed_and_hold_for_balanced_addresses_only() -> None:
    ranges = ["10.1.0.0/16", "10.0.0.0/8", "fd00::/8", "192.0.2.77/24"]
    found = forwards([balanced({"ip": "203.0.113.7"}, loadBalancerSourceRanges=ranges)], [], [], "here")
    assert {one.name[:3]: one.sources for one in found} == {"lb/": ("10.0.0.0/8", "192.0.2.0/24"), "svc": None}
    everybody = lent({"ip": "203.0.113.7"}, loadBalancerSourceRanges=["0.0.0.0/0"])
    nobody = lent({"ip": "203.0.113.7"}, loadBalancerSourceRanges=["fd00::/8"])
    assert everybody is not None
    assert nobody is not None
    assert (everybody.sources, nobody.sources) == (None, ())


def test_source_ranges_by_annotation() -> None:
    asked = balanced({"ip": "203.0.113.7"})
    asked["metadata"]["annotations"] = {
        "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, nonsense"
    }
    assert forwards([asked], [], [], "here")[0].sources == ("10.0.0.0/8",)
