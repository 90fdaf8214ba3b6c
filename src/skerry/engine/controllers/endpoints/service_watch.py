"""What both endpoint controllers watch: Services, and pods whose coming and going a Service shows.

Also the pace: a Service's first change is written at once; while it keeps changing it is written at most once per
interval, longer for larger Services, so that a burst of pods costs a few writes and not one per pod.
"""

from __future__ import annotations

from time import monotonic

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.backends import backend_view, services_of
from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.resources import PODS, SERVICES

_SHORTEST = 0.002  # seconds
_PODS_AT_MOST = 100  # the interval grows up to this many


class ServiceWatch(Controller):
    """A controller whose keys are Services. `seconds_per_pod`: how the interval between writes grows."""

    seconds_per_pod = 0.0015

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._not_before: dict[str, float] = {}
        self._services = context.informers.of(SERVICES)
        self._pods = context.informers.of(PODS)
        self.watch(self._services)
        self._pods.add_handler(self._pod_changed)

    def _pod_changed(self, delta: Delta) -> None:
        old, new = delta.old, delta.new
        if old is not None and new is not None and backend_view(old) == backend_view(new):
            return
        for state in (old, new):
            for key in services_of(state, self._services) if state is not None else ():
                self._queue_paced(key)

    def set_pace(self, key: str, pods: int) -> None:
        """The Service was looked at, with so many pods: leave it alone for a moment that grows with them."""
        self._not_before[key] = monotonic() + max(_SHORTEST, min(pods, _PODS_AT_MOST) * self.seconds_per_pod)

    def forget(self, key: str) -> None:
        """The Service is gone."""
        self._not_before.pop(key, None)

    def _queue_paced(self, key: str) -> None:
        wait = self._not_before.get(key, 0.0) - monotonic()
        if wait > 0:
            self.queue.add_after(key, wait)
        else:
            self.queue.add(key)
