"""What the "should support ... API operations" tests of Kubernetes do, for every kind: create, get, list, watch, patch,
update, apply, status, dry run, metadata-only, Table, delete, deletecollection. Over HTTP, each on a server of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from skerry.engine.api.local import LocalClient
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.client import Selection
from tests.support.api import running_api
from tests.support.raw_api import RawApi
from tests.support.samples import SAMPLES, sample

KINDS = [kind for kind in builtin().kinds() if {"list", "create"} <= {*kind.verbs}]
LABEL = {"cycle": "yes"}
SELECTED = "?labelSelector=cycle%3Dyes"
WATCHED = ["ADDED", "MODIFIED"]
COUNTS_ANNOTATIONS = "deployments.apps"
"""The one kind whose generation rises with its annotations."""
ENDED_BY_A_CONTROLLER = {"namespaces", "persistentvolumes", "persistentvolumeclaims", "customresourcedefinitions"}
"""Deleting marks them; who takes the mark's finalizer away is not running here, or comes a little later."""


class Server:
    """One running server and a client of it that does not block the loop."""

    def __init__(self, raw: RawApi, client: LocalClient) -> None:
        self._raw = raw
        self.client = client

    async def call(
        self, method: str, path: str, body: Any = None, media: str = "application/json", **headers: str
    ) -> Any:
        """The answer's JSON; its code must be a success."""
        code, answer = await asyncio.to_thread(self._raw.call, method, path, body, media, headers)
        assert 200 <= code < 300, f"{method} {path}: {answer}"
        return answer

    async def code(self, method: str, path: str) -> int:
        """The answer's code."""
        return (await asyncio.to_thread(self._raw.call, method, path))[0]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_api() as api:
        raw = RawApi(api.kubeconfig)
        yield Server(raw, api.client)
        raw.close()


def group_resource(kind: Kind) -> str:
    return kind.resource.group_resource


def test_every_stored_kind_has_a_sample() -> None:
    assert {group_resource(kind) for kind in KINDS} == set(SAMPLES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{group_resource(kind)}-{kind.resource.version}")
async def test_operations(server: Server, kind: Kind) -> None:
    path = kind.resource.path("default" if kind.resource.namespaced else None)
    obj = typed(kind)
    revision = (await server.call("GET", path))["metadata"]["resourceVersion"]
    dry = await server.call("POST", f"{path}?dryRun=All", obj)
    assert dry["metadata"]["uid"]
    made = await server.call("POST", path, obj)
    name = made["metadata"]["name"]
    one = f"{path}/{name}"
    assert (made["kind"], made["apiVersion"]) == (kind.resource.kind, kind.resource.api_version)
    got = await server.call("GET", one)
    assert got["spec"] == made["spec"] if "spec" in made else got == made
    await check_lists(server, kind, path, name)
    await check_changes(server, kind, one, made)
    if "status" in kind.subresources:
        await check_status(server, one)
    await check_end(server, kind, path, name, revision)


def typed(kind: Kind) -> dict[str, Any]:
    obj = sample(group_resource(kind))
    obj["metadata"]["labels"] = {**obj["metadata"].get("labels", {}), **LABEL}
    return {"kind": kind.resource.kind, "apiVersion": kind.resource.api_version, **obj}


async def check_lists(server: Server, kind: Kind, path: str, name: str) -> None:
    listed = await server.call("GET", path + SELECTED)
    assert listed["kind"] == kind.listed_as
    assert [item["metadata"]["name"] for item in listed["items"]] == [name]
    assert len((await server.call("GET", kind.resource.path() + SELECTED))["items"]) == 1
    named = await server.call("GET", f"{path}?fieldSelector=metadata.name%3D{name}")
    assert [item["metadata"]["name"] for item in named["items"]] == [name]
    for version in ("v1", "v1beta1"):
        table = await server.call("GET", path + SELECTED, Accept=f"application/json;as=Table;g=meta.k8s.io;v={version}")
        assert (table["kind"], table["apiVersion"]) == ("Table", f"meta.k8s.io/{version}")
        assert [len(row["cells"]) for row in table["rows"]] == [len(table["columnDefinitions"])]
    form = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    partial = await server.call("GET", path + SELECTED, Accept=form)
    assert [set(item) for item in partial["items"]] == [{"kind", "apiVersion", "metadata"}]


async def check_changes(server: Server, kind: Kind, one: str, made: dict[str, Any]) -> None:
    merge = "application/merge-patch+json"
    patched = await server.call("PATCH", one, {"metadata": {"annotations": {"a": "merge"}}}, merge)
    assert patched["metadata"]["annotations"]["a"] == "merge"
    strategic = "application/strategic-merge-patch+json"
    patched = await server.call("PATCH", one, {"metadata": {"annotations": {"b": "strategic"}}}, strategic)
    operations = [{"op": "add", "path": "/metadata/annotations/c", "value": "json"}]
    patched = await server.call("PATCH", one, operations, "application/json-patch+json")
    assert {*"abc"} <= set(patched["metadata"]["annotations"])
    applied = {key: made[key] for key in ("kind", "apiVersion")}
    applied["metadata"] = {"name": made["metadata"]["name"], "annotations": {"d": "apply"}}
    patched = await server.call("PATCH", f"{one}?fieldManager=test", applied, "application/apply-patch+yaml")
    assert patched["metadata"]["annotations"]["d"] == "apply"
    patched["metadata"]["annotations"]["e"] = "update"
    updated = await server.call("PUT", one, patched)
    assert updated["metadata"]["annotations"]["e"] == "update"
    assert updated["metadata"]["uid"] == made["metadata"]["uid"]
    if group_resource(kind) != COUNTS_ANNOTATIONS:
        assert updated["metadata"].get("generation") == made["metadata"].get("generation")


async def check_status(server: Server, one: str) -> None:
    got = await server.call("GET", f"{one}/status")
    patch = {"metadata": {"annotations": {"f": "status"}}}
    patched = await server.call("PATCH", f"{one}/status", patch, "application/merge-patch+json")
    assert patched["metadata"]["annotations"]["f"] == "status"
    assert patched.get("spec") == got.get("spec")
    updated = await server.call("PUT", f"{one}/status", patched)
    assert updated.get("status") == patched.get("status")


async def check_end(server: Server, kind: Kind, path: str, name: str, revision: str) -> None:
    await server.call("DELETE", path + SELECTED, {"propagationPolicy": "Background", "gracePeriodSeconds": 0})
    await check_watch(server, kind, revision)
    left = (await server.call("GET", path + SELECTED))["items"]
    if kind.resource.plural in ENDED_BY_A_CONTROLLER:
        return
    assert left == []
    again = await server.call("POST", path, typed(kind))
    one = f"{path}/{again['metadata']['name']}"
    await server.call("DELETE", f"{one}?gracePeriodSeconds=0&propagationPolicy=Background")
    assert await server.code("GET", one) == 404


async def check_watch(server: Server, kind: Kind, revision: str) -> None:
    """From before the object was made until its end, or the mark of it."""
    namespace = "default" if kind.resource.namespaced else None
    chosen = Selection(label_selector="cycle=yes")
    seen: list[str] = []
    async with server.client.watch(kind.resource, namespace, chosen, resource_version=revision) as events:
        async for event in events:
            if event.type == "BOOKMARK":
                continue
            seen.append(event.type)
            if event.type == "DELETED" or event.object["metadata"].get("deletionTimestamp"):
                break
    assert seen[:2] == WATCHED
    assert seen[-1] == ("MODIFIED" if kind.resource.plural in ENDED_BY_A_CONTROLLER else "DELETED")
