"""postStart and preStop hooks: a command in the container, an HTTP request to it, or a pause.

Source of the behaviour: the kubelet's `pkg/kubelet/lifecycle/handlers.go`. Raises HookError; callers limit the time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import replace

from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.errors import HookError
from skerry.engine.node.http_get import HttpTarget, http_get
from skerry.kube.objects import Obj
from skerry.kube.records import record

_SHOWN = 256  # bytes of output in a message
_AGENT = "kube-lifecycle/1.36"
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")  # what TLS makes of an HTTP server's answer
_HOOK_TIMEOUT = 60  # seconds for one HTTP hook


@record
class HookTarget:
    """The running container a hook is about, and the pod's address."""

    container: Obj
    container_id: str
    ip: str


def port_number(port: int | str, container: Obj) -> int:
    """A port by number or by its name in `ports`. Raises ValueError."""
    if isinstance(port, int):
        return port
    for listed in container.get("ports") or ():
        if listed.get("name") == port:
            return int(listed["containerPort"])
    if port.isdigit():
        return int(port)
    raise ValueError(f"couldn't find port: {port!r} in container {container['name']!r}")


def http_target(action: Obj, container: Obj, ip: str) -> HttpTarget:
    """The request an `httpGet` action asks for. Raises ValueError."""
    headers: Mapping[str, str] = {header["name"]: header["value"] for header in action.get("httpHeaders") or ()}
    return HttpTarget(
        scheme=str(action.get("scheme") or "HTTP").lower(),
        host=str(action.get("host") or ip),
        port=port_number(action["port"], container),
        path=str(action.get("path") or "/"),
        headers=headers,
    )


async def run_hook(cri: CriClient, target: HookTarget, handler: Obj) -> None:
    """Run one handler to its end. Raises HookError."""
    if handler.get("exec") is not None:
        await _exec(cri, target, handler["exec"].get("command") or [])
    elif handler.get("httpGet") is not None:
        await _http(target, handler["httpGet"])
    elif handler.get("sleep") is not None:
        await asyncio.sleep(int(handler["sleep"]["seconds"]))
    else:
        raise HookError(f"hook handler is not supported: {', '.join(handler) or 'empty'}")


async def _exec(cri: CriClient, target: HookTarget, command: list[str]) -> None:
    try:
        result = await cri.exec_sync(target.container_id, command, 0)
    except CriError as error:
        raise HookError(f"command {command} failed: {error.message}") from error
    if result.exit_code != 0:
        output = (result.stdout + result.stderr)[:_SHOWN].decode(errors="replace")
        raise HookError(f"command {command} exited with {result.exit_code}: {output!r}")


async def _http(target: HookTarget, action: Obj) -> None:
    try:
        request = replace(http_target(action, target.container, target.ip), agent=_AGENT)
        await asyncio.wait_for(_fetch(request), _HOOK_TIMEOUT)
    except (OSError, ValueError) as error:
        raise HookError(f"HTTP request failed: {error}") from error


async def _fetch(request: HttpTarget) -> None:
    """Whatever the answer is, the hook was heard. One who speaks HTTP where HTTPS was meant is asked again in HTTP."""
    try:
        await http_get(request)
    except ssl.SSLError as error:
        if error.reason not in _PLAIN_HTTP:
            raise
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        await http_get(replace(request, scheme="http", headers=headers))
