"""The kinds beside pods and workloads: defaults, rules, immutability."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from skerry.kube.objects import Obj

from .objects import CORE, REGISTRY, changed, created, problems


def kind_of(group: str, plural: str) -> Any:
    return REGISTRY.kind(group, "v1", plural)


CONFIG_MAPS, SECRETS, SERVICES, NAMESPACES = CORE["configmaps"], CORE["secrets"], CORE["services"], CORE["namespaces"]
SLICES, LEASES = kind_of("discovery.k8s.io", "endpointslices"), kind_of("coordination.k8s.io", "leases")


def named(**fields: Any) -> Obj:
    return {"metadata": {"name": "a"}, **fields}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"data": {"a/b": ""}},
            "data[a/b]",
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        ),
        ({"data": {"a": ""}, "binaryData": {"a": ""}}, "data[a]", "duplicate of key present in binaryData"),
        ({"data": {"a": "x" * (1024 * 1024 + 1)}}, "", "Too long: may not be more than 1048576 bytes"),
    ],
)
def test_config_maps(fields: Obj, field: str, message: str) -> None:
    assert message in problems(CONFIG_MAPS, named(**fields))[field]


@pytest.mark.parametrize("kind", [CONFIG_MAPS, SECRETS], ids=lambda kind: kind.singular)
def test_immutable_means_it(kind: Any) -> None:
    old = created(kind, named(data={"a": encoded("x")}, immutable=True))
    for change in ({"data": {}}, {"immutable": False}):
        _, causes = changed(kind, old, lambda obj, change=change: obj.update(change))
        assert causes == {next(iter(change)): "Forbidden: field is immutable when `immutable` is set"}
    assert not changed(kind, old, lambda obj: obj["metadata"].update(labels={"x": "y"}))[1]


def test_secrets_hold_string_data_as_data() -> None:
    made = created(SECRETS, named(data={"a": encoded("1"), "b": encoded("2")}, stringData={"b": "ü"}))
    assert made["data"] == {"a": encoded("1"), "b": encoded("ü")}
    assert made["type"] == "Opaque"
    assert "stringData" not in made


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("kubernetes.io/tls", {"tls.crt": ""}, "data[tls.key]"),
        ("kubernetes.io/ssh-auth", {}, "data[ssh-privatekey]"),
        ("kubernetes.io/basic-auth", {}, "data[username]"),
        ("kubernetes.io/dockerconfigjson", {}, "data[.dockerconfigjson]"),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": encoded("{")}, "data[.dockerconfigjson]"),
        ("kubernetes.io/service-account-token", {}, "metadata.annotations[kubernetes.io/service-account.name]"),
    ],
)
def test_typed_secrets_are_complete(kind: str, data: Obj, field: str) -> None:
    assert field in problems(SECRETS, named(type=kind, data=data))


def test_the_type_of_a_secret_stays() -> None:
    _, causes = changed(SECRETS, created(SECRETS, named()), lambda obj: obj.update(type="other"))
    assert causes["type"] == 'Invalid value: "other": field is immutable'


def test_namespaces() -> None:
    made = created(NAMESPACES, named())
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a"}
    assert made["spec"] == {"finalizers": ["kubernetes"]}
    assert made["status"] == {"phase": "Active"}
    new, causes = changed(
        NAMESPACES, made, lambda obj: obj.update(spec={"finalizers": []}, metadata={**obj["metadata"], "labels": {}})
    )
    assert not causes
    assert new["spec"] == {"finalizers": ["kubernetes"]}, "only /finalize releases"
    assert new["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a"}
    assert "spec.finalizers" in problems(NAMESPACES, named(spec={"finalizers": ["plain"]}))


def test_nodes_keep_the_status_they_register_with() -> None:
    made = created(CORE["nodes"], named(status={"capacity": {"cpu": "2"}}))
    assert made["status"] == {"capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}
    taints = [
        {"key": "a", "effect": "NoSchedule"},
        {"key": "a", "effect": "NoSchedule"},
        {"key": "b", "effect": "Never"},
    ]
    found = problems(CORE["nodes"], named(spec={"taints": taints}))
    assert found.keys() == {"spec.taints[1]", "spec.taints[2].effect"}
    old = created(CORE["nodes"], named(spec={"podCIDR": "10.0.0.0/24"}))
    _, causes = changed(CORE["nodes"], old, lambda obj: obj["spec"].update(podCIDR="10.1.0.0/24"))
    assert "node updates may not change podCIDR" in causes["spec.podCIDRs"]
    assert old["spec"]["podCIDRs"] == ["10.0.0.0/24"]
    assert (
        created(CORE["nodes"], named(spec={"podCIDRs": ["fd00::/64", "10.0.0.0/24"]}))["spec"]["podCIDR"] == "fd00::/64"
    )


@pytest.mark.parametrize(
    ("ranges", "field"),
    [
        (["x"], "spec.podCIDRs[0]"),
        (["10.0.0.1"], "spec.podCIDRs[0]"),
        (["10.0.0.0/24", "10.1.0.0/24"], "spec.podCIDRs"),
    ],
)
def test_ranges_of_a_nodes_pods(ranges: list[str], field: str) -> None:
    made = created(CORE["nodes"], named(spec={"podCIDRs": ranges}))
    assert problems(CORE["nodes"], made).keys() == {field}


def service(**spec: Any) -> Obj:
    return named(spec={"ports": [{"port": 80}], "selector": {"app": "web"}, **spec})


def test_service_defaults() -> None:
    spec = created(SERVICES, service(sessionAffinity="ClientIP"))["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert spec["internalTrafficPolicy"] == "Cluster"
    assert "externalTrafficPolicy" not in spec
    balanced = created(SERVICES, service(type="LoadBalancer"))
    assert balanced["spec"]["externalTrafficPolicy"] == "Cluster"
    assert balanced["spec"]["allocateLoadBalancerNodePorts"] is True
    assert balanced["status"] == {"loadBalancer": {}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "ExternalName", "externalName": "db.example.com.", "ports": None},
        {"clusterIP": "None", "ports": []},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30000, "targetPort": "http"}]},
        {"clusterIP": "10.0.0.1"},
    ],
)
def test_accepted_services(spec: Obj) -> None:
    assert not problems(SERVICES, service(**spec))


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"ports": []}, "spec.ports", "Required value"),
        ({"ports": [{"port": 0}]}, "spec.ports[0].port", "must be between 1 and 65535, inclusive"),
        ({"ports": [{"port": 80}, {"port": 81}]}, "spec.ports[0].name", "Required value"),
        ({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}, "spec.ports[1]", "Duplicate value"),
        (
            {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
            "spec.ports[1].name",
            'Duplicate value: "a"',
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30000}]},
            "spec.ports[0].nodePort",
            "may not be used when `type` is 'ClusterIP'",
        ),
        ({"ports": [{"port": 80, "targetPort": "a--b"}]}, "spec.ports[0].targetPort", "consecutive hyphens"),
        (
            {"type": "Magic"},
            "spec.type",
            'Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        ),
        ({"type": "ExternalName"}, "spec.externalName", "Required value"),
        ({"type": "NodePort", "clusterIP": "None"}, "spec.clusterIP", "may not be set to 'None' for NodePort services"),
        ({"clusterIP": "x"}, "spec.clusterIPs[0]", "must be a valid IP address"),
        (
            {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]},
            "spec.clusterIPs",
            "first value must match `clusterIP`",
        ),
        ({"externalTrafficPolicy": "Local"}, "spec.externalTrafficPolicy", "externally-accessible"),
        ({"internalTrafficPolicy": "Here"}, "spec.internalTrafficPolicy", "Unsupported value"),
        ({"sessionAffinity": "Cookie"}, "spec.sessionAffinity", "Unsupported value"),
        ({"ipFamilies": ["IPv4", "IPv4"]}, "spec.ipFamilies[1]", "Duplicate value"),
        ({"selector": {"a": "b c"}}, "spec.selector", "a valid label"),
    ],
)
def test_refused_services(spec: Obj, field: str, message: str) -> None:
    assert message in problems(SERVICES, service(**spec))[field]


def test_addresses_of_a_service_stay() -> None:
    old = created(
        SERVICES,
        service(
            type="NodePort", clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"], ports=[{"port": 80, "nodePort": 30000}]
        ),
    )
    _, causes = changed(SERVICES, old, lambda obj: obj["spec"].update(clusterIP="10.0.0.2", clusterIPs=["10.0.0.2"]))
    assert causes == {"spec.clusterIPs[0]": 'Invalid value: ["10.0.0.2"]: may not change once set'}
    _, causes = changed(SERVICES, old, lambda obj: obj["spec"].update(clusterIP="10.0.0.2"))
    assert causes == {"spec.clusterIPs[0]": 'Invalid value: ["10.0.0.2"]: may not change once set'}
    kept, causes = changed(SERVICES, old, lambda obj: obj["spec"].pop("clusterIP"))
    assert (kept["spec"]["clusterIP"], causes) == ("10.0.0.1", {})

    def replace(obj: Obj) -> None:
        obj["spec"] = {"type": "NodePort", "ports": [{"port": 80}]}

    new, causes = changed(SERVICES, old, replace)
    assert not causes
    assert new["spec"]["clusterIP"] == "10.0.0.1", "a replacing client keeps what was allocated"
    assert new["spec"]["ports"][0]["nodePort"] == 30000
    new, causes = changed(SERVICES, old, lambda obj: obj.update(spec={"type": "ExternalName", "externalName": "x.y"}))
    assert not causes
    assert "clusterIP" not in new["spec"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("x", "valid IP"),
    ],
)
def test_endpoints_are_real_addresses(address: str, message: str) -> None:
    endpoints = named(subsets=[{"addresses": [{"ip": address}], "ports": [{"port": 1}]}])
    assert message in problems(CORE["endpoints"], endpoints)["subsets[0].addresses[0].ip"]
    slice_ = named(addressType="IPv4", endpoints=[{"addresses": [address]}])
    assert message in problems(SLICES, slice_)["endpoints[0].addresses[0]"]


def test_endpoint_slices() -> None:
    good = named(addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"]}], ports=[{"port": 80}])
    made = created(SLICES, good)
    assert not problems(SLICES, good)
    assert made["ports"] == [{"port": 80, "protocol": "TCP", "name": ""}]
    assert made["metadata"]["generation"] == 1
    assert problems(SLICES, named()) == {"addressType": "Required value"}
    assert "must be an IPv6 address" in problems(SLICES, {**good, "addressType": "IPv6"})["endpoints[0].addresses[0]"]
    many = [{"addresses": ["10.0.0.1"]}] * 1001
    assert problems(SLICES, {**good, "endpoints": many})["endpoints"].startswith("Too many: 1001")
    assert "field is immutable" in changed(SLICES, made, lambda obj: obj.update(addressType="FQDN"))[1]["addressType"]


def test_events_live_where_their_object_lives() -> None:
    events = CORE["events"]
    assert problems(events, named(involvedObject={"namespace": "other"}))["involvedObject.namespace"].endswith(
        "does not match event.namespace"
    )
    assert not problems(events, named(involvedObject={"kind": "Node", "name": "n"}))


def test_leases() -> None:
    assert not problems(LEASES, named(spec={"holderIdentity": "x", "leaseDurationSeconds": 40}))
    found = problems(LEASES, named(spec={"leaseDurationSeconds": 0, "leaseTransitions": -1}))
    assert found.keys() == {"spec.leaseDurationSeconds", "spec.leaseTransitions"}
