"""Keeps Skerry's own containerd running: starts or adopts it, starts it anew when it dies, ends it when asked.

containerd is in a session of its own and logs to a file, so it outlives the engine; pods are children of shims and
outlive containerd. Which containerd is ours is decided by its arguments (our configuration file), never by name. The
supervisor's process must be able to enter the instance's mount namespace (`mount_namespace`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.node.containerd import config_file, log_file, mount_namespace, processes, sweep
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.readiness import wait_until_ready
from skerry.engine.processes import ended

log = logging.getLogger(__name__)

_START_SECONDS = 20.0
_ADOPT_SECONDS = 10.0  # it may still be starting, or a busy machine does not let it run
_STEADY_SECONDS = 10.0  # one that lived this long is started anew at once
_BACK_OFF = (0.1, 10.0)
_LOG_CHECK_SECONDS = 600.0

HealthCallback = Callable[[bool, str], None]
"""Called with (healthy, reason) at every change."""


class ContainerdSupervisor:
    """One containerd of one instance. Start it once; `detach` leaves everything running, `sweep` ends it."""

    def __init__(self, config: EngineConfig, on_health: HealthCallback | None = None) -> None:
        self._config = config
        self._on_health = on_health
        self._pid = 0
        self._started = 0.0
        self._trouble = "containerd has not been started"
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """containerd's process id; 0 while there is none."""
        return self._pid

    @property
    def trouble(self) -> str:
        """Why containerd is not usable now, "" when it is; for /readyz."""
        return self._trouble

    async def start(self) -> None:
        """Return when containerd answers: one of ours that runs already, else a new one.

        Raises ContainerdError: a package is missing, or containerd ends or stays silent (its last words in the text).
        """
        mount_namespace.ensure(self._config.paths)
        if not await self._adopt():
            await self._launch()
        self._tasks = [asyncio.create_task(self._keep_running()), asyncio.create_task(self._bound_log())]

    async def detach(self) -> None:
        """Stop supervising. containerd and all containers go on."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    # ---- start

    async def _adopt(self) -> bool:
        """Take over a containerd of ours that answers; end ours that do not."""
        await asyncio.to_thread(self._end_strays)
        found = processes.containerds(config_file.config_path(self._config.paths))
        if len(found) == 1 and await self._answers(found[0], _ADOPT_SECONDS):
            log.info("adopted containerd, process %d", found[0])
            self._set_running(found[0])
            return True
        if found:
            log.warning("ending containerd processes %s: they do not answer", found)
            await asyncio.to_thread(processes.kill_and_wait, found)
        return False

    def _end_strays(self) -> None:
        """End what is left from an earlier mount namespace: its mounts can no longer be reached from this one."""
        paths = self._config.paths
        ours = [*processes.containerds(config_file.config_path(paths)), *processes.shims(paths.containerd_socket)]
        strays = [pid for pid in ours if not mount_namespace.holds(paths, pid)]
        if strays:
            log.warning("ending processes %s and all containers: they are in a lost mount namespace", strays)
            sweep.end_processes(self._config)

    async def _answers(self, pid: int, seconds: float) -> bool:
        with contextlib.suppress(ContainerdError):
            await wait_until_ready(self._config.paths.containerd_socket, pid, seconds)
            return True
        return False

    async def _launch(self) -> None:
        paths = self._config.paths
        config_file.write_config(self._config, config_file.look_at_machine())
        log_file.bound(paths)
        before = log_file.size(paths)
        pid = self._spawn()
        try:
            await wait_until_ready(paths.containerd_socket, pid, _START_SECONDS)
        except ContainerdError as error:
            await asyncio.to_thread(processes.kill_and_wait, [pid])
            raise ContainerdError(f"{error}: {log_file.last_words(paths, before)}") from None
        self._set_running(pid)

    def _spawn(self) -> int:
        """Start containerd inside the namespace; nsenter becomes containerd, so the process id is containerd's."""
        program = shutil.which("containerd")
        if program is None:
            raise ContainerdError("containerd is not installed: apt-get install containerd")
        paths = self._config.paths
        output = log_file.open_for_append(paths)
        try:
            process = subprocess.Popen(
                [*mount_namespace.enter_argv(paths), program, "--config", str(config_file.config_path(paths))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_environment(paths),
                cwd="/",
            )
        finally:
            os.close(output)
        process.returncode = 0  # it is not waited for here: without this, collecting the object would warn
        return process.pid

    def _set_running(self, pid: int) -> None:
        self._pid = pid
        self._started = time.monotonic()
        pid_file = self._config.paths.run / "containerd.pid"
        pid_file.write_text(f"{pid}\n")
        pid_file.chmod(0o600)
        self._report("")

    # ---- while it runs

    async def _keep_running(self) -> None:
        delay = 0.0
        while True:
            if self._pid:
                await ended(self._pid)
                delay = next_delay(delay, time.monotonic() - self._started)
                self._pid = 0
                self._report("containerd has ended; starting it anew")
                log.warning("containerd has ended; starting it anew in %.1f s", delay)
            await asyncio.sleep(delay)
            try:
                await self._launch()
            except (ContainerdError, OSError) as error:
                delay = next_delay(delay, 0.0)
                self._report(str(error))
                log.error("containerd: %s", error)

    async def _bound_log(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS)
            await asyncio.to_thread(log_file.bound, self._config.paths)

    def _report(self, trouble: str) -> None:
        self._trouble = trouble
        if self._on_health is not None:
            self._on_health(not trouble, trouble)


def next_delay(last: float, lived: float) -> float:
    """Seconds to wait before the next start: none after a steady life, else twice the last wait, within bounds."""
    if lived >= _STEADY_SECONDS:
        return 0.0
    return min(max(_BACK_OFF[0], 2 * last), _BACK_OFF[1])


def _environment(paths: Paths) -> dict[str, str]:
    """containerd hands its environment to shims, CNI plug-ins, runtimes and hooks: only what they need."""
    kept = ("PATH", "HOME", "LANG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["PATH"] = f"{environment.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
    # where crun and runc put what they protect their own program with: in /tmp it would outlive one that is killed
    environment["_LIBCONTAINER_STATEDIR"] = str(paths.run / "state")
    return environment
