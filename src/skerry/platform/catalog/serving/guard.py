"""Who asks the chart repository for something, and whether that person may: tokens of ours or of the cluster, and RBAC.

Helm and curl send a user name and a password: the token is the password then, and the name does not count.
"""

from __future__ import annotations

import base64
import binascii

from skerry.kube.errors import Forbidden, Unauthorized
from skerry.kube.objects import Resource
from skerry.platform.base.access import Action, may
from skerry.platform.base.callers import Caller
from skerry.platform.base.capability import Context
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS

_TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)


def token_of(authorization: str) -> str:
    """The token of an `Authorization` header; "" when it has none."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


class Guard:
    """At the door."""

    def __init__(self, context: Context) -> None:
        self._client, self._callers = context.client, context.callers

    async def caller(self, authorization: str) -> Caller:
        """Who it is. Raises Unauthorized, StatusError, OSError."""
        token = token_of(authorization)
        known = self._callers.of(token) or (await self._account(token) if token else None)
        if known is None:
            raise Unauthorized("a token is wanted, as bearer or as the password: skerry token, or skerry tokens create")
        return known

    async def check_read(self, caller: Caller, namespace: str) -> None:
        """Raises Forbidden."""
        if not await may(self._client, caller.user, caller.groups, Action("list", CATALOG_ENTRIES, "", namespace)):
            raise Forbidden(f"{caller.user} may not see the charts of namespace {namespace}")

    async def check_push(self, caller: Caller, namespace: str, catalog: str) -> None:
        """Raises Forbidden."""
        if not await may(self._client, caller.user, caller.groups, Action("push", CATALOGS, catalog, namespace)):
            raise Forbidden(f"{caller.user} may not push to catalogue {catalog}: that takes the verb push on catalogs")

    async def _account(self, token: str) -> Caller | None:
        """Of the cluster's own: pods push with their service account's token."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        status = (await self._client.create(_TOKEN_REVIEWS, review)).get("status") or {}
        user = status.get("user") or {}
        if not status.get("authenticated"):
            return None
        return Caller(str(user.get("username", "")), tuple(user.get("groups") or ()))
