"""Keeps one Caddy running once it is wanted: adopts the one of an engine before us, or starts one; starts it anew when
it dies. It is in a session of its own and outlives the engine, so that requests are served while the engine is away.
A new configuration begins while the one before is still there (`handover`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.log_files import cut_back
from skerry.engine.network.cni import pod_gateways
from skerry.engine.network.ingress import handover, program
from skerry.engine.network.ingress.admin import Admin, AdminError
from skerry.engine.network.ingress.document import Listeners, listening_by
from skerry.engine.network.ingress.user import user_of
from skerry.engine.processes import ended, listener
from skerry.kube.objects import Obj
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

_START_SECONDS = 20.0
_END_SECONDS = 20.0
_PAUSE = 0.01
_STEADY_SECONDS = 10.0
_BACK_OFF = (0.1, 10.0)
_LOG_CHECK_SECONDS = 600.0
_BACKLOG = 4096
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
        self.listeners = Listeners(pod_gateways(config), *_PORTS)
        self._reserved: list[socket.socket] = []
        """What keeps the ports until Caddy listens there."""
        self._other_name = False
        """By which of its names Caddy listens at our addresses."""
        self._loading: asyncio.Task[None] | None = None
        """Is done when the configuration before is over."""

    async def adopt(self) -> bool:
        """Take over the Caddy that an engine before us left, if one answers."""
        pid = await asyncio.to_thread(listener, program.admin_socket(self._config))
        if not pid or pid not in program.cgroup_of(self._config).members():
            return False
        try:
            noted = json.loads(self._note.read_text())
            self.version = str(noted["version"])
            http, https = (int(port) for port in noted["ports"])
            self.listeners = Listeners(self.listeners.addresses, http, https)
            self._other_name = self._name_among((await self.admin.listening())["http"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("Caddy, process %d, does not answer and is replaced: %s", pid, error)
            return False
        log.info("adopted Caddy %s, process %d", self.version, pid)
        self._watch(pid)
        return True

    def _name_among(self, given: Sequence[str]) -> bool:
        """By which of its names Caddy listens at what it was given. Raises ValueError if that is not at ours."""
        ours = self.listeners.at(self.listeners.http)
        if given == ours:
            return self._other_name  # one that cannot hand over has no names
        for other in (False, True):
            if given == [handover.named(one, other=other) for one in ours]:
                return other
        raise ValueError(f"it listens at {', '.join(given)}")

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

    async def load(self, document: Obj) -> None:
        """Make this the configuration; when it returns, connections that begin get it. Raises AdminError, OSError."""
        if not program.hands_over(self.version):
            await self.admin.load(document)
            return
        await self.handed_over()
        for one in self._reserved:
            one.listen(_BACKLOG)
        other = not self._other_name
        renamed = listening_by(document, partial(handover.named, other=other))
        self._loading = asyncio.create_task(self.admin.load(renamed), name="Caddy's load")
        loading = self._loading
        await _until(lambda: loading.done() or self._sockets() > 1)
        if loading.done():
            loading.result()
        self._other_name = other
        self._release()

    async def handed_over(self) -> None:
        """Return when nothing is left of the configuration before."""
        if self._loading is None:
            return
        await asyncio.wait((self._loading,))
        self._loading = None
        await _until(lambda: self._sockets() < 2)

    def _sockets(self) -> int:
        """How many configurations listen with all they have."""
        addresses, ports = self.listeners.addresses, (self.listeners.http, self.listeners.https)
        return min(handover.listening(address, port) for address in addresses for port in ports)

    def _release(self) -> None:
        for one in self._reserved:
            one.close()
        self._reserved = []

    async def detach(self) -> None:
        """Stop watching; it goes on serving."""
        await end(self._watching)
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait((self._loading,))
        self._watching = self._loading = None
        self._release()
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
        self._log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        cut_back(self._log_file)
        descriptor = os.open(self._log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._reserve()
            return program.spawn(self._config, path, descriptor)
        finally:
            os.close(descriptor)

    def _reserve(self) -> None:
        """The usual ports, or any. An old Caddy is not given the program, which it could not use."""
        self._release()
        addresses, user = self.listeners.addresses, user_of(self._config)
        http, https = (handover.reserve(addresses, port, user) for port in _PORTS)
        self._reserved = [*http, *https]
        self.listeners = Listeners(addresses, *(one[0].getsockname()[1] for one in (http, https)))
        if not program.hands_over(self.version):
            self._release()

    def _write_note(self) -> None:
        """For the next engine, which adopts this Caddy. In our directory, not in Caddy's: it is believed."""
        ports = self.listeners.http, self.listeners.https
        note = {"version": self.version, "ports": ports}
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


async def _until(holds: Callable[[], bool]) -> None:
    """Nothing announces that sockets listen, or do no more; either takes some hundredths of a second."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return
        await asyncio.sleep(_PAUSE)
