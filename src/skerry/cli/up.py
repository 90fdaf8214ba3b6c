"""`skerry up`: check the machine, make or load the instance, start the engine, wait until it is ready.

The one command that imports the engine: for what the machine must have, and for the identity of the instance.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from skerry.cli.api import Api, node_is_ready
from skerry.cli.down import stop_all
from skerry.cli.engine_process import last_lines, size_of, start_detached
from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.cli.first_operator import first_operator_link
from skerry.cli.instance_files import InstanceFiles, find_instance
from skerry.cli.options import (
    audit_policy_option,
    authentication_config_option,
    data_dir_option,
    engine_options,
    platform_option,
    streams_option,
)
from skerry.cli.platform_process import announced, answers, beside, keep_port
from skerry.cli.printing import step
from skerry.engine.config import EngineConfig
from skerry.engine.instance import InstanceError, open_instance, port_is_free
from skerry.engine.network.features import missing, required_features

_LOOK_EVERY = 0.02  # seconds between looks at the engine's status while it starts
_LOG_LINES = 20
_SECONDS_TO_END = 15.0


@click.command()
@data_dir_option
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The API's port; 0 picks a free one. [6443]")
@click.option(
    "--ip-families",
    type=click.Choice(["IPv4", "IPv4,IPv6"]),
    default=None,
    help="IP families of pods and Services, chosen when the instance is made. [IPv4]",
)
@authentication_config_option
@audit_policy_option
@platform_option
@streams_option
@click.option("--detach", is_flag=True, help="Return when it is ready instead of staying attached.")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait until it is ready.")
def command(
    data_dir: Path,
    port: int | None,
    ip_families: str | None,
    authentication_config: Path | None,
    audit_policy: Path | None,
    platform: bool,
    streams_per_person: int | None,
    detach: bool,
    timeout: float,
) -> None:
    """Start Skerry on this machine.

    Checks first what is needed and starts nothing if something is missing. Without --detach it stays attached, and
    Ctrl-C stops everything as `skerry down` does. What ran before the last `skerry down` comes back.

    \b
    Examples:
      skerry up --detach
      skerry up --data-dir /srv/second --port 0
      skerry up --detach --ip-families IPv4,IPv6
    """
    begun = time.monotonic()
    _check_machine()
    step("machine checked", time.monotonic() - begun)
    families = tuple(ip_families.split(",")) if ip_families else None
    config = replace(
        _open(data_dir, port, families), authentication_config=authentication_config, audit_policy=audit_policy
    )
    if platform:
        keep_port(config.paths.data)
        config = replace(config, beside=beside(config.paths.data, config.paths.platform_kubeconfig, streams_per_person))
    start = Start(config, InstanceFiles(config.paths.data, config.instance), time.monotonic() + timeout)
    with _alone(config.paths.data):
        if start.files.engine_pid() is not None:
            click.echo(f"already running: {_summary(start)}")
            return
        process = _start(start)
    if not detach:
        _stay(start, process)


@dataclass
class Start:
    """One start of the engine, as it goes."""

    config: EngineConfig
    files: InstanceFiles
    deadline: float
    begun: float = field(default_factory=time.monotonic)
    shown: int = 0
    log_begins: int = 0
    """Where in the engine's log this start begins, in bytes."""

    def show_steps(self, status: dict[str, Any]) -> None:
        """Print the steps not yet printed."""
        steps = status.get("steps") or []
        for one in steps[self.shown :]:
            step(str(one["name"]), float(one["seconds"]))
        self.shown = len(steps)


def _check_machine() -> None:
    """Raises MachineLacks with one line per thing that is missing."""
    lacking = missing(required_features())
    if lacking:
        raise MachineLacks("\nskerry: ".join(feature.line for feature in lacking))


def _open(data_dir: Path, port: int | None, families: tuple[str, ...] | None) -> EngineConfig:
    try:
        known = find_instance(data_dir)
        running = known is not None and known.engine_pid() is not None
        config = open_instance(data_dir, None if running else port, families=families)
    except InstanceError as error:
        raise MachineLacks(str(error)) from None
    if running and port and port != config.port:
        raise CommandFailed(f"already running on port {config.port}: `skerry down` first to change it to {port}")
    if not running and not port_is_free(config.port, dual=bool(config.bind6)):
        raise MachineLacks(f"port {config.port} is in use by another program: choose one with --port (0 picks one)")
    return config


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One start at a time: a second one that fails would take back the first one's. Raises CommandFailed."""
    descriptor = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CommandFailed(f"another `skerry up` is starting the instance in {data_dir}") from None
    finally:
        os.close(descriptor)


def _start(start: Start) -> subprocess.Popen[bytes]:
    """Start the engine and wait; a failed start is taken back before the error is shown, and no more than it began:
    pods that outlived an engine before it go on."""
    paths = start.config.paths
    paths.logs.mkdir(mode=0o700, exist_ok=True)
    paths.status_file.unlink(missing_ok=True)
    start.log_begins = size_of(paths.engine_log)
    outlived = start.files.containerd_answers()
    process = start_detached(paths.data, paths.engine_log, *_engine_options(start.config))
    take_back = partial(_end, process) if outlived else partial(stop_all, start.files)
    with _otherwise(take_back), _Interrupts():
        _wait_until_ready(start, process)
        url = _wait_for_platform(start) if start.config.beside else ""
    click.echo(f"ready in {time.monotonic() - start.begun:.2f} s: {_summary(start)}")
    if url:
        _show_platform(start, url)
    return process


def _show_platform(start: Start, url: str) -> None:
    click.echo(f"  portal: {url}/ (command line: skerry login)")
    link = first_operator_link(start.files.kubeconfig, url)
    if link is not None:
        click.echo(f"  first operator, once: {link}")


def _engine_options(config: EngineConfig) -> list[str]:
    return engine_options(config.authentication_config, config.audit_policy, config.beside)


def _stay(start: Start, process: subprocess.Popen[bytes]) -> None:
    """Stay attached until the engine ends or somebody interrupts us."""
    with _otherwise(partial(stop_all, start.files)), _Interrupts():
        click.echo("Ctrl-C stops everything")
        if (code := process.wait()) != 0:
            raise CommandFailed(_why_it_ended(start, f"the engine ended with code {code}"))


@contextlib.contextmanager
def _otherwise(take_back: Callable[[], None]) -> Iterator[None]:
    """When it fails or is interrupted inside, take back what was started."""
    try:
        yield
    except (KeyboardInterrupt, CommandFailed):
        click.echo("stopping", err=True)
        take_back()
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the engine, not what it runs."""
    click.echo("the pods that were running go on: `skerry down` stops them", err=True)
    process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(start: Start, process: subprocess.Popen[bytes]) -> None:
    while time.monotonic() < start.deadline:
        if process.poll() is not None:
            raise CommandFailed(_why_it_ended(start, f"the engine ended with code {process.returncode}"))
        status = start.files.status()
        start.show_steps(status)
        if status.get("ready") and _answers(start):
            return
        time.sleep(_LOOK_EVERY)
    raise CommandFailed(_why_it_ended(start, "the engine did not become ready in time"))


def _wait_for_platform(start: Start) -> str:
    """Where it is."""
    begun = time.monotonic()
    with Api(start.files.kubeconfig) as api:
        while time.monotonic() < start.deadline:
            where = announced(api)
            if where is not None and answers(where):
                step("platform", time.monotonic() - begun)
                return where.url
            time.sleep(_LOOK_EVERY)
    raise CommandFailed("the platform did not become ready in time: see `skerry logs --platform`")


def _answers(start: Start) -> bool:
    """Whether the API says it is ready and so does the node."""
    try:
        with Api(start.files.kubeconfig) as api:
            code, _ = api.get("/readyz")
            return code == 200 and node_is_ready(api.get_object(f"/api/v1/nodes/{start.config.node_name}"))
    except OSError:
        return False


def _why_it_ended(start: Start, what: str) -> str:
    """One line of reason, and what the engine logged last in this start."""
    failed = start.files.status().get("failed")
    reason = f"{what}: {failed['step']}: {failed['message']}" if failed else what
    return "\n".join([reason, *last_lines(start.config.paths.engine_log, _LOG_LINES, start.log_begins)])


def _summary(start: Start) -> str:
    return f"https://127.0.0.1:{start.config.port}\n  export KUBECONFIG={start.files.kubeconfig}"


class _Interrupts:
    """While it is entered, SIGTERM and SIGHUP interrupt as Ctrl-C does."""

    _SIGNALS = (signal.SIGTERM, signal.SIGHUP)

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._interrupt) for number in self._SIGNALS}

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @staticmethod
    def _interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt
