"""`cluster`: a test's own Kubernetes, for as long as its `with` lasts, in a thread with an event loop of its own.

So it serves synchronous and asynchronous tests alike. Nothing is left afterwards: thread, port and files go.
Neighbours: `running` is what the thread runs, `rule` what pods do there.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from datetime import datetime

    from skerry.kube.clock import Clock, WallClock

_SECONDS_TO_START = 120.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running test cluster. The kubeconfig is the administrator's (group `system:masters`)."""

    url: str
    """Where the API answers, over TLS: https://127.0.0.1:PORT."""
    kubeconfig: Path
    """For `KUBECONFIG`, `kubectl --kubeconfig`, or a client library."""

    @property
    def config(self) -> dict[str, Any]:
        """The kubeconfig as a dictionary, for libraries that take one; certificates are inline."""
        import yaml

        loaded: dict[str, Any] = yaml.safe_load(self.kubeconfig.read_text())
        return loaded


@contextmanager
def cluster(nodes: int | Sequence[dict[str, Any]] = 1, *, clock: WallClock | None = None) -> Iterator[Cluster]:
    """Start a cluster, stop it at the end.

    Args:
        nodes: how many simulated nodes ("node-1", ...), or Node objects: `metadata.name`, and what else matters to a
            test (labels, `spec.taints`, `status.capacity`). More may be created through the API at any time.
        clock: where the cluster has its time from, to test what depends on it; the machine's by default. Its `now()`
            is the time of day; delays go by `steady()` if it has that, else by `now()` as well.

    Raises:
        RuntimeError: it did not start; the cause is attached.
    """
    from skerry.kube.clock import SystemClock

    thread = _ClusterThread(_node_objects(nodes), _with_steady(clock or SystemClock()))
    with tempfile.TemporaryDirectory(prefix="skerry-testing-") as folder:
        try:
            yield thread.begin(Path(folder))
        finally:
            thread.end()


@dataclass(frozen=True, slots=True)
class _OneTime:
    """A clock whose delays pass when its time of day is moved."""

    given: WallClock

    def now(self) -> datetime:
        return self.given.now()

    def steady(self) -> datetime:
        return self.given.now()


def _with_steady(clock: Clock | WallClock) -> Clock:
    return cast("Clock", clock) if hasattr(clock, "steady") else _OneTime(clock)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Modules and first objects stay; to look through them time and again is a tenth of the start."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _ClusterThread:
    """The thread: starts the cluster, tells when it is ready or why not, waits to be told to stop."""

    def __init__(self, nodes: list[dict[str, Any]], clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock
        self._ready: Future[Cluster] = Future()
        self._stop: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    def begin(self, folder: Path) -> Cluster:
        """Start; returns when the API answers and the nodes are there. Raises RuntimeError."""
        self._thread = threading.Thread(target=self._run, args=(folder,), name="skerry.testing", daemon=True)
        try:
            with _without_collections():
                self._thread.start()
                return self._ready.result(_SECONDS_TO_START)
        except Exception as error:
            raise RuntimeError(f"the test cluster did not start: {error or type(error).__name__}") from error

    def end(self) -> None:
        """Stop and wait for the end. Harmless when it never started."""
        self._stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self, folder: Path) -> None:
        from skerry.kube import event_loop

        try:
            event_loop.run(self._serve(folder))
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self, folder: Path) -> None:
        from skerry.testing.running import RunningCluster

        told, loop = asyncio.Event(), asyncio.get_running_loop()
        async with RunningCluster(folder, self._nodes, self._clock) as running:
            self._stop = lambda: loop.call_soon_threadsafe(told.set)
            self._ready.set_result(Cluster(running.url, running.config.paths.kubeconfig))
            await told.wait()


def _node_objects(nodes: int | Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(nodes, int):
        nodes = [{"metadata": {"name": f"node-{number + 1}"}} for number in range(nodes)]
    return [_with_usual_labels(node) for node in nodes]


def _with_usual_labels(node: dict[str, Any]) -> dict[str, Any]:
    """What every node agent sets."""
    metadata = node["metadata"]
    usual = {"kubernetes.io/hostname": metadata["name"], "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {**node, "metadata": {**metadata, "labels": {**usual, **(metadata.get("labels") or {})}}}
