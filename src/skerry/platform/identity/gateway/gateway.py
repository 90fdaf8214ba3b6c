"""The gateway: authenticates a request by our own tokens and has the API answer it to the person, nobody else.

Neighbours: `asking` (what a request says), `exchange` (HTTP), `sockets` (WebSockets), `upgrades` (SPDY), `guard` (ends
what may not go on), `streams` (how many of one person). The API authorises; here nothing is allowed or refused but by
who asks. It acts with the platform's own credentials, as only these may impersonate people.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from skerry.kube.errors import ServiceUnavailable, StatusError, Unauthorized
from skerry.kube.switching import switching_of
from skerry.platform.base.capability import Context
from skerry.platform.identity.gateway.answers import answer
from skerry.platform.identity.gateway.asking import Asked, asked_of, protocols_for, target_of, token_of
from skerry.platform.identity.gateway.exchange import Exchange
from skerry.platform.identity.gateway.guard import Guard
from skerry.platform.identity.gateway.sockets import Socket
from skerry.platform.identity.gateway.streams import Streams
from skerry.platform.identity.gateway.upgrades import Upgrade, may_switch
from skerry.platform.identity.sessions.sessions import sessions_of

_SIGN_IN = "signed out, or the token is over or unknown here: sign in with `skerry login`"


class Gateway:
    """An ASGI application, mounted at `asking.PREFIX`."""

    def __init__(self, context: Context) -> None:
        self._sessions = sessions_of(context)
        self._forwarder = context.client.forwarder()
        self._guard = Guard(context, self._sessions)
        self._streams = Streams(context.settings.streams_per_person)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever comes of it."""
        is_socket = scope["type"] == "websocket"
        try:
            asked = self._asked(scope)
            with self._streams.held(asked):
                if is_socket:
                    protocols = protocols_for(scope["subprotocols"])
                    await Socket(asked, receive, send).run(self._forwarder, self._guard, protocols)
                elif (switching := switching_of(scope)) is not None and may_switch(asked):
                    await Upgrade(asked, switching, send).run(self._forwarder, self._guard)
                else:
                    await Exchange(asked, receive, send).run(self._forwarder, self._guard)
        except StatusError as error:
            await answer(send, error, instead_of_socket=is_socket)
        except OSError as error:
            unavailable = ServiceUnavailable(f"the Kubernetes API does not answer: {error}")
            await answer(send, unavailable, instead_of_socket=is_socket)

    def _asked(self, scope: Scope) -> Asked:
        """Raises Unauthorized, Forbidden, NotFound."""
        target = target_of(scope["raw_path"], scope["query_string"])
        token = token_of(scope["headers"], scope.get("subprotocols") or ())
        person = self._sessions.person_of(token) if token else None
        if person is None:
            raise Unauthorized(_SIGN_IN)
        source = scope["client"][0] if scope.get("client") else ""
        return asked_of(person, scope.get("method", "GET"), target, scope["headers"], source)
