"""The pure parts: deletion, addresses, scale, continue tokens, negotiation, authorisation's words."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.api import continuation
from skerry.engine.api.admission.service_addresses import allocate_ports, free_address, keep_allocated
from skerry.engine.api.auth.access import access_of, refusal
from skerry.engine.api.auth.authentication import user
from skerry.engine.api.continuation import Position
from skerry.engine.api.deletion import decide
from skerry.engine.api.http.negotiation import PLAIN, negotiate
from skerry.engine.api.options import DeleteOptions
from skerry.engine.api.request import Request, Target
from skerry.engine.api.subresources.scale import scale_of, selector_text
from skerry.engine.schema.registry import builtin
from skerry.kube.errors import BadRequest, InternalError, NotAcceptable
from skerry.kube.objects import Obj

REGISTRY = builtin()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def target(plural: str, group: str = "", name: str = "x", subresource: str = "") -> Target:
    kind = REGISTRY.kind(group, "v1", plural)
    assert kind is not None
    return Target(kind, "default" if kind.resource.namespaced else "", name, subresource)


def running_pod(**metadata: object) -> Obj:
    return {"metadata": {"name": "x", **metadata}, "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 20}}


def test_a_running_pod_gets_its_own_grace_unless_told() -> None:
    own = decide(target("pods"), running_pod(), DeleteOptions(), NOW)
    told = decide(target("pods"), running_pod(), DeleteOptions(grace=5), NOW)
    assert own.marked is not None
    assert told.marked is not None
    assert own.marked["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:20Z"
    assert told.marked["metadata"]["deletionGracePeriodSeconds"] == 5


@pytest.mark.parametrize(
    "pod",
    [
        {"metadata": {"name": "x"}, "spec": {}},
        {**running_pod(), "status": {"phase": "Succeeded"}},
        {**running_pod(), "status": {"phase": "Failed"}},
    ],
)
def test_a_pod_that_does_not_run_goes_at_once(pod: Obj) -> None:
    assert decide(target("pods"), pod, DeleteOptions(), NOW).gone


def test_a_deletion_is_brought_forward_but_never_put_off() -> None:
    marked = decide(target("pods"), running_pod(), DeleteOptions(grace=30), NOW).marked
    assert marked is not None
    sooner = decide(target("pods"), marked, DeleteOptions(grace=3), NOW).marked
    assert sooner is not None
    assert sooner["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:03Z"
    assert decide(target("pods"), sooner, DeleteOptions(grace=60), NOW).marked is None
    assert decide(target("pods"), sooner, DeleteOptions(grace=0), NOW).gone


def test_finalizers_hold_an_object() -> None:
    held = decide(target("configmaps"), {"metadata": {"finalizers": ["a/b"]}}, DeleteOptions(), NOW)
    assert held.marked is not None
    assert held.marked["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert decide(target("configmaps"), held.marked, DeleteOptions(), NOW).marked is None


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_propagation_is_a_finalizer(policy: str, finalizer: str) -> None:
    decision = decide(target("configmaps"), {"metadata": {}}, DeleteOptions(propagation=policy), NOW)
    assert decision.marked is not None
    assert decision.marked["metadata"]["finalizers"] == [finalizer]
    assert decide(target("configmaps"), {"metadata": {}}, DeleteOptions(propagation="Background"), NOW).gone
    changed_mind = decide(target("configmaps"), decision.marked, DeleteOptions(propagation="Background"), NOW)
    assert changed_mind.gone


def test_addresses_are_given_out_until_there_are_none() -> None:
    network, taken = IPv4Network("10.0.0.0/28"), set[str]()
    for _ in range(13):
        address = free_address(network, taken)
        assert address not in taken
        taken.add(address)
    while len(taken) < 14:
        taken.add(free_address(network, taken))
    assert taken == {str(host) for host in network.hosts()}
    with pytest.raises(InternalError, match="range is full"):
        free_address(network, taken)


def test_node_ports_stay_over_updates_and_go_with_the_type() -> None:
    old = {"spec": {"type": "NodePort", "clusterIP": "1", "ports": [{"port": 80, "nodePort": 30001}]}}
    same: Obj = {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    keep_allocated(same, old)
    assert same["spec"]["ports"] == [{"port": 80, "nodePort": 30001}]
    assert same["spec"]["clusterIP"] == "1"
    plain: Obj = {"spec": {"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30001}]}}
    keep_allocated(plain, old)
    assert plain["spec"]["ports"] == [{"port": 80}]


def test_ports_are_distinct_and_in_range() -> None:
    service: Obj = {"spec": {"type": "LoadBalancer", "ports": [{"port": 1}, {"port": 2}, {"port": 3}]}}
    allocate_ports(service, (30000, 30003), {30001})
    assert sorted(port["nodePort"] for port in service["spec"]["ports"]) == [30000, 30002, 30003]


def test_the_scale_of_a_deployment() -> None:
    deployment = {
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7", "labels": {"a": "b"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"b": "2", "a": "1"}}},
        "status": {"replicas": 2},
    }
    scale = scale_of(deployment)
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 2, "selector": "a=1,b=2"}
    assert scale["metadata"] == {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"}


def test_selectors_as_text() -> None:
    expressions = [
        {"key": "x", "operator": "In", "values": ["b", "a"]},
        {"key": "y", "operator": "Exists"},
        {"key": "z", "operator": "DoesNotExist"},
    ]
    assert selector_text({"matchExpressions": expressions}) == "x in (a,b),y,!z"
    assert selector_text({"app": "web"}) == "app=web"
    assert selector_text(None) == ""


@given(st.builds(Position, st.integers(-1, 2**62), st.text(), st.text(), st.floats(0, 2**40)))
def test_tokens_come_back_as_they_were(position: Position) -> None:
    assert continuation.decode(continuation.encode(position)) == position


@given(st.text())
def test_other_tokens_are_refused(token: str) -> None:
    with pytest.raises(BadRequest, match="continue key is not valid"):
        continuation.decode(f"{token}!")


@pytest.mark.parametrize(
    ("accept", "shape", "yaml"),
    [
        (b"", "object", False),
        (b"*/*", "object", False),
        (b"application/vnd.kubernetes.protobuf,application/json", "object", False),
        (b"application/json;q=0.1, application/yaml", "object", True),
        (b"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table", False),
        (b"application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "object", False),
        (b"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "partial", False),
    ],
)
def test_negotiation(accept: bytes, shape: str, yaml: bool) -> None:
    form = negotiate(accept)
    assert (form.shape, form.yaml) == (shape, yaml)


def test_the_common_form_is_one_object() -> None:
    assert negotiate(b"application/json, */*") is PLAIN


def test_what_nobody_can_give_is_not_acceptable() -> None:
    with pytest.raises(NotAcceptable):
        negotiate(b"application/vnd.kubernetes.protobuf")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            Request(user("anna"), "list", Target(target("pods").kind, "default")),
            'pods is forbidden: User "anna" cannot list resource "pods" in API group "" in the namespace "default"',
        ),
        (
            Request(user("anna"), "get", target("deployments", "apps", "web", "scale")),
            'deployments.apps "web" is forbidden: User "anna" cannot get resource "deployments/scale" in API group '
            '"apps" in the namespace "default"',
        ),
        (
            Request(user("anna"), "delete", target("nodes", name="n")),
            'nodes "n" is forbidden: User "anna" cannot delete resource "nodes" in API group "" at the cluster scope',
        ),
        (Request(user("anna"), "get", None, "/metrics"), 'forbidden: User "anna" cannot get path "/metrics"'),
    ],
)
def test_refusals_are_worded_as_kubernetes_words_them(request_: Request, message: str) -> None:
    assert refusal(access_of(request_)).message == message
