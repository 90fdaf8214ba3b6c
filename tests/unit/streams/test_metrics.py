"""metrics.k8s.io answers: which items, in which order, and what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from skerry.engine.api.streams.metrics import NODE_METRICS, POD_METRICS, get_metrics, list_metrics
from skerry.kube.errors import BadRequest, NotFound
from skerry.kube.objects import Obj, name_of


class Usage:
    """The part of `PodAccess` that metrics need."""

    async def pod_metrics(self) -> Sequence[Obj]:
        return [_usage("b", "x", app="web"), _usage("a", "y", app="db"), _usage("a", "x", app="web")]

    async def node_metrics(self) -> Sequence[Obj]:
        return [{"metadata": {"name": "here"}}]


def _usage(name: str, namespace: str, **labels: str) -> Obj:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


ACCESS: Any = Usage()


async def test_lists_are_ordered_and_chosen() -> None:
    everything = await list_metrics(ACCESS, POD_METRICS)
    assert everything["kind"] == "PodMetricsList"
    assert [name_of(item) for item in everything["items"]] == ["a", "b", "a"]
    assert [name_of(item) for item in (await list_metrics(ACCESS, POD_METRICS, "x"))["items"]] == ["a", "b"]
    assert [name_of(item) for item in (await list_metrics(ACCESS, POD_METRICS, "", "app=db"))["items"]] == ["a"]
    assert (await list_metrics(ACCESS, NODE_METRICS))["kind"] == "NodeMetricsList"


async def test_one_is_found_in_its_namespace_only() -> None:
    assert name_of(await get_metrics(ACCESS, POD_METRICS, "b", "x")) == "b"
    with pytest.raises(NotFound, match=r'pods\.metrics\.k8s\.io "y/b" not found'):
        await get_metrics(ACCESS, POD_METRICS, "b", "y")
    with pytest.raises(NotFound, match=r'nodes\.metrics\.k8s\.io "there" not found'):
        await get_metrics(ACCESS, NODE_METRICS, "there")


async def test_selectors_that_are_none_are_refused() -> None:
    with pytest.raises(BadRequest):
        await list_metrics(ACCESS, POD_METRICS, "", "a in (")
