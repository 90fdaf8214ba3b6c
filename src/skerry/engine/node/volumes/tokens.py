"""Service-account tokens that volumes show: asked for as the node, kept while the pod is here, renewed in time.

Source of the behaviour: Kubernetes' `pkg/kubelet/token/token_manager.go`. Nothing polls: whoever refreshes a pod's
volumes asks `renewal` when that must be. Invariants: tokens are in memory and in memory-backed files only; one that
cannot be renewed is shown until it can.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from skerry.engine.node.errors import VolumeError
from skerry.kube.client import Client
from skerry.kube.clock import Clock, parse_time
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, key_of, name_of, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import SERVICE_ACCOUNTS

log = logging.getLogger(__name__)

_OLDEST = timedelta(hours=24)
_LEFT = 0.2
"""Of its life: a token is renewed before that is all there is left."""
_SPREAD = 10.0
"""Seconds by which renewals differ, so that pods of one start do not come all at once."""
_RETRY = timedelta(seconds=30)
_DEFAULT_SECONDS = 3600


@record
class WantedToken:
    """What a volume's source asks for. `audience` "": the API's own. `seconds`: its life."""

    audience: str
    seconds: int


Tokens = Mapping[WantedToken, str]


@record
class _Held:
    """`issued`, `renew`: by the wall clock, as the API judges tokens."""

    token: str
    issued: datetime
    renew: datetime

    def due(self, now: datetime) -> datetime:
        """When it must be renewed: at once when the clock was set back, since it is not valid yet."""
        return now if now < self.issued else self.renew


def wanted_tokens(pod: Obj) -> Iterator[WantedToken]:
    """What a pod's volumes ask for."""
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken") is not None:
                yield wanted_token(source["serviceAccountToken"])


def wanted_token(source: Obj) -> WantedToken:
    """What a `serviceAccountToken` source asks for."""
    return WantedToken(source.get("audience") or "", source.get("expirationSeconds") or _DEFAULT_SECONDS)


def renewal_of(seconds: float, expires: datetime, spread: float) -> datetime:
    """When a token is to be renewed. `seconds`: its whole life; `spread`: seconds sooner than necessary."""
    issued = expires - timedelta(seconds=seconds)
    due = min(expires - timedelta(seconds=seconds * _LEFT), issued + _OLDEST)
    return due - timedelta(seconds=spread)


class PodTokens:
    """The tokens of all pods of the node."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._held: dict[str, dict[WantedToken, _Held]] = {}

    async def of(self, pod: Obj) -> Tokens:
        """A good token for everything the pod's volumes ask for. Raises VolumeError."""
        wanted = set(wanted_tokens(pod))
        if not wanted:
            return {}
        held, now = self._held.setdefault(uid_of(pod), {}), self._clock.now()
        for one in wanted:
            kept = held.get(one)
            if kept is None or kept.due(now) <= now:
                held[one] = await self._renewed(pod, one, kept)
        return {one: held[one].token for one in wanted}

    def renewal(self, uid: str) -> datetime | None:
        """When the pod's volumes must be refreshed for the sake of its tokens; None when there are none."""
        now = self._clock.now()
        return min((one.due(now) for one in self._held.get(uid, {}).values()), default=None)

    def forget(self, uid: str) -> None:
        """The pod is over."""
        self._held.pop(uid, None)

    async def _renewed(self, pod: Obj, wanted: WantedToken, kept: _Held | None) -> _Held:
        try:
            return await self._request(pod, wanted)
        except (StatusError, OSError) as error:
            if kept is None:
                raise VolumeError(f"failed to fetch token: {error}") from error
            log.warning("pod %s: token not renewed, trying again: %s", key_of(pod), error)
            now = self._clock.now()
            return _Held(kept.token, min(kept.issued, now), now + _RETRY)

    async def _request(self, pod: Obj, wanted: WantedToken) -> _Held:
        bound = {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": uid_of(pod)}
        spec: Obj = {"expirationSeconds": wanted.seconds, "boundObjectRef": bound}
        if wanted.audience:
            spec["audiences"] = [wanted.audience]
        asked = {"metadata": {"name": pod["spec"].get("serviceAccountName") or "default"}, "spec": spec}
        answer = await self._client.create(SERVICE_ACCOUNTS, asked, namespace_of(pod), "token")
        expires = parse_time(answer["status"]["expirationTimestamp"])
        seconds = answer["spec"].get("expirationSeconds") or wanted.seconds
        spread = random.uniform(0, _SPREAD)  # noqa: S311  # spread, not secrecy
        issued = expires - timedelta(seconds=seconds)
        return _Held(answer["status"]["token"], issued, renewal_of(seconds, expires, spread))
