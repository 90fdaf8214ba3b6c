"""Whatever somebody writes comes to a report: releases and the portal check what tenants wrote."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.checking.check import judged
from skerry.checking.facts import Facts, Images, Space
from skerry.kube.objects import Obj, Resource
from tests.unit.checking.objects import deployment, found, objects

_OTHERS = objects("""
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {a: b}}, data: {a: b}}
    ---
    apiVersion: batch/v1
    kind: CronJob
    metadata: {name: a}
    spec:
      schedule: "* * * * *"
      jobTemplate: {spec: {parallelism: 2, completions: 1, template: {spec: {containers: [{name: a, image: a}]}}}}
    ---
    {apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {pod-security.kubernetes.io/enforce: baseline}}}
    ---
    {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {resources: {requests: {storage: 1Gi}}}}
    ---
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: as.b}
    spec:
      group: b
      names: {kind: A, plural: as}
      scope: Namespaced
      versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {
        type: array, items: {type: object, additionalProperties: {type: string, enum: [x]}}}}}}}]
    ---
    {apiVersion: b/v1, kind: A, metadata: {name: a}, spec: [{a: x}]}
    ---
    apiVersion: v1
    kind: List
    items: [{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}]}}]
""")


def _everything() -> list[Obj]:
    volumes: dict[str, Any] = {"volumes": [{"name": "a", "hostPath": {"path": "/"}}], "nodeSelector": {"a": "b"}}
    container = {
        "env": [{"name": "A", "value": "b"}],
        "ports": [{"containerPort": 1, "hostPort": 1}],
        "args": ["--a=b"],
    }
    web = deployment(container, **volumes, initContainers=[{"name": "i", "image": "i:1"}], hostNetwork=True)
    claim = {"metadata": {"name": "x"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    stateful = {**deepcopy(web), "kind": "StatefulSet"}
    stateful["spec"] |= {"volumeClaimTemplates": [claim], "serviceName": "web"}
    return [web, stateful, *_OTHERS]


def _facts() -> Facts:
    hard = {"pods": "1", "requests.cpu": "1", "limits.cpu": "1", "requests.storage": "1Gi"}
    limits = [{"type": "Container", "max": {"cpu": "1"}}, {"type": "PersistentVolumeClaim", "max": {"storage": "1Ki"}}]
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    quotas = [{"metadata": {"name": "q"}, "spec": {"hard": hard, "scopes": ["NotTerminating"]}}]
    space = Space(True, labels, quotas, [{"spec": {"limits": limits}}])
    known = {("v1", "PersistentVolumeClaim"): Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")}
    return Facts("default", True, {"default": space}, images=Images(frozenset(), True), resources=known)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield (*path, key)
        yield from _places(item, (*path, key))


_EVERYTHING = _everything()
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just("1Gi"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.sampled_from(list(_places(_EVERYTHING))), junk=_JUNK)
def test_anything_comes_to_a_report(place: tuple[Any, ...], junk: Any) -> None:
    changed = deepcopy(_EVERYTHING)
    holder: Any = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = junk
    report = judged([one for one in changed if isinstance(one, dict)], _facts())
    assert report.text()
    assert report.to_json()


@pytest.mark.parametrize(
    "spec", [{"containers": "web"}, {"containers": [7]}, {"containers": [{"name": "a", "image": 7}]}]
)
def test_only_the_schema_speaks_of_what_is_misshapen(spec: Obj) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}
    assert len(found("schema", pod)) == 1
    assert found("policy", pod) == []


def test_what_is_null_is_not_there() -> None:
    assert found("schema", deployment({"env": None, "resources": {"limits": None}}, volumes=None)) == []


def test_long_values_take_no_time() -> None:
    """Patterns look at what anybody may write: none may take more than a moment."""
    for text in ("a" * 900_000, "A " * 400_000, "-----BEGIN " + "A " * 300_000, "eyJ" * 200_000, "x://" * 200_000,
                 "a:" * 400_000, "password = \n" * 50_000, "--a=" + "$(" * 400_000):  # fmt: skip
        data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": text}}
        found("secrets", data, deployment({"args": [text], "env": [{"name": "PASSWORD", "value": text}]}))
