"""Kubernetes' `test/e2e/network`: services, endpoints, slices and their mirrors, where no traffic flows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.objects import STATUS_CONDITION, pod, types_of
from tests.support.program import eventually
from tests.support.replay import MERGE, Refused, Replay

HTTP = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}
OF = "kubernetes.io/service-name={}"


def service(name: str, **spec: Any) -> Any:
    return {"metadata": {"name": name, "labels": {"test": name}}, "spec": {"ports": [HTTP], **spec}}


@pytest.mark.parametrize("wanted", ["ClusterIP", "NodePort"])
def test_from_external_name(replay: Replay, wanted: str) -> None:
    external = {"metadata": {"name": "s"}, "spec": {"type": "ExternalName", "externalName": "foo.example.com"}}
    now = replay.create("services", external)
    assert not now["spec"].get("clusterIP")
    other = {"type": wanted, "externalName": "", "ports": [HTTP]}
    changed = replay.change("services", "s", lambda now: now["spec"].update(other))["spec"]
    assert changed["clusterIP"]
    assert not changed.get("externalName")
    assert bool(changed["ports"][0].get("nodePort")) == (wanted == "NodePort")


@pytest.mark.parametrize("present", ["ClusterIP", "NodePort"])
def test_to_external_name(replay: Replay, present: str) -> None:
    now = replay.create("services", service("s", type=present))
    assert now["spec"]["clusterIP"]
    other = {"type": "ExternalName", "externalName": "foo.svc.cluster.local"}
    assert not replay.change("services", "s", lambda now: now["spec"].update(other))["spec"].get("clusterIP")


def test_the_status_of_a_service(replay: Replay) -> None:
    balanced = service("s", type="LoadBalancer", loadBalancerClass="example.com/internal-load-balancer")
    with replay.watching("services") as events:
        replay.create("services", balanced)
        events.until("ADDED", lambda seen: seen["metadata"]["labels"]["test"] == "s")
        status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
        patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": status}
        answer = replay.patch("services", "s", patch, "status", MERGE)
        assert answer["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.1"
        assert answer["metadata"]["annotations"]["patchedstatus"] == "true"
        events.until("MODIFIED", lambda seen: seen["metadata"].get("annotations"))
        conditions = [STATUS_CONDITION]
        changed = replay.change("services", "s", lambda now: now["status"].update(conditions=conditions), "status")
        assert "StatusUpdate" in types_of(changed)
        events.until("MODIFIED", lambda seen: "StatusUpdate" in types_of(seen))
        labels = {"metadata": {"labels": {"test-service": "patched"}}}
        assert replay.patch("services", "s", labels)["metadata"]["labels"]["test-service"] == "patched"
        events.until("MODIFIED", lambda seen: seen["metadata"]["labels"].get("test-service"))
        replay.delete("services", "s")
        events.until("DELETED")


def test_services_found_everywhere_and_deleted_together(replay: Replay) -> None:
    for name in ("a", "b", "c"):
        made = service(name)
        made["metadata"]["labels"]["batch"] = "yes" if name != "c" else "no"
        replay.create("services", made)
    found = [one["metadata"]["name"] for one in replay.list("services", everywhere=True)["items"]]
    assert {"a", "b", "c", "kubernetes"} <= set(found)
    replay.delete_collection("services", {}, labelSelector="batch=yes")
    assert [one["metadata"]["name"] for one in replay.list("services")["items"]] == ["c"]


def test_the_lifecycle_of_endpoints(replay: Replay) -> None:
    chosen = {"labelSelector": "test=yes"}
    made = {
        "metadata": {"name": "testservice", "labels": {"test": "yes"}},
        "subsets": [{"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}],
    }
    with replay.watching("endpoints", **chosen) as events:
        replay.create("endpoints", made)
        events.until("ADDED")
        listed = replay.list("endpoints", everywhere=True, **chosen)["items"]
        assert [one["metadata"]["name"] for one in listed] == ["testservice"]
        made["metadata"]["labels"]["service"] = "updated"  # type: ignore[index]
        replay.update("endpoints", made)
        events.until("MODIFIED", lambda seen: seen["metadata"]["labels"].get("service") == "updated")
        ports = [{"name": "http-test", "port": 8080, "protocol": "TCP"}]
        subsets = [{"addresses": [{"ip": "10.0.0.25"}], "ports": ports}]
        replay.patch("endpoints", "testservice", {"metadata": {"labels": {"service": "patched"}}, "subsets": subsets})
        events.until("MODIFIED")
        now = replay.get("endpoints", "testservice")
        assert now["metadata"]["labels"]["service"] == "patched"
        assert now["subsets"] == subsets
        replay.delete_collection("endpoints", {}, **chosen)
        events.until("DELETED")
    with pytest.raises(Refused) as refused:
        replay.get("endpoints", "testservice")
    assert refused.value.code == 404


def test_slices_come_and_go_with_their_service(replay: Replay) -> None:
    chosen = {"labelSelector": OF.format("empty")}
    replay.create("services", service("empty", selector={"does-not-match-anything": "endpoints-and-slices"}))
    eventually(lambda: len(replay.list("endpointslices", **chosen)["items"]) == 1, "a slice")
    eventually(lambda: "empty" in {o["metadata"]["name"] for o in replay.list("endpoints")["items"]}, "endpoints")
    (made,) = replay.list("endpointslices", **chosen)["items"]
    assert made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    replay.delete("services", "empty")
    eventually(lambda: not replay.list("endpointslices", **chosen)["items"], "the end of the slice")
    eventually(lambda: not replay.list("endpoints")["items"], "the end of the endpoints")


def test_slices_of_pods(replay: Replay) -> None:
    ports = [{"name": "example-name", "containerPort": 3000, "protocol": "TCP"}]
    both = {"foo": "bar", "zone": "1"}
    for name, labels in (("pod1", both), ("pod2", {"foo": "bar"})):
        made = pod(name, labels)
        made["spec"]["containers"][0]["ports"] = ports
        replay.create("pods", made)
    named = {"name": "example", "port": 80, "targetPort": "example-name", "protocol": "TCP"}
    numbers = [
        {"name": "portname1", "port": 80, "targetPort": 3000, "protocol": "TCP"},
        {"name": "portname2", "port": 81, "targetPort": 3001, "protocol": "TCP"},
    ]
    replay.create("services", service("example-int", selector=both, ports=[named], publishNotReadyAddresses=True))
    replay.create("services", service("example-both", selector={"foo": "bar"}, ports=numbers))

    def slices(name: str) -> list[Any]:
        listed: list[Any] = replay.list("endpointslices", labelSelector=OF.format(name))["items"]
        return [one for one in listed if one["endpoints"]]

    eventually(lambda: len(slices("example-int")[0]["endpoints"]) == 1, "one backend")
    eventually(lambda: len(slices("example-both")[0]["endpoints"]) == 2, "two backends")
    (one,) = slices("example-int")
    assert one["ports"] == [{"name": "example", "port": 3000, "protocol": "TCP"}]
    (backend,) = one["endpoints"]
    status = replay.get("pods", "pod1")
    assert backend["addresses"] == [status["status"]["podIP"]]
    assert backend["nodeName"] == status["spec"]["nodeName"]
    assert backend["targetRef"] == {
        "kind": "Pod",
        "name": "pod1",
        "namespace": replay.namespace,
        "uid": status["metadata"]["uid"],
    }
    (two,) = slices("example-both")
    assert [(x["name"], x["port"]) for x in two["ports"]] == [("portname1", 3000), ("portname2", 3001)]
    (subset,) = replay.get("endpoints", "example-both")["subsets"]
    assert len(subset["addresses"]) == 2
    assert len(subset["ports"]) == 2


def test_operations_on_slices(replay: Replay) -> None:
    for name in ("a", "b", "c"):
        made = {
            "metadata": {"name": name, "labels": {"special-label": "x"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}],
        }
        replay.create("endpointslices", made)
    chosen = {"labelSelector": "special-label=x"}
    version = replay.list("endpointslices", **chosen)["metadata"]["resourceVersion"]
    assert len(replay.list("endpointslices", everywhere=True, **chosen)["items"]) == 3
    with replay.watching("endpointslices", version, **chosen) as events:
        patched = replay.patch("endpointslices", "a", {"metadata": {"annotations": {"patched": "true"}}}, kind=MERGE)
        assert patched["metadata"]["annotations"]["patched"] == "true"
        patched["metadata"]["annotations"]["updated"] = "true"
        replay.update("endpointslices", patched)
        events.until("MODIFIED", lambda seen: seen["metadata"]["annotations"].get("updated"))
        replay.delete("endpointslices", "a")
        events.until("DELETED")
        replay.delete_collection("endpointslices", {}, **chosen)
        assert not replay.list("endpointslices", **chosen)["items"]


def test_endpoints_are_mirrored(replay: Replay) -> None:
    port = {"name": "http", "port": 80, "protocol": "TCP"}
    replay.create("services", service("custom"))
    made: Any = {"metadata": {"name": "custom"}, "subsets": [{"ports": [port], "addresses": [{"ip": "10.1.2.3"}]}]}
    replay.create("endpoints", made)
    chosen = {"labelSelector": OF.format("custom")}

    def mirrored() -> list[Any]:
        items = replay.list("endpointslices", **chosen)["items"]
        return [(one["endpoints"][0]["addresses"], one["ports"][0]["port"]) for one in items if one["endpoints"]]

    eventually(lambda: mirrored() == [(["10.1.2.3"], 80)], "the mirror")
    (one,) = replay.list("endpointslices", **chosen)["items"]
    manager = one["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert manager == "endpointslicemirroring-controller.k8s.io"
    made["subsets"] = [{"ports": [{**port, "port": 81}], "addresses": [{"ip": "10.2.3.4"}]}]
    replay.update("endpoints", made)
    eventually(lambda: mirrored() == [(["10.2.3.4"], 81)], "the changed mirror")
    replay.delete("endpoints", "custom")
    eventually(lambda: not mirrored(), "the end of the mirror")


@pytest.mark.parametrize(("before", "after"), [("NodePort", "ClusterIP"), ("LoadBalancer", "NodePort")])
def test_a_type_without_the_fields_of_the_one_before(replay: Replay, before: str, after: str) -> None:
    now = replay.create("services", service("s", type=before))
    changed = replay.change("services", "s", lambda now: now["spec"].update(type=after))["spec"]
    assert bool(changed["ports"][0].get("nodePort")) == (after == "NodePort")
    assert "allocateLoadBalancerNodePorts" not in changed
    assert changed.get("externalTrafficPolicy") == ("Cluster" if after == "NodePort" else None)
    assert changed["clusterIP"] == now["spec"]["clusterIP"]


def test_affinity_is_switched_off(replay: Replay) -> None:
    made = replay.create("services", service("sticky", sessionAffinity="ClientIP"))
    assert made["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    changed = replay.patch("services", "sticky", {"spec": {"sessionAffinity": "None"}})["spec"]
    assert "sessionAffinityConfig" not in changed
