"""Secrets for pulling images that operators keep in skerry-pull-secrets, copied to the namespaces of projects.

Which versions were copied to a namespace is noted there, so that no right to read other Secrets is needed; tenants can
neither change the copies nor the note.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from skerry.kube.client import Client, Selection
from skerry.kube.errors import NotFound
from skerry.kube.informer import Handler, Informer
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, uid_of
from skerry.kube.resources import NAMESPACES, SECRETS
from skerry.kube.tasks import end
from skerry.platform.base.applying import apply
from skerry.platform.projects.types import MADE_LABEL, PULL_SECRET_LABEL, PULL_SECRETS

NOTE = "skerry.dev/pull-secrets"
"""Annotation of a namespace: which versions were copied, then the names of the copies."""
_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


class PullSecrets:
    """The Secrets that carry `PULL_SECRET_LABEL`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informer = Informer(client, SECRETS, PULL_SECRETS, Selection(PULL_SECRET_LABEL))
        self._task: asyncio.Task[None] | None = None

    def add_handler(self, handler: Handler) -> None:
        """Of every change."""
        self._informer.add_handler(handler)

    def start(self) -> None:
        """Begin to follow them."""
        self._task = asyncio.create_task(self._informer.run(), name="pull secrets")

    async def complete(self) -> None:
        """Returns after the first list."""
        await self._informer.synced.wait()

    async def close(self) -> None:
        """Stop."""
        await end(self._task)

    def names_for(self, project: str) -> Sequence[str]:
        """Of the copies in a project's namespaces."""
        return [copy_name(one) for one in self._of(project)]

    async def copy(self, project: str, namespace: Obj) -> bool:
        """Bring a namespace's copies up to date; True when something was to be done. Raises StatusError."""
        return await self._bring(self._of(project), project, namespace)

    async def take_away(self, namespace: Obj) -> None:
        """A namespace is no project's any more. Raises StatusError."""
        await self._bring([], "", namespace)

    async def _bring(self, secrets: Sequence[Obj], project: str, namespace: Obj) -> bool:
        note = _note(secrets)
        old = annotations_of(namespace).get(NOTE, "")
        if note == old:
            return False
        name = name_of(namespace)
        for secret in secrets:
            await apply(self._client, SECRETS, _copy(secret, project, name))
        for gone in set(old.split()[1:]) - {copy_name(one) for one in secrets}:
            await self._delete(gone, name)
        await self._client.patch(NAMESPACES, name, {"metadata": {"annotations": {NOTE: note or None}}})
        return True

    def _of(self, project: str) -> list[Obj]:
        found = [
            one
            for one in self._informer.list()
            if labels_of(one)[PULL_SECRET_LABEL] in ("", project) and one.get("type") in _TYPES
        ]
        return sorted(found, key=name_of)

    async def _delete(self, name: str, namespace: str) -> None:
        try:
            await self._client.delete(SECRETS, name, namespace)
        except NotFound:
            return


def copy_name(secret: Obj) -> str:
    """What the copy is called: no Secret of a tenant is in its way."""
    return f"skerry-pull-{name_of(secret)}"


def _note(secrets: Sequence[Obj]) -> str:
    if not secrets:
        return ""
    versions = " ".join(f"{uid_of(one)}/{one['metadata']['resourceVersion']}" for one in secrets)
    digest = hashlib.sha256(versions.encode()).hexdigest()[:16]
    return " ".join([digest, *map(copy_name, secrets)])


def _copy(secret: Obj, project: str, namespace: str) -> Obj:
    metadata = {"name": copy_name(secret), "namespace": namespace, "labels": {MADE_LABEL: project}}
    return {"metadata": metadata, "type": secret["type"], "data": secret.get("data") or {}}
