"""People on a running platform: users, groups, and what tells who is signed in."""

from __future__ import annotations

from skerry.platform.identity.naming import object_name
from skerry.platform.identity.seeing import Sight
from skerry.platform.identity.sessions.sessions import Sessions, sessions_of
from skerry.platform.identity.types import GROUPS, USERS
from tests.support.platform import RunningPlatform


def sessions_in(running: RunningPlatform) -> Sessions:
    """Those that the platform's own parts share."""
    return sessions_of(running.platform.contexts["identity"])


async def add_user(running: RunningPlatform, username: str, **spec: object) -> None:
    """Returns when the platform knows."""
    name = object_name(username)
    user = {"metadata": {"name": name}, "spec": {"username": username, **spec}}
    await running.admin.create(USERS, {"apiVersion": USERS.api_version, "kind": "User", **user})
    await Sight(running.platform.contexts["identity"].informers.of(USERS)).until(name, lambda one: one is not None)


async def add_group(running: RunningPlatform, name: str, *members: str) -> None:
    """Returns when the platform knows."""
    group = {"metadata": {"name": object_name(name)}, "spec": {"name": name, "members": list(members)}}
    await running.admin.create(GROUPS, {"apiVersion": GROUPS.api_version, "kind": "Group", **group})
    seen = Sight(running.platform.contexts["identity"].informers.of(GROUPS))
    await seen.until(object_name(name), lambda one: one is not None)
