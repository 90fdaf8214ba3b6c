"""Endpoints and EndpointSlices from pods: contents, and the fewest changes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.endpoints.arrange import SlicePlan
from skerry.engine.controllers.endpoints.backends import target_port
from skerry.engine.controllers.endpoints.mirror import is_mirrored, plan_mirror
from skerry.engine.controllers.endpoints.slices import plan_slices
from skerry.engine.controllers.endpoints.subsets import build_endpoints, build_subsets
from skerry.kube.objects import Obj, name_of

from .builders import pod, service


def backend(number: int, **fields: Any) -> Obj:
    return pod(f"web-{number}", labels={"app": "web"}, ip=f"10.96.{number // 250}.{number % 250 + 1}", **fields)


def no_zone(node: str) -> str:
    return ""


def apply(existing: list[Obj], plan: SlicePlan) -> list[Obj]:
    """What the API would hold afterwards."""
    kept = {name_of(one): one for one in existing}
    for one in plan.delete:
        del kept[name_of(one)]
    kept |= {name_of(one): one for one in plan.update}
    for number, one in enumerate(plan.create):
        name = f"new-{len(existing)}-{number}-{id(plan)}"
        kept[name] = {**one, "metadata": {**one["metadata"], "name": name}}
    return list(kept.values())


def names_in(slices: list[Obj]) -> list[str]:
    return sorted(endpoint["targetRef"]["name"] for one in slices for endpoint in one["endpoints"])


def test_an_endpoint_says_what_the_pod_is() -> None:
    plan = plan_slices(service(), [backend(1)], [], lambda node: "zone-1")
    (made,) = plan.create
    assert made["addressType"] == "IPv4"
    assert made["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert made["endpoints"] == [
        {
            "addresses": ["10.96.0.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "ns", "name": "web-1", "uid": "uid-web-1"},
            "nodeName": "node",
            "zone": "zone-1",
        }
    ]


def conditions(one: Obj, **spec: Any) -> Obj:
    found: Obj = plan_slices(service(**spec), [one], [], no_zone).create[0]["endpoints"][0]["conditions"]
    return found


def test_conditions() -> None:
    assert conditions(backend(1, ready=False)) == {"ready": False, "serving": False, "terminating": False}
    assert conditions(backend(1, deleting=True)) == {"ready": False, "serving": True, "terminating": True}
    published = conditions(backend(1, ready=False), publishNotReadyAddresses=True)
    assert published == {"ready": True, "serving": False, "terminating": False}


def test_pods_without_address_or_finished_are_not_listed() -> None:
    pods = [pod("no-ip", labels={"app": "web"}), backend(2, phase="Succeeded")]
    assert names_in(plan_slices(service(), pods, [], no_zone).create) == []


def test_named_ports_may_differ_per_pod() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]
    pods = [
        backend(n, spec={"containers": [{"ports": [{"name": "web", "containerPort": number}]}]})
        for n, number in ((1, 8080), (2, 9090), (3, 8080))
    ]
    pods.append(backend(4, spec={"containers": [{"ports": [{"name": "other", "containerPort": 1}]}]}))
    made = plan_slices(service(ports=ports), pods, [], no_zone).create
    assert sorted((one["ports"][0]["port"], len(one["endpoints"])) for one in made) == [(8080, 2), (9090, 1)]
    subsets, _ = build_subsets(service(ports=ports), pods)
    assert [(one["ports"][0]["port"], len(one["addresses"])) for one in subsets] == [(8080, 2), (9090, 1)]


def test_target_ports() -> None:
    udp = {"name": "dns", "containerPort": 53, "protocol": "UDP"}
    sidecar = {"restartPolicy": "Always", "ports": [{"name": "metrics", "containerPort": 9000}]}
    one = {"spec": {"containers": [{"ports": [udp]}], "initContainers": [sidecar]}}
    assert target_port({"port": 53, "targetPort": "dns", "protocol": "UDP"}, one) == 53
    assert target_port({"port": 53, "targetPort": "dns", "protocol": "TCP"}, one) is None
    assert target_port({"port": 80, "targetPort": "metrics"}, one) == 9000
    assert target_port({"port": 80}, one) == 80


def test_a_headless_service_without_ports_lists_pods_with_their_host_names() -> None:
    headless = service(clusterIP="None", ports=[])
    member = backend(1, spec={"hostname": "web-1", "subdomain": "web"})
    (made,) = plan_slices(headless, [member], [], no_zone).create
    assert made["ports"] == []
    assert made["endpoints"][0]["hostname"] == "web-1"
    assert made["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert build_endpoints(headless, [member])["subsets"][0]["addresses"][0]["hostname"] == "web-1"


def test_no_pods_one_empty_slice_and_no_churn() -> None:
    slices = apply([], plan_slices(service(), [], [], no_zone))
    assert [one["endpoints"] for one in slices] == [[]]
    assert plan_slices(service(), [], slices, no_zone) == SlicePlan()
    filled = plan_slices(service(), [backend(1)], slices, no_zone)
    assert (len(filled.update), filled.create, filled.delete) == (1, [], [])
    emptied = plan_slices(service(), [], apply(slices, filled), no_zone)
    assert (len(emptied.update), emptied.create, emptied.delete) == (1, [], [])


@given(st.lists(st.sets(st.integers(0, 320), max_size=320), min_size=1, max_size=4))
def test_slices_always_come_out_right_and_settle(rounds: list[set[int]]) -> None:
    slices: list[Obj] = []
    for numbers in rounds:
        pods = [backend(number) for number in sorted(numbers)]
        slices = apply(slices, plan_slices(service(), pods, slices, no_zone))
        assert names_in(slices) == sorted(f"web-{number}" for number in numbers)
        assert all(len(one["endpoints"]) <= 100 for one in slices)
        assert plan_slices(service(), pods, slices, no_zone) == SlicePlan()


def test_one_more_pod_changes_one_slice() -> None:
    pods = [backend(number) for number in range(150)]
    slices = apply([], plan_slices(service(), pods, [], no_zone))
    plan = plan_slices(service(), [*pods, backend(200)], slices, no_zone)
    assert (len(plan.update), plan.create, plan.delete) == (1, [], [])


def test_endpoints_subsets_sort_ready_from_not_ready_and_leave_out_the_leaving() -> None:
    pods = [backend(2), backend(1), backend(3, ready=False), backend(4, deleting=True)]
    made = build_endpoints(service(), pods)
    (subset,) = made["subsets"]
    assert [one["ip"] for one in subset["addresses"]] == ["10.96.0.2", "10.96.0.3"]
    assert [one["ip"] for one in subset["notReadyAddresses"]] == ["10.96.0.4"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert made["metadata"]["labels"]["endpoints.kubernetes.io/managed-by"] == "endpoint-controller"


def test_endpoints_beyond_a_thousand_are_left_out_ready_ones_last() -> None:
    pods = [backend(number, ready=number % 2 == 0) for number in range(1200)]
    made = build_endpoints(service(), pods)
    (subset,) = made["subsets"]
    assert (len(subset["addresses"]), len(subset["notReadyAddresses"])) == (600, 400)
    assert made["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] == "truncated"


def by_hand(*ips: str, **labels: str) -> Obj:
    ports = [{"name": "db", "port": 5432, "protocol": "TCP"}]
    subset = {"addresses": [{"ip": ip} for ip in ips], "notReadyAddresses": [{"ip": "192.0.2.99"}], "ports": ports}
    return {"metadata": {"name": "db", "namespace": "ns", "uid": "e", "labels": labels}, "subsets": [subset]}


def test_hand_written_endpoints_are_mirrored_by_family() -> None:
    (old, new) = plan_mirror(by_hand("192.0.2.1", "2001:db8::1"), []).create
    assert (old["addressType"], new["addressType"]) == ("IPv4", "IPv6")
    assert [(one["addresses"], one["conditions"]) for one in old["endpoints"]] == [
        (["192.0.2.1"], {"ready": True}),
        (["192.0.2.99"], {"ready": False}),
    ]
    assert old["metadata"]["labels"]["kubernetes.io/service-name"] == "db"
    assert old["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"


def test_what_is_not_mirrored() -> None:
    without = service(selector=None)
    assert is_mirrored(without, by_hand("192.0.2.1"))
    assert not is_mirrored(service(), by_hand("192.0.2.1"))
    assert not is_mirrored(None, by_hand("192.0.2.1"))
    assert not is_mirrored(without, None)
    assert not is_mirrored(without, by_hand("192.0.2.1", **{"endpointslice.kubernetes.io/skip-mirror": "true"}))
