"""What command lines ask without a browser: tokens for codes, fresh tokens, device codes, revocation.

Source: RFC 6749 (answers and errors of the token endpoint), RFC 7009, RFC 8628, RFC 8414 (metadata).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.kube.errors import StatusError
from skerry.platform.base.capability import Context
from skerry.platform.identity.login.authorizing import AUTHORIZE, CLIENT
from skerry.platform.identity.login.devices import DEVICE
from skerry.platform.identity.login.forms import BadForm, fields_of
from skerry.platform.identity.login.grants import DEVICE_LIVES, INTERVAL, Codes, DeviceCodes
from skerry.platform.identity.login.handling import address_of
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.sessions.sessions import Opened, SessionRefused, Wanted, sessions_of

log = logging.getLogger(__name__)

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_TOKEN, _REVOKE, _BEGIN = "/identity/token", "/identity/revoke", "/identity/device_authorization"  # paths
_METADATA = "/.well-known/oauth-authorization-server/identity"


class TokenEndpoint:
    """For programs; answers in JSON."""

    def __init__(self, context: Context, codes: Codes, devices: DeviceCodes) -> None:
        self._context, self._codes, self._devices = context, codes, devices
        self._sessions = sessions_of(context)

    def routes(self) -> Sequence[BaseRoute]:
        """POST of forms, and the metadata."""
        return [
            Route(_TOKEN, _as_errors(self._token), methods=["POST"]),
            Route(_REVOKE, _as_errors(self._revoke), methods=["POST"]),
            Route(_BEGIN, _as_errors(self._begin_device), methods=["POST"]),
            Route(_METADATA, self._metadata, methods=["GET"]),
        ]

    async def _token(self, said: dict[str, str], _: Request) -> Response:
        grants: dict[str, Callable[[dict[str, str]], Awaitable[Opened]]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            DEVICE_GRANT: self._by_device,
        }
        grant = grants.get(said.get("grant_type", ""))
        if grant is None:
            raise _Error("unsupported_grant_type", f"grant_type is one of {', '.join(grants)}")
        return self._answer(await grant(said))

    async def _by_code(self, said: dict[str, str]) -> Opened:
        granted = self._codes.take(said.get("code", ""), said.get("redirect_uri", ""), said.get("code_verifier", ""))
        if granted is None:
            raise _Error("invalid_grant", "the code is unknown, used, over, or somebody else's: start again")
        return await self._open(granted.username, granted.description)

    async def _by_refresh(self, said: dict[str, str]) -> Opened:
        return await self._sessions.refresh(said.get("refresh_token", ""))

    async def _by_device(self, said: dict[str, str]) -> Opened:
        told = self._devices.poll(said.get("device_code", ""))
        if isinstance(told, str):
            raise _Error(told, _POLLED[told])
        return await self._open(told.username, told.description)

    async def _open(self, username: str, description: str) -> Opened:
        return await self._sessions.open(Wanted(username, "CommandLine", description=description))

    async def _revoke(self, said: dict[str, str], _: Request) -> Response:
        await self._sessions.close_by_token(said.get("token", ""))
        return Response(status_code=200)

    async def _begin_device(self, said: dict[str, str], request: Request) -> Response:
        code, user_code = self._devices.begin(address_of(request), said.get("description", ""))
        page = f"{self._context.settings.url}{DEVICE}"
        return _json(
            {
                "device_code": code,
                "user_code": user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={user_code}",
                "expires_in": int(DEVICE_LIVES.total_seconds()),
                "interval": INTERVAL,
            }
        )

    async def _metadata(self, _: Request) -> Response:
        url = self._context.settings.url
        return _json(
            {
                "issuer": f"{url}/identity",
                "authorization_endpoint": f"{url}{AUTHORIZE}",
                "token_endpoint": f"{url}{_TOKEN}",
                "revocation_endpoint": f"{url}{_REVOKE}",
                "device_authorization_endpoint": f"{url}{_BEGIN}",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )

    def _answer(self, opened: Opened) -> Response:
        seconds = int((opened.expires - self._context.clock.now()).total_seconds())
        return _json(
            {
                "access_token": opened.access,
                "token_type": "Bearer",
                "expires_in": seconds,
                "refresh_token": opened.refresh,
            }
        )


_POLLED = {
    "authorization_pending": "nobody has said yes yet: ask again",
    "slow_down": f"ask every {INTERVAL} seconds",
    "expired_token": "the code is over, or unknown: start again",
    "access_denied": "the person said no",
}


class _Error(Exception):
    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def _as_errors(
    handler: Callable[[dict[str, str], Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Reads the form, looks at the client, and answers what is wrong as RFC 6749, 5.2 has it."""

    async def answer(request: Request) -> Response:
        try:
            said = await fields_of(request)
            if said.get("client_id") != CLIENT:
                raise _Error("invalid_client", f"client_id must be {CLIENT}")
            return await handler(said, request)
        except BadForm as wrong:
            return _wrong("invalid_request", str(wrong))
        except _Error as wrong:
            return _wrong(wrong.code, str(wrong))
        except SessionRefused as refused:
            return _wrong("invalid_grant", str(refused))
        except TooMany as many:
            return _wrong("temporarily_unavailable", str(many), 429)
        except (StatusError, OSError):
            log.exception("%s", request.url.path)
            return _wrong("temporarily_unavailable", "the cluster does not answer as it should: try again", 503)

    return answer


def _wrong(code: str, why: str, status: int = 400) -> Response:
    return _json({"error": code, "error_description": why}, status)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store"})
