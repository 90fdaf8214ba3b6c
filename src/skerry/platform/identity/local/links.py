"""One-time links: whoever opens one sets a password, of a named account or as the first operator.

A link is a Secret in the platform's namespace, named by the hash of the token in it: knowing the Secret is not knowing
the link. It is used up by deleting it, which only one can do. Whoever may write Secrets there makes links: `skerry up`
and `skerry users link` do, by the Kubernetes API alone.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from skerry.kube.client import Client, Selection
from skerry.kube.clock import WallClock, parse_time, rfc3339
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import SECRETS
from skerry.platform.identity.naming import PRIVATE, object_name
from skerry.platform.identity.sessions.tokens import digest, new_token
from skerry.platform.identity.types import GROUPS, OPERATORS

Purpose = Literal["FirstOperator", "Password"]
LABEL = "skerry.dev/sign-in-link"
_LIFETIME = timedelta(hours=24)


@record
class Link:
    """What a link lets somebody do."""

    purpose: Purpose
    username: str
    """"" for the first operator, who chooses."""
    expires: datetime
    uid: str = ""
    """Of its Secret."""


async def make_link(client: Client, clock: WallClock, url: str, purpose: Purpose, username: str = "") -> str:
    """The whole address, good for a day; earlier ones of the same purpose and person are void. `url`: the platform's.
    Raises StatusError."""
    await _remove_former(client, purpose, username)
    token = new_token("link")
    link = {"purpose": purpose, "username": username, "expires": rfc3339(clock.now() + _LIFETIME)}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _name(token), "labels": {LABEL: purpose}},
        "type": "skerry.dev/sign-in-link",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in link.items()},
    }
    await client.create(SECRETS, secret, PRIVATE)
    return f"{url.rstrip('/')}/identity/link/{token}"


async def first_operator_link(client: Client, clock: WallClock, url: str) -> str | None:
    """The address for who is to be the first operator; None when there are operators. Raises StatusError."""
    with suppress(NotFound):
        group = await client.get(GROUPS, object_name(OPERATORS))
        if group["spec"].get("members"):
            return None
    return await make_link(client, clock, url, "FirstOperator")


async def link_of(client: Client, clock: WallClock, token: str) -> Link | None:
    """What a token is good for now; None: nothing. Raises StatusError."""
    try:
        secret = await client.get(SECRETS, _name(token), PRIVATE)
    except NotFound:
        return None
    link = _read(secret)
    return link if link.expires > clock.now() else None


async def use_up(client: Client, token: str, link: Link) -> bool:
    """Whether it was still there; nobody can use it again. Raises StatusError."""
    try:
        await client.delete(SECRETS, _name(token), PRIVATE, {"preconditions": {"uid": link.uid}})
    except (NotFound, Conflict):
        return False
    return True


async def _remove_former(client: Client, purpose: Purpose, username: str) -> None:
    listed = await client.list(SECRETS, PRIVATE, Selection(f"{LABEL}={purpose}"))
    for one in listed.items:
        if _read(one).username == username:
            with suppress(NotFound):
                await client.delete(SECRETS, name_of(one), PRIVATE)


def _read(secret: Obj) -> Link:
    data = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    purpose: Purpose = "FirstOperator" if data["purpose"] == "FirstOperator" else "Password"
    return Link(purpose, data.get("username", ""), parse_time(data["expires"]), uid_of(secret))


def _name(token: str) -> str:
    return f"skerry-link-{digest(token)[:40]}"
