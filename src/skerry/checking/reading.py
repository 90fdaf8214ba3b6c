"""Reads of a cluster what checks need, as whoever will apply the objects. What may not be read stays unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import orjson

from skerry.checking.checks import Checks
from skerry.checking.facts import Facts, Images, Key, Kind, Space, kind_of
from skerry.checking.quota import uses_quota
from skerry.checking.schema.schemas import Schema, built_in, defined, is_kubernetes_own, served
from skerry.kube.discovery import resources_by_kind
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.image_names import full_name
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.resources import LIMIT_RANGES, NAMESPACES, NODES, RESOURCE_QUOTAS

if TYPE_CHECKING:
    from skerry.kube.client import ObjectList
    from skerry.kube.http_client import HttpClient

_T = TypeVar("_T")
_PROJECT = "skerry.dev/project"
_PROJECTS = Resource("skerry.dev", "v1alpha1", "projects", "Project", namespaced=False)
_MOST_OF_A_KUBELET = 50
"""Nodes list no more images than this, the largest."""


async def read(client: HttpClient, objects: Sequence[Obj], namespace: str, what: Checks) -> Facts:
    """What there is. Raises StatusError, OSError."""
    names = sorted({namespace_of(one) or namespace for one in objects})
    spaces, schemas, resources, nodes = await asyncio.gather(
        asyncio.gather(*(_space(client, name, what) for name in names)),
        _schemas(client, objects if "schema" in what.names else ()),
        _resources(client, objects),
        _seen(client.list(NODES)) if {"images", "quota"} & what.names else _nothing(),
    )
    facts = Facts(
        namespace,
        online=True,
        spaces=dict(zip(names, spaces, strict=True)),
        images=_images(nodes, what),
        nodes=len(nodes.items) if nodes is not None else 1,
        schemas=schemas,
        resources=resources,
    )
    current = await _current(client, objects, facts) if "quota" in what.names else {}
    return replace(facts, current=current)


async def _space(client: HttpClient, name: str, what: Checks) -> Space:
    try:
        namespace = await _seen(client.get(NAMESPACES, name))
    except NotFound:
        return Space(exists=False)
    labels = labels_of(namespace) if namespace is not None else None
    limits = await _seen(client.list(LIMIT_RANGES, name))
    if "quota" not in what.names:
        return Space(labels=labels, limit_ranges=limits.items if limits else ())
    quotas = await _seen(client.list(RESOURCE_QUOTAS, name))
    project = await _project(client, (labels or {}).get(_PROJECT, ""))
    return Space(True, labels, quotas.items if quotas else (), limits.items if limits else (), project)


async def _project(client: HttpClient, name: str) -> Obj | None:
    try:
        return await _seen(client.get(_PROJECTS, name)) if name else None
    except NotFound:  # a label of somebody else's
        return None


async def _seen(asked: Awaitable[_T]) -> _T | None:
    """None for what we may not read."""
    try:
        return await asked
    except Forbidden:
        return None


async def _nothing() -> None:
    return None


def _images(nodes: ObjectList | None, what: Checks) -> Images | None:
    if what.images is not None:
        return Images(frozenset(_full(what.images)), complete=True)
    if nodes is None:
        return None
    listed = [(node.get("status") or {}).get("images") or () for node in nodes.items]
    names = (name for images in listed for image in images for name in image.get("names") or ())
    return Images(frozenset(_full(names)), complete=all(0 < len(images) < _MOST_OF_A_KUBELET for images in listed))


def _full(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            yield full_name(name)
        except ValueError:  # "<none>" of images that lost theirs
            continue


async def _resources(client: HttpClient, objects: Sequence[Obj]) -> dict[Kind, Resource]:
    versions = sorted({version for version, _ in map(kind_of, objects) if version})
    served = await asyncio.gather(*(resources_by_kind(client, version) for version in versions))
    return {
        (version, kind): resource
        for version, by_kind in zip(versions, served, strict=True)
        for kind, resource in by_kind.items()
    }


async def _current(client: HttpClient, objects: Sequence[Obj], facts: Facts) -> dict[Key, Obj]:
    """Those of the objects that are there."""
    counted = [one for one in objects if uses_quota(one) and name_of(one) and kind_of(one) in facts.resources]

    async def one(obj: Obj) -> tuple[Key, Obj | None]:
        resource, key = facts.resources[kind_of(obj)], facts.key(obj)
        try:
            return key, await _seen(client.get(resource, name_of(obj), facts.namespace_of(obj) or None))
        except NotFound:
            return key, None

    found = await asyncio.gather(*map(one, counted))
    return {key: there for key, there in found if there is not None}


async def _schemas(client: HttpClient, objects: Sequence[Obj]) -> dict[Kind, Schema | None]:
    """Of the kinds that are not Kubernetes' own, by a document for each group and version."""
    kinds = {kind_of(one) for one in objects} - defined(objects).keys()
    others = sorted(of for of in kinds if all(of) and built_in(*of) is None and not is_kubernetes_own(of[0]))
    documents = {version: await _document(client, version) for version in sorted({of[0] for of in others})}
    return {of: served(document, *of) for of in others if (document := documents[of[0]]) is not None}


async def _document(client: HttpClient, api_version: str) -> Obj | None:
    """None when it may not be read. An API without it has no such group."""
    try:
        body = await _seen(client.get_raw(f"/openapi/v3/apis/{api_version}"))
    except NotFound:
        return {}
    return orjson.loads(body) if body is not None else None
