"""Which Service gets the node's own address: first come, first served, port by port."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.loadbalancer.node_address import grants, taken_by_cluster, taken_by_machine
from skerry.engine.controllers.loadbalancer.requests import Grant, Port, requests_of
from skerry.kube.objects import Obj

NODE = "192.0.2.2"
HTTP, HTTPS, DNS = Port("TCP", 80), Port("TCP", 443), Port("UDP", 53)


def service(name: str, *ports: Port, age: int = 0, granted: tuple[Port, ...] = (), **spec: Any) -> Obj:
    """Younger with a higher `age`; `granted`: what its status lists."""
    metadata = {"name": name, "namespace": "ns", "creationTimestamp": f"2026-05-01T00:00:{age:02d}Z"}
    listed = [{"port": port.number, "protocol": port.protocol} for port in ports]
    status = Grant((NODE,), granted).as_status() if granted else {}
    spec = {"type": "LoadBalancer", "ports": listed, **spec}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": status}}


def decide(*services: Obj, taken: dict[Port, str] | None = None, node: tuple[str, ...] = (NODE,)) -> dict[str, Grant]:
    busy = taken or {}
    found = grants(requests_of(services), node, lambda _, port: busy.get(port, ""))
    return {key.removeprefix("ns/"): grant for key, grant in found.items()}


def test_services_with_different_ports_share_the_address() -> None:
    found = decide(service("web", HTTP, HTTPS), service("dns", DNS))
    assert found == {"web": Grant((NODE,), (HTTP, HTTPS)), "dns": Grant((NODE,), (DNS,))}
    assert found["dns"].as_status() == {
        "ingress": [{"ip": NODE, "ipMode": "VIP", "ports": [{"port": 53, "protocol": "UDP"}]}]
    }


def test_the_eldest_comes_first_and_the_other_is_told_who_is_in_the_way() -> None:
    found = decide(service("young", HTTP, age=5), service("old", HTTP, HTTPS, age=1))
    assert found["old"].addresses == (NODE,)
    assert found["young"] == Grant(problem=f"port 80/TCP of the node's address {NODE} is taken by Service ns/old")


def test_whoever_holds_a_port_keeps_it_however_young() -> None:
    found = decide(service("young", HTTP, age=5, granted=(HTTP,)), service("old", HTTP, age=1))
    assert found["young"] == Grant((NODE,), (HTTP,))
    assert "Service ns/young" in found["old"].problem


def test_all_or_nothing_for_who_has_nothing_yet() -> None:
    found = decide(service("web", HTTPS, HTTP), taken={HTTP: "a program of this machine"})
    assert found["web"].addresses == ()
    assert "80/TCP" in found["web"].problem
    assert decide(service("web", HTTPS, HTTP), service("other", HTTPS, age=1), taken={HTTP: "x"})["other"].addresses


def test_one_more_port_that_is_taken_costs_the_others_nothing() -> None:
    found = decide(service("web", HTTP, HTTPS, granted=(HTTP,)), taken={HTTPS: "a program of this machine"})
    assert (found["web"].addresses, found["web"].ports) == ((NODE,), (HTTP,))
    assert "443/TCP" in found["web"].problem


def test_a_held_port_is_not_asked_about_again() -> None:
    assert decide(service("web", HTTP, granted=(HTTP,)), taken={HTTP: "x"})["web"] == Grant((NODE,), (HTTP,))


def test_a_port_that_is_given_up_goes_to_who_waits() -> None:
    found = decide(service("old", HTTPS, age=1, granted=(HTTP,)), service("young", HTTP, age=5))
    assert found == {"old": Grant((NODE,), (HTTPS,)), "young": Grant((NODE,), (HTTP,))}


def test_other_classes_and_types_are_left_alone() -> None:
    assert decide(service("a", HTTP, loadBalancerClass="example.com/x"), service("b", HTTP, type="NodePort")) == {}


DUAL: dict[str, Any] = {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"}


def test_a_service_of_two_families_has_the_nodes_address_of_each() -> None:
    node = NODE, "2001:db8::2"
    assert decide(service("web", HTTP, **DUAL), node=node)["web"] == Grant(node, (HTTP,))
    assert decide(service("web", HTTP, **DUAL))["web"] == Grant((NODE,), (HTTP,))
    assert decide(service("web", HTTP, ipFamilies=["IPv6"]), node=node)["web"] == Grant(node[1:], (HTTP,))
    assert decide(service("web", HTTP, **DUAL, loadBalancerIP=node[1]), node=node)["web"] == Grant(node[1:], (HTTP,))


def test_a_family_that_the_node_does_not_have() -> None:
    wanting = service("six", HTTP, ipFamilies=["IPv6"]), service("both", HTTPS, **DUAL)
    wanting[1]["spec"]["ipFamilyPolicy"] = "RequireDualStack"
    assert {grant.problem for grant in decide(*wanting).values()} == {"the node has no IPv6 address"}


def test_a_port_is_one_services_in_both_families() -> None:
    node = NODE, "2001:db8::2"
    found = decide(service("four", HTTP), service("six", HTTP, age=1, ipFamilies=["IPv6"]), node=node)
    assert found["six"].problem == f"port 80/TCP of the node's address {node[1]} is taken by Service ns/four"


def test_node_ports_and_host_ports_of_others_are_taken_and_ones_own_are_not() -> None:
    other = service("other", type="NodePort")
    other["spec"]["ports"] = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]
    found = taken_by_cluster([other], [("ns/pod", HTTP)])
    assert found[Port("TCP", 30080)] == ("ns/other", "a node port of ns/other")
    assert found[HTTP].what == "a host port of pod ns/pod"


def test_where_a_service_leads_to_a_program_of_the_machine_nobody_else_gets() -> None:
    platform = slice_of("skerry-platform", NODE, 7443, "skerry-platform")
    pods = slice_of("web", NODE, 8080, "endpointslice-controller.k8s.io")
    elsewhere = slice_of("db", "192.0.2.9", 5432, "ops")
    found = taken_by_machine([platform, pods, elsewhere], (NODE,))
    assert found == {Port("TCP", 7443): ("", "what Service ns/skerry-platform leads to")}


def slice_of(service: str, address: str, port: int, manager: str) -> Obj:
    labels = {"kubernetes.io/service-name": service, "endpointslice.kubernetes.io/managed-by": manager}
    metadata = {"name": service, "namespace": "ns", "labels": labels}
    return {"metadata": metadata, "endpoints": [{"addresses": [address]}], "ports": [{"port": port}]}


PORTS = st.sets(st.sampled_from([HTTP, HTTPS, DNS, Port("TCP", 22)]), min_size=1)


@given(wanted=st.lists(PORTS, max_size=6), ages=st.permutations(range(6)))
def test_no_port_is_given_twice_and_a_second_look_changes_nothing(wanted: list[set[Port]], ages: list[int]) -> None:
    services = [service(f"s{n}", *sorted(ports), age=ages[n]) for n, ports in enumerate(wanted)]
    first = decide(*services)
    given_out = [port for grant in first.values() for port in grant.ports]
    assert len(given_out) == len(set(given_out))
    for one in services:
        one["status"] = {"loadBalancer": first[one["metadata"]["name"]].as_status()}
    assert {name: grant.as_status() for name, grant in decide(*services).items()} == {
        name: grant.as_status() for name, grant in first.items()
    }
