"""Which requests rules name: operations, groups, versions, resources with wildcards and subresources, scope, names."""

from __future__ import annotations

from typing import Any, cast

import pytest

from skerry.engine.api.admission.attributes import Operation
from skerry.engine.api.admission.dynamic.matching import Matching, matcher_of
from skerry.engine.schema.registry import builtin
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource
from tests.unit.admission.attributes import attributes

PODS = Resource("", "v1", "pods", "Pod")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)


def pod(name: str = "x", **labels: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}}


def matches(
    obj: Obj, resource: Resource = PODS, body: Obj | None = None, operation: Operation = "CREATE", subresource: str = ""
) -> bool:
    look = Matching(MemoryStore.__new__(MemoryStore), builtin())
    request = attributes(resource, body or pod(), operation=operation, subresource=subresource)
    return look.kind_for(matcher_of(obj, "rules", "excluded"), request) is not None


def rules(**rule: Any) -> Obj:
    return {"rules": [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], **rule}]}


@pytest.mark.parametrize(
    ("rule", "subresource", "expected"),
    [
        ({}, "", True),
        ({}, "status", False),
        ({"operations": ["CREATE"]}, "", True),
        ({"operations": ["UPDATE", "DELETE"]}, "", False),
        ({"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}, "", True),
        ({"resources": ["*"]}, "status", False),
        ({"resources": ["*/*"]}, "status", True),
        ({"resources": ["*/*"]}, "", True),
        ({"resources": ["pods/*"]}, "exec", True),
        ({"resources": ["pods/status"]}, "", False),
        ({"resources": ["*/status"]}, "status", True),
        ({"apiVersions": ["v2"]}, "", False),
        ({"scope": "Namespaced"}, "", True),
        ({"scope": "Cluster"}, "", False),
        ({"resourceNames": ["x", "y"]}, "", True),
        ({"resourceNames": ["y"]}, "", False),
    ],
)
async def test_rules(rule: dict[str, Any], subresource: str, expected: bool) -> None:
    assert matches(rules(**rule), subresource=subresource) is expected


async def test_excluded_rules_win() -> None:
    both = {**rules(resources=["*"]), "excluded": rules(resourceNames=["x"])["rules"]}
    assert not matches(both)
    assert matches(both, body=pod("y"))


async def test_namespaces_are_cluster_scoped_and_selected_by_their_own_labels() -> None:
    rule = rules(resources=["namespaces"], scope="Cluster")
    selecting = {**rule, "namespaceSelector": {"matchLabels": {"a": "b"}}}
    assert matches(selecting, NAMESPACES, {"metadata": {"name": "n", "labels": {"a": "b"}}})
    assert not matches(selecting, NAMESPACES, {"metadata": {"name": "n"}})


async def test_objects_are_selected_by_labels() -> None:
    selecting = {**rules(), "objectSelector": {"matchLabels": {"a": "b"}}}
    assert matches(selecting, body=pod(a="b"))
    assert not matches(selecting)
    assert not matches(selecting, body={"command": ["sh"]})


async def test_the_namespace_of_an_object_must_be_there_to_be_selected_by() -> None:
    store = MemoryStore()
    look = Matching(store, builtin())
    matcher = matcher_of({**rules(), "namespaceSelector": {"matchLabels": {"a": "b"}}}, "rules")
    with pytest.raises(NotFound):
        look.kind_for(matcher, attributes(PODS, pod()))
    labelled = b'{"metadata":{"name":"default","labels":{"a":"b"}}}'
    await store.create(Key("namespaces", "", "default"), lambda revision: labelled)
    assert look.kind_for(matcher, attributes(PODS, pod())) is not None
    await store.close()


async def test_what_rules_say_is_remembered_by_what_was_asked() -> None:
    look = Matching(MemoryStore.__new__(MemoryStore), builtin())
    everything, creating = matcher_of(rules(), "rules"), matcher_of(rules(operations=["CREATE"]), "rules")
    for operation, expected in (("CREATE", True), ("UPDATE", False)):
        for _ in range(2):
            request = attributes(PODS, pod(), operation=cast(Operation, operation))
            assert look.kind_for(everything, request) is not None
            assert (look.kind_for(creating, request) is not None) is expected
            assert look.kind_for(everything, attributes(PODS, pod(), operation="CREATE", subresource="exec")) is None


async def test_rules_with_names_are_asked_about_each_object() -> None:
    look = Matching(MemoryStore.__new__(MemoryStore), builtin())
    named = matcher_of(rules(resourceNames=["x"]), "rules")
    unless = matcher_of({**rules(), "excluded": rules(resourceNames=["x"])["rules"]}, "rules", "excluded")
    for name in ("x", "y", "x"):
        request = attributes(PODS, pod(name))
        assert (look.kind_for(named, request) is not None) is (name == "x")
        assert (look.kind_for(unless, request) is not None) is (name == "y")
