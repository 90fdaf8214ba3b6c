"""To whom the owner of an object belongs, asked once per owner: it never changes."""

from __future__ import annotations

from collections import OrderedDict

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, annotations_of, controller_of, name_of, uid_of
from skerry.kube.resources import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from skerry.platform.usage.attributing.deciding import release_of, stateful_sets_of
from skerry.platform.usage.projects import RELEASES
from skerry.platform.usage.types import USER_ANNOTATION

_MAKERS = {
    (one.api_version, one.kind): one
    for one in (
        DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS, REPLICATION_CONTROLLERS, PODS,
    )
}  # fmt: skip
_REMEMBERED = 4096


class Owners:
    """Of what controllers make."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[str, str] = OrderedDict()
        """By uid of the owner."""

    async def user_of(self, obj: Obj, namespace: str) -> str:
        """ "" when nobody knows. Raises StatusError, OSError."""
        reference = controller_of(obj)
        if reference is None:
            return await self._of_claim(obj, namespace) or await self._of_release(obj, namespace)
        if reference["uid"] in self._known:
            self._known.move_to_end(reference["uid"])
            return self._known[reference["uid"]]
        resource = _MAKERS.get((reference["apiVersion"], reference["kind"]))
        owner = await self._get(resource, reference["name"], namespace) if resource else None
        if owner is None or uid_of(owner) != reference["uid"]:
            return ""
        return self._remember(owner)

    async def _of_release(self, obj: Obj, namespace: str) -> str:
        """Whoever launched it; releases are carried out by accounts of the cluster. Asked last: templates of claims may
        carry what looks like Helm's note."""
        name = release_of(obj, namespace)
        release = await self._get(RELEASES, name, namespace) if name else None
        return annotations_of(release).get(USER_ANNOTATION, "") if release is not None else ""

    async def _of_claim(self, obj: Obj, namespace: str) -> str:
        """A StatefulSet's claims outlive it, so they have no owner; their name tells."""
        if obj.get("kind") != "PersistentVolumeClaim":
            return ""
        for name, template in stateful_sets_of(name_of(obj)):
            owner = await self._get(STATEFUL_SETS, name, namespace)
            templates = owner["spec"].get("volumeClaimTemplates") or () if owner else ()
            if owner is not None and template in {name_of(one) for one in templates}:
                return self._remember(owner)
        return ""

    async def _get(self, resource: Resource, name: str, namespace: str) -> Obj | None:
        try:
            return await self._client.get(resource, name, namespace)
        except NotFound:
            return None

    def _remember(self, owner: Obj) -> str:
        self._known[uid_of(owner)] = user = annotations_of(owner).get(USER_ANNOTATION, "")
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return user
