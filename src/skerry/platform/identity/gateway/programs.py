"""Tokens of programs: a person makes them for a project, in a role that the person has there; lists and revokes them.

The token is in the answer that makes it and nowhere else. Owners of a project see and revoke all programs of it. A
program cannot make another, and only `Authorization: Bearer` counts: no page of another site can ask in a browser's
name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import orjson
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from skerry.kube.clock import rfc3339
from skerry.kube.errors import BadRequest, Forbidden, NotFound, StatusError, Unauthorized
from skerry.kube.objects import Obj, name_of
from skerry.platform.base.capability import Context
from skerry.platform.base.model import Model
from skerry.platform.identity.gateway.asking import token_of
from skerry.platform.identity.sessions.judging import Person, may_act
from skerry.platform.identity.sessions.sessions import PROJECTS, SessionRefused, Wanted, sessions_of
from skerry.platform.identity.types import SESSIONS, Scope

_PATH = "/identity/tokens"
_LARGEST = 16 * 1024
_Handler: TypeAlias = Callable[[Person, Request], Awaitable[Any]]


class WantedToken(Model):
    """What somebody asks for."""

    project: str = Field(min_length=1)
    role: str = Field(pattern="^(owner|editor|viewer)$")
    description: str = Field("", max_length=200)
    days: int = Field(30, ge=1, le=366)


class Programs:
    """The routes."""

    def __init__(self, context: Context) -> None:
        self._sessions = sessions_of(context)
        self._all = context.informers.of(SESSIONS)
        self._projects = context.informers.of(PROJECTS)

    def routes(self) -> Sequence[BaseRoute]:
        """GET lists, POST makes one, DELETE revokes."""
        return [
            Route(_PATH, self._answering(self._list), methods=["GET"]),
            Route(_PATH, self._answering(self._make), methods=["POST"]),
            Route(f"{_PATH}/{{name}}", self._answering(self._revoke), methods=["DELETE"]),
        ]

    async def _list(self, person: Person, _: Request) -> Any:
        theirs = [one for one in self._all.list() if self._may_see(person, one)]
        return {"items": [_shown(one) for one in sorted(theirs, key=_order)]}

    async def _make(self, person: Person, request: Request) -> Any:
        wanted = _wanted(await _body(request))
        project = self._projects.get(wanted.project)
        if project is None or not may_act(project, person.user, person.groups, "viewer"):
            raise NotFound(f"there is no project {wanted.project}, or you are not a member of it")
        if not may_act(project, person.user, person.groups, wanted.role):
            raise Forbidden(
                f"you are not {wanted.role} in project {wanted.project}: nobody makes a token for more than they may do"
            )
        scope = Scope.of({"project": wanted.project, "role": wanted.role})
        asked = Wanted(person.user, "Program", timedelta(days=wanted.days), scope, wanted.description)
        try:
            opened = await self._sessions.open(asked)
        except SessionRefused as refused:
            raise Forbidden(str(refused)) from None
        return {"name": opened.name, "token": opened.access, "expires": rfc3339(opened.expires)}

    async def _revoke(self, person: Person, request: Request) -> Any:
        name = request.path_params["name"]
        session = self._all.get(name)
        if session is None or not self._may_see(person, session):
            raise NotFound(f"there is no token {name}, or it is not yours: see `skerry tokens ls`")
        await self._sessions.close(name)
        return {"name": name}

    def _may_see(self, person: Person, session: Obj) -> bool:
        spec = session["spec"]
        if spec["kind"] != "Program":
            return False
        project = self._projects.get(spec["scope"]["project"])
        is_owner = project is not None and may_act(project, person.user, person.groups, "owner")
        return is_owner or bool(spec["user"] == person.user)

    def _answering(self, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return _json(await handler(self._person(request), request))
            except StatusError as error:
                return _json(error.to_json(), error.code)

        return answer

    def _person(self, request: Request) -> Person:
        token = token_of(request.headers.raw)
        person = self._sessions.person_of(token) if token else None
        if person is None:
            raise Unauthorized("signed out, or the token is over or unknown here: sign in with `skerry login`")
        if person.kind == "Program":
            raise Forbidden("a program's token makes, lists and revokes no tokens: sign in with `skerry login`")
        return person


def _wanted(body: bytes) -> WantedToken:
    try:
        return WantedToken.of(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"not JSON: {error}") from None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise BadRequest(f"{'.'.join(str(part) for part in wrong['loc'])}: {wrong['msg']}") from None


async def _body(request: Request) -> bytes:
    read = b""
    async for piece in request.stream():
        read += piece
        if len(read) > _LARGEST:
            raise BadRequest("the request is too large")
    return read


def _shown(session: Obj) -> Obj:
    spec = session["spec"]
    return {
        "name": name_of(session),
        "description": spec.get("description", ""),
        **spec["scope"],
        "user": spec["user"],
        "created": session["metadata"]["creationTimestamp"],
        "lastUsed": (session.get("status") or {}).get("lastUsed"),
        "expires": spec["expires"],
    }


def _order(session: Obj) -> tuple[str, str]:
    return session["spec"]["scope"]["project"], session["metadata"]["creationTimestamp"]


def _json(content: Any, code: int = 200) -> Response:
    return Response(orjson.dumps(content), code, {"cache-control": "no-store"}, "application/json")
