"""The built-in authority: Secret `kube-system/skerry-ca`, ClusterIssuer `skerry-ca`, and its certificate for everybody
in ConfigMap `kube-public/skerry-ca`. It is another one than that of the API's own certificates.

Renewed at two thirds of its life with the same key and name, so that what trusts the old certificate goes on to trust
what is issued. Its end is noted at the Secret: a start with a good one imports nothing. The ClusterIssuer comes back
when it is deleted, as long as the definition is ours.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

from skerry.engine.certificates.wanted import Wanted
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.schedule import sleep
from skerry.engine.controllers.certmanager.room import Room, encoded, text_of
from skerry.engine.definitions.certmanager import CLUSTER_ISSUERS
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, annotations_of, key_of, name_of
from skerry.kube.resources import CONFIG_MAPS, SECRETS

NAMESPACE, PUBLIC_NAMESPACE, NAME = names.CLUSTER_NAMESPACE, "kube-public", names.BUILT_IN
_KEY = f"{NAMESPACE}/{NAME}"
_DAYS = 3650
_ENDS = "skerry.dev/not-after"


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
        secret = await self._room.secret(NAMESPACE, NAME)
        now = self._room.clock.now()
        if secret is None:
            secret = await self._room.client.create(SECRETS, self._made(now), NAMESPACE)
        elif not annotations_of(secret).get(_ENDS):
            await self._publish(text_of(secret, "tls.crt"))  # somebody brought their own, and keeps it
            await self._make_issuer()
            return None
        elif now >= renewal_of(secret) or _is_of_later_times(secret, now):
            secret = await self._room.client.update(SECRETS, self._renewed(secret, now))
        await self._publish(text_of(secret, "tls.crt"))
        await self._make_issuer()
        return sleep(now, renewal_of(secret))

    def _made(self, now: datetime) -> Obj:
        from skerry.engine.certificates.making import issue_authority

        pair = issue_authority(self._wanted(), now)
        metadata = {"name": NAME, "namespace": NAMESPACE, "annotations": {_ENDS: rfc3339(_end(now))}}
        return {"metadata": metadata, "type": "kubernetes.io/tls", "data": _data(pair.certificate, pair.key)}

    def _renewed(self, secret: Obj, now: datetime) -> Obj:
        from skerry.engine.certificates.making import renew_authority

        before = text_of(secret, "tls.crt").encode(), text_of(secret, "tls.key").encode()
        pair = renew_authority(before, _DAYS, now)
        noted = {**annotations_of(secret), _ENDS: rfc3339(_end(now))}
        data = {**(secret.get("data") or {}), **_data(pair.certificate, pair.key)}
        return {**secret, "metadata": {**secret["metadata"], "annotations": noted}, "data": data}

    def _wanted(self) -> Wanted:
        return Wanted(NAME, f"Skerry CA {self._room.instance}", days=_DAYS)

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


def renewal_of(secret: Obj) -> datetime:
    """When it is time for another certificate."""
    return parse_time(annotations_of(secret)[_ENDS]) - timedelta(days=_DAYS) / 3


def _is_of_later_times(secret: Obj, now: datetime) -> bool:
    """Made while the clock was ahead: it is not valid yet."""
    return parse_time(annotations_of(secret)[_ENDS]) > _end(now) + timedelta(days=1)


def _end(now: datetime) -> datetime:
    return now.astimezone(UTC) + timedelta(days=_DAYS)


def _data(certificate: bytes, key: bytes) -> dict[str, str]:
    text = certificate.decode()
    return {"tls.crt": encoded(text), "tls.key": encoded(key.decode()), "ca.crt": encoded(text)}
