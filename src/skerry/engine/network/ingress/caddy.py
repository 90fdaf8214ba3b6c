"""Keeps one Caddy running once it is wanted: adopts the one of an engine before us, or starts one; starts it anew when
it dies. It is in a session of its own and outlives the engine, so that requests are served while the engine is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.log_files import cut_back
from skerry.engine.network.cni import pod_gateway
from skerry.engine.network.ingress import program
from skerry.engine.network.ingress.admin import Admin, AdminError
from skerry.engine.network.ingress.document import Listeners
from skerry.engine.processes import ended, listener
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

_START_SECONDS = 20.0
_END_SECONDS = 20.0
_PAUSE = 0.01
_STEADY_SECONDS = 10.0
_BACK_OFF = (0.1, 10.0)
_LOG_CHECK_SECONDS = 600.0
_BACKLOG = 4096
_DEFER_SECONDS = 5
"""How long the kernel keeps a connection on which nothing was sent yet: Caddy would close it at a new configuration."""
_PORTS = (10080, 10443)
"""Tried first. Not 80 and 443: those of the host belong to whoever the Service is given them by."""


class CaddyError(OSError):
    """Caddy cannot be started; the message is one line a person can act on."""


class Caddy:
    """The Caddy of one instance. `on_change`: called when it is another one than before, or none."""

    def __init__(self, config: EngineConfig, on_change: Callable[[], None]) -> None:
        self._config = config
        self._on_change = on_change
        self._watching: asyncio.Task[None] | None = None
        self._delay = 0.0
        self.admin = Admin(program.admin_socket(config))
        self.pid = 0
        """0 while there is none."""
        self.version = ""
        self.listeners = Listeners(pod_gateway(config), *_PORTS)

    async def adopt(self) -> bool:
        """Take over the Caddy that an engine before us left, if one answers."""
        pid = await asyncio.to_thread(listener, program.admin_socket(self._config))
        if not pid or pid not in program.cgroup_of(self._config).members():
            return False
        try:
            noted = json.loads(self._note.read_text())
            self.version = str(noted["version"])
            http, https = (int(port) for port in noted["ports"])
            first, second = (int(one) for one in noted["descriptors"])
            self.listeners = Listeners(self.listeners.address, http, https, (first, second))
            await self.admin.listening()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("Caddy, process %d, does not answer and is replaced: %s", pid, error)
            return False
        log.info("adopted Caddy %s, process %d", self.version, pid)
        self._watch(pid)
        return True

    async def ensure(self) -> None:
        """Return when one answers. Raises CaddyError, OSError."""
        if self.pid or await self.adopt():
            return
        await asyncio.sleep(self._delay)
        path = program.find_caddy()
        if path is None:
            raise CaddyError("Caddy is not installed: run `make setup`, or apt-get install caddy")
        await self._end_strays()
        self.version = await asyncio.to_thread(program.version_of, path)
        pid = await asyncio.to_thread(self._spawn, path)
        self._watch(pid)
        try:
            await self._until_it_answers(pid)
        except CaddyError:
            await self.end()
            raise
        log.info("started Caddy %s, process %d", self.version, pid)
        self._write_note()

    async def detach(self) -> None:
        """Stop watching; it goes on serving."""
        await end(self._watching)
        self._watching = None
        self.pid = 0

    async def end(self) -> None:
        """End it, with everything it serves."""
        await self.detach()
        await self._end_strays()
        program.cgroup_of(self._config).remove()

    @property
    def _note(self) -> Path:
        return self._config.paths.run / "ingress.json"

    def _watch(self, pid: int) -> None:
        self.pid = pid
        self._watching = asyncio.create_task(self._follow(pid), name="caddy")

    async def _follow(self, pid: int) -> None:
        started = time.monotonic()
        bounding = asyncio.create_task(self._bound_log(), name="caddy's log")
        try:
            await ended(pid)
        finally:
            bounding.cancel()
        lived = time.monotonic() - started
        self._delay = 0.0 if lived >= _STEADY_SECONDS else min(max(_BACK_OFF[0], 2 * self._delay), _BACK_OFF[1])
        log.warning("Caddy has ended; starting it anew in %.1f s", self._delay)
        self.pid, self._watching = 0, None
        self._on_change()

    async def _bound_log(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS)
            await asyncio.to_thread(cut_back, self._log_file)

    @property
    def _log_file(self) -> Path:
        return self._config.paths.logs / "ingress.log"

    def _spawn(self, path: str) -> int:
        """With sockets that listen already, which outlast every configuration; an old Caddy opens its own."""
        self._log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        cut_back(self._log_file)
        descriptor = os.open(self._log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        address = self.listeners.address
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, descriptor)
            http, https = (stack.enter_context(_socket_at(address, port)) for port in _PORTS)
            ports = http.getsockname()[1], https.getsockname()[1]
            if not program.takes_sockets(self.version):
                self.listeners = Listeners(address, *ports)
                http.close()
                https.close()
                return program.spawn(self._config, path, descriptor, ())
            for one in (http, https):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER_SECONDS)
                one.listen(_BACKLOG)
            self.listeners = Listeners(address, *ports, (http.fileno(), https.fileno()))
            return program.spawn(self._config, path, descriptor, self.listeners.descriptors)

    def _write_note(self) -> None:
        """For the next engine, which adopts this Caddy. In our directory, not in Caddy's: it is believed."""
        ports = self.listeners.http, self.listeners.https
        note = {"version": self.version, "ports": ports, "descriptors": self.listeners.descriptors}
        fresh = self._note.with_suffix(".new")
        fresh.write_text(json.dumps(note))
        fresh.chmod(0o600)
        fresh.replace(self._note)

    async def _until_it_answers(self, pid: int) -> None:
        """Nothing announces that a socket listens, so it is tried again while Caddy starts, and only then."""
        deadline = time.monotonic() + _START_SECONDS
        while self.pid == pid and time.monotonic() < deadline:
            if await asyncio.to_thread(listener, program.admin_socket(self._config)) == pid:
                with contextlib.suppress(AdminError, ConnectionError, FileNotFoundError):
                    await self.admin.listening()
                    return
            await asyncio.sleep(_PAUSE)
        raise CaddyError(f"Caddy does not start: see {self._log_file}")

    async def _end_strays(self) -> None:
        """Whatever is in Caddy's cgroup."""
        cgroup = program.cgroup_of(self._config)
        if not await cgroup.end(_END_SECONDS):
            raise CaddyError(f"processes {sorted(cgroup.members())} in Caddy's cgroup do not end")


def _socket_at(address: str, wanted: int) -> socket.socket:
    """A socket at the usual port, or at any."""
    for port in (wanted, 0):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((address, port))
        except OSError:
            made.close()
        else:
            return made
    raise CaddyError(f"there is no free port at {address}")
