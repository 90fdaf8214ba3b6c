"""Small habits of acting that controllers share: write a status only when it changed, remember what was written."""

from __future__ import annotations

from skerry.kube.client import Client
from skerry.kube.errors import Forbidden, StatusError
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, Resource


async def write_status(client: Client, resource: Resource, obj: Obj, status: Obj) -> Obj:
    """Write `status` unless the object has it already. Raises Conflict when the object has changed since."""
    if obj.get("status") == status:
        return obj
    return await client.update(resource, {**obj, "status": status}, "status")


class Written:
    """The newest revision written on behalf of each key, to tell a cache that lags from one that is current.

    This is what Kubernetes' controllers use expectations for; one global revision makes it exact.
    """

    def __init__(self, cache: Informer) -> None:
        self._cache = cache
        self._revisions: dict[str, int] = {}

    def note(self, key: str, written: Obj) -> None:
        """Remember the answer to a create, update or delete."""
        revision = str(written.get("metadata", {}).get("resourceVersion", ""))
        if revision.isdecimal():
            self._revisions[key] = max(self._revisions.get(key, 0), int(revision))

    def seen(self, key: str) -> bool:
        """Whether the cache shows all that was written for `key`."""
        if self._revisions.get(key, 0) > self._cache.revision:
            return False
        self._revisions.pop(key, None)
        return True

    def forget(self, key: str) -> None:
        """The object of `key` is gone."""
        self._revisions.pop(key, None)


def namespace_is_ending(error: StatusError) -> bool:
    """Whether a create was refused because its namespace is being deleted: no news, and no use in trying again."""
    causes = error.details.get("causes") or ()
    return isinstance(error, Forbidden) and any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
