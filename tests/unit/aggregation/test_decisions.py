"""Where requests go, who they are from, what servers say they have."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.api.aggregation.endpoints import Verdict, addresses
from skerry.engine.api.aggregation.identity import identity_headers, is_identity
from skerry.engine.api.aggregation.remote import RemoteApi, remote_of
from skerry.engine.api.discovery.remote import remote_version
from skerry.engine.api.http.routes import target_of, verb_for
from skerry.engine.api.request import User
from skerry.engine.schema.registry import Registry
from skerry.kube.errors import NotFound

SPEC = {"group": "a.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}
SERVICE = {"spec": {"ports": [{"name": "web", "port": 443}]}}


def remote(**service: Any) -> RemoteApi:
    found = {"namespace": "n", "name": "s", **service}
    made = remote_of({"metadata": {"name": "v1.a.io"}, "spec": {**SPEC, "service": found}})
    assert made is not None
    return made


def endpoint_slice(port_name: str = "web", ready: bool | None = True, ip: str = "10.0.0.1") -> dict[str, Any]:
    endpoints = [{"addresses": [ip], "conditions": {} if ready is None else {"ready": ready}}]
    return {"endpoints": endpoints, "ports": [{"name": port_name, "port": 8443}]}


def test_an_api_service_without_a_service_and_kubernetes_own_groups_stay_here() -> None:
    assert remote_of({"metadata": {"name": "v1.a.io"}, "spec": SPEC}) is None
    for group in ("", "apiregistration.k8s.io"):
        spec = {**SPEC, "group": group, "service": {"namespace": "n", "name": "s"}}
        assert remote_of({"metadata": {"name": f"v1.{group}"}, "spec": spec}) is None


def test_port_443_and_the_name_of_the_service() -> None:
    found = remote()
    assert (found.port, found.host, found.path, found.available) == (443, "s.n.svc", "/apis/a.io/v1", False)


def test_endpoints_that_are_ready_or_do_not_say() -> None:
    slices = [endpoint_slice(ready=None), endpoint_slice(ready=False, ip="10.0.0.2"), endpoint_slice(ip="fd00::1")]
    assert addresses(remote(), SERVICE, slices) == ["10.0.0.1:8443", "[fd00::1]:8443"]
    assert addresses(remote(), {"spec": {"type": "ExternalName", "externalName": "x.org"}}, []) == ["x.org:443"]


@pytest.mark.parametrize(
    ("service", "slices", "reason"),
    [
        (None, [], "ServiceNotFound"),
        ({"spec": {"ports": [{"port": 80}]}}, [endpoint_slice()], "ServicePortError"),
        (SERVICE, [], "EndpointsNotFound"),
        (SERVICE, [endpoint_slice("other")], "MissingEndpoints"),
        (SERVICE, [endpoint_slice(ready=False)], "MissingEndpoints"),
    ],
)
def test_what_can_be_wrong_with_a_service(service: Any, slices: list[Any], reason: str) -> None:
    verdict = addresses(remote(), service, slices)
    assert isinstance(verdict, Verdict)
    assert (verdict.status, verdict.reason) == ("False", reason)


def test_a_user_as_headers() -> None:
    jane = User("jane", ("a", "b"), "7", {"example.com/what": ("x", "y"), "50%": ("z",)})
    assert identity_headers(jane) == [
        ("X-Remote-User", "jane"),
        ("X-Remote-Uid", "7"),
        ("X-Remote-Group", "a"),
        ("X-Remote-Group", "b"),
        ("X-Remote-Extra-example.com%2Fwhat", "x"),
        ("X-Remote-Extra-example.com%2Fwhat", "y"),
        ("X-Remote-Extra-50%25", "z"),
    ]
    assert all(is_identity(name.lower()) for name, _ in identity_headers(jane))
    assert not is_identity("x-remote-address")


@pytest.mark.parametrize(
    ("method", "rest", "query", "verb", "said"),
    [
        ("GET", "things", {}, "list", ("things", "", "", "")),
        ("GET", "things", {"watch": "1"}, "watch", ("things", "", "", "")),
        ("GET", "namespaces/n/things/t", {"watch": "1"}, "get", ("things", "n", "t", "")),
        ("HEAD", "things/t", {}, "get", ("things", "", "t", "")),
        ("POST", "namespaces/n/things/t/part/deeper", {}, "create", ("things", "n", "t", "part")),
        ("DELETE", "namespaces/n/things", {}, "deletecollection", ("things", "n", "", "")),
        ("GET", "namespaces/n", {}, "get", ("namespaces", "n", "n", "")),
        ("OPTIONS", "things", {}, "", ("things", "", "", "")),
    ],
)
def test_what_a_path_elsewhere_asks_for(
    method: str, rest: str, query: dict[str, str], verb: str, said: tuple[str, ...]
) -> None:
    registry = Registry()
    registry.set_elsewhere("a.io", "v1", True)
    target = target_of(registry, ["apis", "a.io", "v1", *rest.split("/")])
    assert target is not None
    assert target.kind.elsewhere
    assert (target.kind.resource.plural, target.namespace, target.name, target.subresource) == said
    assert verb_for(method, target, query) == verb


def test_old_watch_paths_are_not_passed_on_under_another_verb() -> None:
    registry = Registry()
    registry.set_elsewhere("a.io", "v1", True)
    with pytest.raises(NotFound):
        target_of(registry, ["apis", "a.io", "v1", "watch", "things"])


def test_discovery_of_a_server_as_aggregated() -> None:
    things = {"name": "things", "singularName": "thing", "namespaced": True, "kind": "Thing", "verbs": ["get"]}
    scale = {"name": "things/scale", "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get"]}
    found = remote_version("a.io", "v1", [{**things, "shortNames": ["th"]}, scale], current=False)
    assert found == {
        "version": "v1",
        "freshness": "Stale",
        "resources": [
            {
                "resource": "things",
                "responseKind": {"group": "a.io", "version": "v1", "kind": "Thing"},
                "scope": "Namespaced",
                "singularResource": "thing",
                "shortNames": ["th"],
                "verbs": ["get"],
                "subresources": [
                    {
                        "subresource": "scale",
                        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                        "verbs": ["get"],
                    }
                ],
            }
        ],
    }
