"""What kinds a cluster serves in namespaces, each once, by the version that the cluster prefers.

Source: kubernetes.io, "The Kubernetes API", discovery. A group whose server does not answer is named, not skipped in
silence.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from skerry.kube.errors import StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record
from skerry.kube.tasks import together


@record
class Served:
    """`silent`: groups that did not say what they serve."""

    resources: tuple[Resource, ...]
    silent: tuple[str, ...]


async def served_in_namespaces(client: HttpClient) -> Served:
    """Those that can be listed. Raises StatusError, OSError when the cluster itself does not answer."""
    groups = orjson.loads(await client.get_raw("/apis"))["groups"]
    versions = [("", "v1"), *((one["name"], version) for one in groups for version in _versions(one))]
    answers = await together(*(_of(client, group, version) for group, version in versions))
    silent = {group for (group, _), answer in zip(versions, answers, strict=True) if answer is None}
    found: dict[str, Resource] = {}
    for resource in (one for answer in answers for one in answer or ()):
        found.setdefault(resource.group_resource, resource)
    return Served(tuple(found.values()), tuple(sorted(silent)))


def _versions(group: Obj) -> dict[str, None]:
    """The preferred one first: it need not have all kinds of its group."""
    return dict.fromkeys((group["preferredVersion"]["version"], *(one["version"] for one in group["versions"])))


async def _of(client: HttpClient, group: str, version: str) -> list[Resource] | None:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        listed = orjson.loads(await client.get_raw(path))
    except (StatusError, OSError):
        if not group:
            raise
        return None
    return list(_listable(group, version, listed))


def _listable(group: str, version: str, answer: Obj) -> Iterator[Resource]:
    for one in answer.get("resources") or ():
        if one.get("namespaced") and "/" not in one["name"] and "list" in one.get("verbs", ()):
            yield Resource(group, version, one["name"], one["kind"], namespaced=True)
