"""The built-in authority: Secret `kube-system/skerry-ca`, ClusterIssuer `skerry-ca`, and its certificate for everybody
in ConfigMap `kube-public/skerry-ca`. It is another one than that of the API's own certificates.

Renewed at two thirds of its life with the same key and name, so that what trusts the old certificate goes on to trust
what is issued. The ClusterIssuer comes back when it is deleted, as long as the definition is ours.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from skerry.engine.certificates.built_in import NAME, NAMESPACE, new_secret, renewal_of, renewed
from skerry.engine.controllers.certmanager.certificates.schedule import sleep
from skerry.engine.controllers.certmanager.room import Room, text_of
from skerry.engine.definitions.certmanager import CLUSTER_ISSUERS
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, key_of, name_of
from skerry.kube.resources import CONFIG_MAPS, SECRETS

PUBLIC_NAMESPACE = "kube-public"
_KEY = f"{NAMESPACE}/{NAME}"


class Authority(Controller):
    """One key: that of the Secret."""

    name = "certificate authority"
    workers = 1

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self.watch(room.metadata_of(SECRETS), lambda secret: [_KEY] if key_of(secret) == _KEY else [])
        self.watch(room.of(CLUSTER_ISSUERS), lambda issuer: [_KEY] if name_of(issuer) == NAME else [])
        self.watch(room.definitions, lambda one: [_KEY] if name_of(one) == CLUSTER_ISSUERS.group_resource else [])
        self.queue.add(_KEY)

    async def reconcile(self, key: str) -> float | None:
        """Make, or renew, what is missing."""
        now = self._room.clock.now()
        secret = await self._room.secret(NAMESPACE, NAME) or await self._make(now)
        renewal = renewal_of(secret, now)
        if renewal is not None and now >= renewal:
            secret = await self._room.client.update(SECRETS, renewed(secret, now))
            renewal = renewal_of(secret, now)
        await self._publish(text_of(secret, "tls.crt"))
        await self._make_issuer()
        return sleep(now, renewal)

    async def _make(self, now: datetime) -> Obj:
        try:
            return await self._room.client.create(SECRETS, new_secret(self._room.instance, now), NAMESPACE)
        except AlreadyExists:  # Ingress needed it sooner
            return await self._room.client.get(SECRETS, NAME, NAMESPACE)

    async def _publish(self, certificate: str) -> None:
        wanted = {"ca.crt": certificate}
        try:
            current = await self._room.client.get(CONFIG_MAPS, NAME, PUBLIC_NAMESPACE)
        except NotFound:
            metadata = {"name": NAME, "namespace": PUBLIC_NAMESPACE}
            await self._room.client.create(CONFIG_MAPS, {"metadata": metadata, "data": wanted}, PUBLIC_NAMESPACE)
            return
        if current.get("data") != wanted:
            await self._room.client.update(CONFIG_MAPS, {**current, "data": wanted})

    async def _make_issuer(self) -> None:
        issuer = {"metadata": {"name": NAME}, "spec": {"ca": {"secretName": NAME}}}
        if self._room.acts_on(CLUSTER_ISSUERS) and self._room.of(CLUSTER_ISSUERS).get(NAME) is None:
            with contextlib.suppress(AlreadyExists):
                await self._room.client.create(CLUSTER_ISSUERS, issuer)
