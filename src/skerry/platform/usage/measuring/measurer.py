"""Asks nodes what pods used, through the API. A node that does not tell costs its pods the measured figures only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import monotonic

import orjson

from skerry.kube.errors import StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, uid_of
from skerry.kube.resources import NODES
from skerry.kube.tasks import together
from skerry.platform.usage.amounts import Who
from skerry.platform.usage.measuring.summary import Seen, counters_of, seen_since
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.types import Counters

_SECONDS_KNOWN = 30.0
"""Projects that are counted at about the same time share an answer."""
_LONGEST_ANSWER = 10.0


class Measurer:
    """Of all projects."""

    def __init__(self, client: HttpClient, pods: Informer, meter: Meter) -> None:
        self._client, self._pods, self._meter = client, pods, meter
        self._told: dict[str, tuple[float, Mapping[str, Counters]]] = {}
        """By node: when it was asked, in monotonic seconds, and what it said."""

    async def look(self, project: str, before: Mapping[str, Counters]) -> Seen:
        """What a project's pods used since `before`."""
        pods = [pod for one in self._meter.namespaces(project) for pod in self._pods.list(one)]
        running = [pod for pod in pods if _runs(pod)]
        nodes = sorted({pod["spec"]["nodeName"] for pod in running})
        told = await together(*(self._ask(node) for node in nodes))
        now = {uid: counters for one in told for uid, counters in one.items()}
        seen = seen_since(before, now, self._owners(pods))
        return replace(seen, runs=bool(running), is_whole=all(uid_of(pod) in now for pod in running))

    def _owners(self, pods: Iterable[Obj]) -> Mapping[str, Who]:
        found = ((uid_of(pod), self._meter.holder(pod["metadata"]["namespace"], uid_of(pod))) for pod in pods)
        return {uid: who for uid, who in found if who is not None}

    async def _ask(self, node: str) -> Mapping[str, Counters]:
        at, known = self._told.get(node, (0.0, {}))
        if at and monotonic() - at < _SECONDS_KNOWN:
            return known
        self._told[node] = (monotonic(), await self._counters(node))
        return self._told[node][1]

    async def _counters(self, node: str) -> Mapping[str, Counters]:
        try:
            async with asyncio.timeout(_LONGEST_ANSWER):
                body = await self._client.get_raw(f"{NODES.path(None, node)}/proxy/stats/summary")
            return counters_of(orjson.loads(body))
        except (StatusError, OSError, ValueError, KeyError):
            return {}


def _runs(pod: Obj) -> bool:
    return bool(pod["spec"].get("nodeName")) and (pod.get("status") or {}).get("phase") == "Running"
