"""Groups: members that operators put in, and who is in them altogether, kept in their status."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Conflict, NotFound, conflict
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Context
from skerry.platform.base.status import write_status
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.seeing import Sight
from skerry.platform.identity.types import GROUPS, USERS

_MOST_LISTED = 1000
_ATTEMPTS = 5


class Members:
    """Who is listed in Groups."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._groups = context.informers.of(GROUPS)
        self._sight = Sight(self._groups)

    def of(self, group: str) -> list[str]:
        """Those that operators put in."""
        found = self._groups.get(object_name(group))
        return list(found["spec"].get("members") or ()) if found else []

    async def add(self, group: str, username: str) -> None:
        """Put somebody in; the Group is made when there is none. Returns when it counts. Raises StatusError."""
        name = object_name(group)
        for _ in range(_ATTEMPTS):
            try:
                await self._sight.written(await self._added(name, group, username))
            except (Conflict, AlreadyExists):
                continue
            return
        raise conflict(GROUPS.group_resource, name, "others change it at the same time")

    async def _added(self, name: str, group: str, username: str) -> Obj:
        try:
            found = await self._client.get(GROUPS, name)
        except NotFound:
            spec = {"name": group, "members": [username]}
            whole = {"apiVersion": GROUPS.api_version, "kind": GROUPS.kind, "metadata": {"name": name}, "spec": spec}
            return await self._client.create(GROUPS, whole)
        members = [*(found["spec"].get("members") or ()), username]
        return await self._client.update(GROUPS, {**found, "spec": {**found["spec"], "members": sorted(set(members))}})


class GroupController(Controller):
    """Keeps `status.members`: who is in a group, whoever said so."""

    name = "groups"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self._groups = context.informers.of(GROUPS)
        self._users = context.informers.of(USERS)
        self._users.add_index("told", lambda one: (one.get("status") or {}).get("groups") or ())
        self.watch(self._groups)
        self.watch(self._users, _groups_told)

    async def reconcile(self, key: str) -> float | None:
        """Of one group."""
        group = self._groups.get(key)
        if group is None:
            return None
        told = self._users.by_index("told", group["spec"]["name"])
        members = sorted({*(group["spec"].get("members") or ()), *(one["spec"]["username"] for one in told)})
        fields = {"members": members[:_MOST_LISTED], "count": len(members)}
        await write_status(self._client, self._clock, GROUPS, group, (), **fields)
        return None


def _groups_told(user: Obj) -> Iterable[str]:
    return [object_name(group) for group in (user.get("status") or {}).get("groups") or ()]
