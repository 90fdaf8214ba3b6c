"""PodMetrics and NodeMetrics, measured when asked for and at no other time.

A rate needs two samples. The one of the last question serves when it is recent and knows every container; otherwise two
are taken a short window apart. Source: k8s.io/metrics `v1beta1`, metrics-server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from skerry.engine.node.access.containers import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID
from skerry.engine.node.access.usage import Reading, Sample, UsageReader, cpu_rate
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj

_WINDOW = 0.5  # seconds between two samples taken for one question
_YOUNGEST, _OLDEST = 1.0, 60.0  # seconds of age at which the last question's sample serves
_API_VERSION = "metrics.k8s.io/v1beta1"
_OWN_LABELS = frozenset((POD_NAME, POD_NAMESPACE, POD_UID, CONTAINER_NAME))


class Sampler:
    """Pairs of samples. Questions at the same time share one."""

    def __init__(self, reader: UsageReader) -> None:
        self._reader = reader
        self._last: Sample | None = None
        self._pair: tuple[Sample, Sample] | None = None
        self._lock = asyncio.Lock()

    async def pair(self, containers: Collection[str]) -> tuple[Sample, Sample]:
        """An earlier and a present sample, both with all of `containers` that still run."""
        async with self._lock:
            now = await self._sample(containers)
            if self._pair is not None and serves(self._pair[1], containers, now.at, 0.0, _YOUNGEST):
                return self._pair  # asked twice within a second: the same answer
            earlier = self._last
            if earlier is None or not serves(earlier, containers, now.at, _YOUNGEST, _OLDEST):
                earlier = now
                await asyncio.sleep(_WINDOW)
                now = await self._sample(containers)
            self._last, self._pair = now, (earlier, now)
            return self._pair

    async def _sample(self, containers: Collection[str]) -> Sample:
        return await asyncio.to_thread(self._reader.sample, containers)


def serves(sample: Sample, containers: Collection[str], now: float, youngest: float, oldest: float) -> bool:
    """Whether an earlier sample can be compared with: of the right age (seconds), and it knows all containers."""
    return youngest <= now - sample.at < oldest and all(one in sample.containers for one in containers)


def pod_metrics(
    sandboxes: Sequence[pb.PodSandbox], containers: Sequence[pb.Container], pair: tuple[Sample, Sample], now: datetime
) -> list[Obj]:
    """One PodMetrics per pod that has a measured container."""
    before, after = pair
    by_sandbox: dict[str, list[Obj]] = {}
    for container in containers:
        if container.id in before.containers and container.id in after.containers:
            usage = _usage(before.containers[container.id], after.containers[container.id], after.at - before.at)
            entry = {"name": container.labels[CONTAINER_NAME], "usage": usage}
            by_sandbox.setdefault(container.pod_sandbox_id, []).append(entry)
    metrics = []
    for sandbox in sandboxes:
        measured = by_sandbox.get(sandbox.id)
        if measured:
            ordered = sorted(measured, key=lambda entry: str(entry["name"]))
            metrics.append(
                {**_head("PodMetrics", pair, now), "metadata": _metadata(sandbox, now), "containers": ordered}
            )
    return metrics


def node_metrics(name: str, labels: dict[str, str], pair: tuple[Sample, Sample], now: datetime) -> Obj:
    """The machine's NodeMetrics."""
    before, after = pair
    usage = _usage(before.node, after.node, after.at - before.at)
    metadata: Obj = {"name": name, "creationTimestamp": rfc3339(now), **({"labels": labels} if labels else {})}
    return {**_head("NodeMetrics", pair, now), "metadata": metadata, "usage": usage}


def _head(kind: str, pair: tuple[Sample, Sample], now: datetime) -> Obj:
    window = f"{pair[1].at - pair[0].at:.3f}s"
    return {"kind": kind, "apiVersion": _API_VERSION, "metadata": {}, "timestamp": rfc3339(now), "window": window}


def _metadata(sandbox: pb.PodSandbox, now: datetime) -> Obj:
    labels = {key: value for key, value in sandbox.labels.items() if key not in _OWN_LABELS}
    metadata: Obj = {
        "name": sandbox.metadata.name,
        "namespace": sandbox.metadata.namespace,
        "creationTimestamp": rfc3339(now),
    }
    return {**metadata, "labels": labels} if labels else metadata


def _usage(before: Reading, after: Reading, seconds: float) -> dict[str, str]:
    return {"cpu": f"{cpu_rate(before, after, seconds)}n", "memory": f"{after.memory // 1024}Ki"}
