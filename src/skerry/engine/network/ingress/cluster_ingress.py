"""Ingress of an instance as a whole: class, caches, controller, Caddy. Made and closed by `program`.

It acts at the API as the service account `kube-system:ingress-controller`. Caddy is not started before there is an
Ingress of ours, and goes on serving when the engine ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from skerry.engine.config import EngineConfig
from skerry.engine.network.ingress.caches import Caches
from skerry.engine.network.ingress.classes import default_class
from skerry.engine.network.ingress.controller import IngressController
from skerry.engine.network.ingress.reports import Reports
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.resources import CONFIG_MAPS, INGRESS_CLASSES

IDENTITY = "ingress-controller"
_NOTE = "skerry-ingress"
"""The ConfigMap in kube-system that says that the class was made once: one that was deleted does not come back."""


class ClusterIngress:
    """`start` follows the caches, `close` leaves Caddy serving."""

    def __init__(self, config: EngineConfig, client: Client, informers: Informers, recorder: Recorder) -> None:
        self._client = client
        self._caches = Caches(informers, client)
        reports = Reports(client, recorder.named(IDENTITY))
        self._controller = IngressController(config, client, self._caches, reports)

    @property
    def trouble(self) -> str:
        """Why requests may not be served as they should; for /readyz."""
        return self._controller.trouble

    def on_version(self, notify: Callable[[str], None]) -> None:
        """Call `notify` with the version of a Caddy that runs from now on."""
        self._controller.on_version = notify

    async def start(self) -> None:
        """Make the class at the first start, and begin. Raises StatusError."""
        await self._make_class()
        self._controller.start()

    async def close(self) -> None:
        """Stop following; Caddy goes on."""
        await self._controller.close()
        await self._caches.close()

    async def end(self) -> None:
        """As `close`, and end Caddy."""
        await self.close()
        await self._controller.caddy.end()

    async def _make_class(self) -> None:
        try:
            await self._client.get(CONFIG_MAPS, _NOTE, "kube-system")
        except NotFound:
            note = {"metadata": {"name": _NOTE, "namespace": "kube-system"}}
            for resource, wanted, namespace in (
                (INGRESS_CLASSES, default_class(), None),
                (CONFIG_MAPS, note, "kube-system"),
            ):
                with contextlib.suppress(AlreadyExists):
                    await self._client.create(resource, wanted, namespace)
