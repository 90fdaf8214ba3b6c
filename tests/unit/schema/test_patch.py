"""Patches by example: each format does what Kubernetes does, and refuses what it refuses."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.patch import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, apply_patch
from skerry.kube.errors import BadRequest, Invalid, RequestEntityTooLarge, StatusError, UnsupportedMediaType
from skerry.kube.objects import Obj, Resource

from .objects import APPS, CORE

PODS, DEPLOYMENTS, SERVICES = CORE["pods"], APPS["deployments"], CORE["services"]
THINGS = Kind(Resource("example.com", "v1", "things", "Thing"), "thing", "")


def patched(kind: Kind, media_type: str, original: Obj, patch: Any) -> Obj:
    before = orjson.dumps(original)
    result = apply_patch(kind, media_type, original, orjson.dumps(patch))
    assert orjson.dumps(original) == before, "the original is shared and must not change"
    return result


def strategic(original: Obj, patch: Obj, kind: Kind = PODS) -> Obj:
    return patched(kind, STRATEGIC_PATCH, original, patch)


def spec(*containers: Obj, **fields: Any) -> Obj:
    return {"spec": {"containers": list(containers), **fields}}


A, B, C = ({"name": name, "image": f"{name}:1"} for name in "abc")


def test_merge_patch() -> None:
    original = {"data": {"a": "1", "b": "2"}, "x": [1]}
    patch = {"data": {"a": None, "c": "3"}, "x": [2, None], "new": {"deep": None, "y": 1}}
    assert patched(CORE["configmaps"], MERGE_PATCH, original, patch) == {
        "data": {"b": "2", "c": "3"}, "x": [2, None], "new": {"y": 1},
    }  # fmt: skip


def test_json_patch() -> None:
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "2"},
        {"op": "add", "path": "/metadata", "value": {"labels": {}}},
        {"op": "add", "path": "/metadata/labels/example.com~1x", "value": "y"}, {"op": "remove", "path": "/data/b"},
        {"op": "copy", "from": "/data/a", "path": "/data/c"}, {"op": "move", "from": "/data/c", "path": "/data/d"},
    ]  # fmt: skip
    assert patched(CORE["configmaps"], JSON_PATCH, {"data": {"a": "1", "b": "2"}}, operations) == {
        "data": {"a": "2", "d": "2"}, "metadata": {"labels": {"example.com/x": "y"}},
    }  # fmt: skip


def test_a_strategic_patch_says_nothing_of_the_kind() -> None:
    original = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}}}
    assert strategic(original, {"apiVersion": "v2", "kind": "Deployment", "metadata": {"labels": {"a": "c"}}}) == {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "c"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ([{"op": "test", "path": "/data/a", "value": "no"}], Invalid),
        ([{"op": "remove", "path": "/nope"}], Invalid),
        ([{"op": "replace", "path": "/nope/deeper", "value": 1}], Invalid),
        ([{"op": "launch", "path": "/data"}], Invalid),
        ([{"op": "add", "path": "data", "value": 1}], Invalid),
        ([{"op": "add", "path": "/data"}], Invalid),
        ([{"op": "copy", "path": "/data"}], Invalid),
        (["add"], Invalid),
        ([{}], Invalid),
        ([{"op": "add", "path": 7, "value": 1}], Invalid),
        ([{"op": "replace", "path": "", "value": []}], BadRequest),
        ({"op": "add"}, BadRequest),
        ([{"op": "remove", "path": "/data"}] * 10_001, RequestEntityTooLarge),
    ],
)
def test_json_patches_that_fail(patch: Any, error: type[StatusError]) -> None:
    with pytest.raises(error):
        patched(CORE["configmaps"], JSON_PATCH, {"data": {"a": "1"}}, patch)


def test_copies_may_not_grow_without_bound() -> None:
    doubling = [{"op": "copy", "from": "/data", "path": f"/data/x{number}"} for number in range(60)]
    with pytest.raises(Invalid, match="copies"):
        patched(CORE["configmaps"], JSON_PATCH, {"data": {"a": "x" * 100}}, doubling)


def test_lists_merge_by_key() -> None:
    result = strategic(spec(A, B), spec({"name": "b", "image": "b:2"}, C))
    assert result == spec(A, {"name": "b", "image": "b:2"}, C)


def test_elements_are_deleted_by_directive() -> None:
    assert strategic(spec(A, B), spec({"name": "a", "$patch": "delete"})) == spec(B)
    assert strategic(spec(A), spec({"name": "nope", "$patch": "delete"})) == spec(A)


def test_lists_are_replaced_by_directive() -> None:
    assert strategic(spec(A, B), spec(C, {"$patch": "replace"})) == spec(C)


def test_objects_are_replaced_and_deleted_by_directive() -> None:
    original = spec(A, securityContext={"runAsUser": 1, "fsGroup": 2})
    replaced = strategic(original, {"spec": {"securityContext": {"$patch": "replace", "runAsUser": 3}}})
    assert replaced == spec(A, securityContext={"runAsUser": 3})
    assert strategic(original, {"spec": {"securityContext": {"$patch": "delete"}}}) == spec(A)
    assert strategic(original, {"spec": {"securityContext": None}}) == spec(A)


def test_lists_without_a_strategy_are_replaced() -> None:
    original = spec({**A, "command": ["x", "y"]}, tolerations=[{"key": "a"}])
    patch = {"spec": {"containers": [{"name": "a", "command": ["z"]}], "tolerations": [{"key": "b"}]}}
    assert strategic(original, patch) == spec({**A, "command": ["z"]}, tolerations=[{"key": "b"}])


def test_lists_of_primitives_merge() -> None:
    original = {"metadata": {"finalizers": ["a/x", "a/y"]}}
    assert strategic(original, {"metadata": {"finalizers": ["a/z", "a/x"]}})["metadata"]["finalizers"] == [
        "a/x", "a/y", "a/z",
    ]  # fmt: skip
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/x"], "finalizers": ["a/z"]}}
    assert strategic(original, patch) == {"metadata": {"finalizers": ["a/y", "a/z"]}}


def test_element_order() -> None:
    patch = {"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}], "containers": [C]}}
    assert strategic(spec(A, B), patch) == spec(B, C, A)
    assert strategic(spec(A, B), {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}) == spec(
        B, A
    )


def test_retain_keys() -> None:
    original = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic(original, patch, DEPLOYMENTS) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_nested_keys_merge() -> None:
    env = [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]
    patch = spec({"name": "a", "env": [{"name": "Y", "value": "3"}], "ports": [{"containerPort": 80}]})
    result = strategic(spec({**A, "env": env}), patch)["spec"]["containers"][0]
    assert result["env"] == [{"name": "X", "value": "1"}, {"name": "Y", "value": "3"}]
    assert result["ports"] == [{"containerPort": 80}]


def test_ports_merge_by_port_number() -> None:
    original = {"spec": {"ports": [{"port": 80, "nodePort": 30000}, {"port": 443}]}}
    result = strategic(original, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, SERVICES)
    assert result["spec"]["ports"] == [{"port": 80, "nodePort": 30000, "targetPort": 8080}, {"port": 443}]


def test_what_is_new_has_no_directives_left() -> None:
    patch = spec({**A, "$patch": "merge", "env": [{"name": "X", "$patch": "delete"}, {"name": "Y", "value": None}]})
    assert strategic({}, patch) == spec({**A, "env": [{"name": "Y"}]})


@pytest.mark.parametrize(
    "patch",
    [
        spec({"image": "x"}), spec("a"), spec({"name": {}}), {"spec": {"$patch": "explode"}},
        {"spec": {"$setElementOrder/containers": "a"}}, {"spec": {"$setElementOrder/containers": ["a"]}},
        {"spec": {"$retainKeys": "x"}}, {"spec": {"$retainKeys": ["x"], "y": 1}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": 1}}, [], "x", None,
    ],
)  # fmt: skip
def test_malformed_strategic_patches(patch: Any) -> None:
    with pytest.raises(BadRequest):
        strategic({**spec(A), "metadata": {}}, patch)


@pytest.mark.parametrize("media_type", [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH])
def test_bodies_that_are_no_json(media_type: str) -> None:
    with pytest.raises(BadRequest, match="error decoding patch"):
        apply_patch(PODS, media_type, {}, b"{")


def test_types_that_are_not_supported() -> None:
    with pytest.raises(UnsupportedMediaType, match="accepted media types include: application/json-patch"):
        patched(PODS, "application/json", {}, {})
    with pytest.raises(UnsupportedMediaType):
        patched(THINGS, STRATEGIC_PATCH, {}, {})
    assert patched(THINGS, f"{MERGE_PATCH}; charset=utf-8", {"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
