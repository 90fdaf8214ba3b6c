"""What the controller looks at: caches of Ingresses and all that they name.

Ingresses, classes, Services and EndpointSlices are the shared caches of the instance. Secrets, ConfigMaps, challenges
are read as the controller's own account, and only once there is an Ingress of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from skerry.engine.definitions.acme import CHALLENGES
from skerry.engine.network.ingress.plan import Challenge
from skerry.engine.network.ingress.published import NAME, NAMESPACE
from skerry.engine.network.services import SERVICE_NAME_LABEL
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer, Informers
from skerry.kube.objects import Obj, key_of, labels_of, name_of, namespace_of
from skerry.kube.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    INGRESS_CLASSES,
    INGRESSES,
    SECRETS,
    SERVICES,
)

_BY_SERVICE = "service"
_NOT_NEEDED = ("helm.sh/release.v1", "kubernetes.io/service-account-token")
"""Types of Secrets that no Ingress names, and that may be large."""


class Caches:
    """All of them. `informers`: the shared ones; `client`: the controller's."""

    def __init__(self, informers: Informers, client: Client) -> None:
        self._client = client
        self._ingresses = informers.of(INGRESSES)
        self._classes = informers.of(INGRESS_CLASSES)
        self._services = informers.of(SERVICES)
        self._slices = informers.of(ENDPOINT_SLICES)
        self._slices.add_index(_BY_SERVICE, _service_of)
        self._secrets = Informer(client, SECRETS, transform=_without_large_data)
        self._config_maps = Informer(client, CONFIG_MAPS)
        self._challenges = Informer(client, CHALLENGES)
        self._running: list[asyncio.Task[None]] = []
        self._on_change: Callable[[], None] = lambda: None

    def on_change(self, notify: Callable[[], None]) -> None:
        """Call `notify` at every change of anything."""
        self._on_change = notify
        for informer in (self._ingresses, self._classes, self._services, self._slices):
            informer.add_handler(lambda _: notify())

    async def synced(self) -> None:
        """Return when the shared caches are complete."""
        shared = (self._ingresses, self._classes, self._services, self._slices)
        await asyncio.gather(*(one.synced.wait() for one in shared))

    async def start_materials(self) -> None:
        """Start what only Ingresses of ours need; returns when it is complete."""
        if self._running:
            return
        own = (self._secrets, self._config_maps, self._challenges)
        for informer in own:
            informer.add_handler(lambda _: self._on_change())
            name = f"ingress: {informer.resource.group_resource}"
            self._running.append(asyncio.create_task(informer.run(), name=name))
        await asyncio.gather(*(one.synced.wait() for one in own))

    async def close(self) -> None:
        """Stop what `start_materials` started."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []

    def ingresses(self) -> Sequence[Obj]:
        """All of them, ours or not."""
        return self._ingresses.list()

    def ingress_class(self, name: str) -> Obj | None:
        """An IngressClass."""
        return self._classes.get(name)

    def service(self, namespace: str, name: str) -> Obj | None:
        """A Service."""
        return self._services.get(name, namespace)

    def slices(self, namespace: str, name: str) -> Sequence[Obj]:
        """The EndpointSlices of a Service."""
        return self._slices.by_index(_BY_SERVICE, f"{namespace}/{name}")

    def secret(self, name: str, namespace: str) -> Obj | None:
        """A Secret."""
        return self._secrets.get(name, namespace)

    def config_map(self, name: str, namespace: str) -> Obj | None:
        """A ConfigMap."""
        return self._config_maps.get(name, namespace)

    def addresses(self) -> list[Obj]:
        """Where requests come in: `status.loadBalancer.ingress` of the Service, as an Ingress says it."""
        service = self._services.get(NAME, NAMESPACE) or {}
        given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        return [{name: one[name] for name in ("ip", "hostname") if one.get(name)} for one in given]

    def challenges(self) -> tuple[Challenge, ...]:
        """What ACME servers are to be answered."""
        found = [one for one in self._challenges.list() if _is_answerable(one)]
        return tuple(
            Challenge(key_of(one), one["spec"]["dnsName"].lower(), one["spec"]["token"], one["spec"]["key"])
            for one in sorted(found, key=key_of)
        )

    async def present(self, challenges: Iterable[Challenge]) -> None:
        """Say of each that it is answered by now. Raises StatusError."""
        for one in challenges:
            namespace, _, name = one.key.partition("/")
            known = self._challenges.get(name, namespace)
            if known is None or (known.get("status") or {}).get("presented"):
                continue
            try:
                patch = {"status": {"presented": True}}
                await self._client.patch(CHALLENGES, name, patch, namespace, subresource="status")
            except NotFound:
                continue  # it was taken back meanwhile


def _service_of(piece: Obj) -> Iterable[str]:
    return (f"{namespace_of(piece)}/{labels_of(piece).get(SERVICE_NAME_LABEL, '')}",)


def _without_large_data(secret: Obj) -> Obj:
    if secret.get("type") not in _NOT_NEEDED:
        return secret
    return {key: value for key, value in secret.items() if key not in ("data", "metadata")} | {
        "metadata": {
            "name": name_of(secret),
            "namespace": namespace_of(secret),
            "uid": secret["metadata"]["uid"],
            "resourceVersion": secret["metadata"]["resourceVersion"],
        }
    }


def _is_answerable(challenge: Obj) -> bool:
    spec = challenge.get("spec") or {}
    return spec.get("type", "").upper() in ("HTTP-01", "HTTP01") and all(
        spec.get(n) for n in ("dnsName", "token", "key")
    )
