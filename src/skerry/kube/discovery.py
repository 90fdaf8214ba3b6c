"""What a cluster serves: the resource of a kind, by the API's own discovery documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

from skerry.kube.errors import NotFound
from skerry.kube.objects import Resource

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


async def resources_by_kind(client: HttpClient, api_version: str) -> Mapping[str, Resource]:
    """The resources of a group and version ("v1", "apps/v1"), by kind; {} when it is not served. Raises StatusError."""
    group, _, version = api_version.rpartition("/")
    try:
        body = await client.get_raw(f"/apis/{api_version}" if group else f"/api/{version}")
    except NotFound:
        return {}
    listed = orjson.loads(body).get("resources") or ()
    return {
        one["kind"]: Resource(group, version, one["name"], one["kind"], bool(one.get("namespaced")))
        for one in listed
        if "/" not in one["name"]
    }
