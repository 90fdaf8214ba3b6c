"""Members of a Project, changed: decided purely, written unless somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.cli.cluster import Cluster
    from skerry.kube.http_client import HttpClient

_ATTEMPTS = 5
Change = Callable[[Sequence[Obj]], list[Obj]]


def change_members(cluster: Cluster, project: str, change: Change) -> None:
    """Write what `change` makes of the members. Raises CommandFailed."""
    cluster.run(lambda client, _namespace: _change(client, project, change))


def with_member(members: Sequence[Obj], who: Obj, role: str) -> list[Obj]:
    """They, and one more; who is a member already has the new role instead of all others."""
    return [*_others(members, who), {**who, "role": role}]


def without_member(members: Sequence[Obj], who: Obj) -> list[Obj]:
    """The others. Raises CommandFailed when there was none."""
    left = _others(members, who)
    if len(left) == len(members):
        raise CommandFailed(f"{next(iter(who.values()))} is no member")
    return left


def member(name: str, *, group: bool) -> Obj:
    """As `spec.members` names a person, or a group."""
    return {"group" if group else "user": name}


def _others(members: Sequence[Obj], who: Obj) -> list[Obj]:
    ((kind, name),) = who.items()
    return [one for one in members if one.get(kind) != name]


async def _change(client: HttpClient, name: str, change: Change) -> None:
    from skerry.kube.errors import Conflict

    for _ in range(_ATTEMPTS):
        project = await client.get(PROJECTS, name)
        members = change(project["spec"].get("members") or [])
        try:
            await client.update(PROJECTS, {**project, "spec": {**project["spec"], "members": members}})
        except Conflict:
            continue
        return
    raise CommandFailed(f"project {name} is changed by others all the time: try again")
