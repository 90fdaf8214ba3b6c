"""A shell in a container of an app."""

from __future__ import annotations

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from skerry.kube.errors import StatusError
from skerry.platform.identity.login.often import TooMany
from skerry.portal.pages.app.opened import access_ended, chosen, container, opened, page, parts, reach
from skerry.portal.streams.terminal import shell_in, talk
from skerry.portal.web.viewer import Viewer

_REFUSED = 4400


async def show(viewer: Viewer) -> Response:
    """The page; the shell comes by the WebSocket."""
    app = await opened(viewer)
    found = chosen(viewer, app, (await parts(viewer, app)).pods, running=True)
    # xterm.js writes style elements; scripts are still ours alone
    return await page(viewer, app, "terminal", {"chosen": found}, policy={"style-src": "'unsafe-inline'"})


async def connect(viewer: Viewer, socket: WebSocket) -> None:
    """From the handshake to the close."""
    await socket.accept()
    try:
        at = await container(viewer, await opened(viewer))
    except (StatusError, OSError) as error:
        await socket.close(_REFUSED, _short(str(error)))
        return
    try:
        with viewer.site.terminals.one_more(viewer.person.user):
            await talk(socket, reach(viewer), at, access_ended(viewer, shell_in(at).target))
        await socket.close()
    except TooMany:
        await socket.close(_REFUSED, _short(viewer._("You have too many terminals open.")))
    except (OSError, RuntimeError, WebSocketDisconnect):  # the browser went first
        return


def _short(text: str) -> str:
    """As much as a close may say."""
    return text.encode()[:120].decode(errors="ignore")
