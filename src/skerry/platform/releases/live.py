"""What a release made, as it is in the cluster: followed by its label, compared with what Helm applied, put right.

Only kinds that people change by hand are followed; whoever asks for the differences is told of all. Caches hold next to
nothing of each object. Neighbour: `drift` compares, purely.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from skerry.kube.client import Selection
from skerry.kube.discovery import resources_by_kind
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS, CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, INGRESSES, SERVICES, STATEFUL_SETS
from skerry.kube.tasks import end
from skerry.platform.base.capability import Context
from skerry.platform.releases.drift import at_rest, drift_of, rests
from skerry.platform.releases.types import RELEASE_LABEL

FOLLOWED: Sequence[Resource] = (
    DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS, SERVICES, INGRESSES, CONFIG_MAPS,
)  # fmt: skip
_HELM = "helm"
"""Whose the fields are that Helm applies."""


@record
class Drifted:
    """One object that others changed."""

    resource: Resource
    written: Obj
    """What puts it right."""
    fields: Sequence[str]


class Live:
    """Follows what releases made."""

    def __init__(self, context: Context, changed: Callable[[str, str], None]) -> None:
        """`changed`: is called with namespace and release when something of it was changed or deleted."""
        self._changed = changed
        ours = Selection(RELEASE_LABEL)
        self._informers = [Informer(context.client, one, None, ours, _shortened) for one in FOLLOWED]
        for informer in self._informers:
            informer.add_handler(self._handle)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow."""
        self._tasks = [asyncio.create_task(one.run(), name="made by releases") for one in self._informers]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            await end(task)

    def _handle(self, delta: Delta) -> None:
        """What is new was just applied; only what was there before can have been changed."""
        if delta.old is None or (delta.new is not None and _version(delta.old) == _version(delta.new)):
            return
        self._changed(namespace_of(delta.old), labels_of(delta.old).get(RELEASE_LABEL, ""))


async def drifted(written: Sequence[Obj], client: HttpClient, namespace: str) -> list[Drifted]:
    """What differs from what was applied. What the account may not read is left out. Raises StatusError, OSError."""
    kinds: dict[str, Mapping[str, Resource]] = {}
    found = []
    for one in written:
        version = str(one.get("apiVersion", ""))
        if version not in kinds:
            kinds[version] = await resources_by_kind(client, version)
        resource = kinds[version].get(str(one.get("kind", "")))
        if resource is None:
            continue
        with contextlib.suppress(Forbidden):
            there = await _there(client, resource, one, namespace)
            fields = drift_of(one, there)
            if fields:
                found.append(Drifted(resource, at_rest(one) if there and rests(there) else one, fields))
    return found


async def correct(found: Sequence[Drifted], client: HttpClient, namespace: str) -> None:
    """Apply what was written again, as Helm does. Raises StatusError, OSError."""
    as_helm = client.managing(_HELM)
    for one in found:
        place = (namespace_of(one.written) or namespace) if one.resource.namespaced else None
        await as_helm.patch(one.resource, name_of(one.written), one.written, place, kind="apply")


async def _there(client: HttpClient, resource: Resource, written: Obj, namespace: str) -> Obj | None:
    place = (namespace_of(written) or namespace) if resource.namespaced else None
    try:
        return await client.get(resource, name_of(written), place)
    except NotFound:
        return None


def _shortened(obj: Obj) -> Obj:
    """What tells whether somebody wrote it: kinds with a generation count what is wanted, not what is reported."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in ("managedFields", "annotations")}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}


def _version(obj: Obj) -> str:
    metadata = obj["metadata"]
    return str(metadata.get("generation") or metadata.get("resourceVersion"))
