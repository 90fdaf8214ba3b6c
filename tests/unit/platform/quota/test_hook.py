"""What the hook answers, on caches that show what the test says and nothing that was admitted meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from skerry.kube.client import ObjectList
from skerry.kube.errors import NotFound
from skerry.kube.events import Recorder
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import NAMESPACES, PODS, RESOURCE_QUOTAS
from skerry.platform.base.admission import Review, Verdict
from skerry.platform.base.capability import Context, Settings
from skerry.platform.projects.quota.hook import quota_hook
from skerry.platform.projects.quota.refusals import refusals_of
from skerry.platform.projects.quota.table import LONGEST_WRITE
from skerry.platform.projects.types import PROJECTS, TIERS
from tests.support.clock import SetClock


@dataclass
class Api:
    """Gives what it was given, and nothing ever changes for who watches it."""

    objects: dict[Resource, list[Obj]] = field(default_factory=dict)
    unseen: dict[tuple[Resource, str], Obj] = field(default_factory=dict)
    """What a cache does not show yet."""
    written: list[Obj] = field(default_factory=list)

    async def list(self, resource: Resource, *_: Any, **__: Any) -> ObjectList:
        return ObjectList(self.objects.get(resource, []), "1")

    @asynccontextmanager
    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[Any]]:
        await asyncio.Event().wait()
        yield cast(Any, None)

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Obj:
        if (resource, name) not in self.unseen:
            raise NotFound(name)
        return self.unseen[resource, name]

    async def create(self, _: Resource, obj: Obj, *__: Any) -> Obj:
        self.written.append(obj)
        return obj


def _object(name: str, spec: Obj | None = None, status: Obj | None = None, **labels: str) -> Obj:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels}
    return {"metadata": metadata, "spec": spec or {}, "status": status or {}}


@dataclass
class World:
    """A project `lidar` in namespaces `lidar` and, which its cache does not show yet, `lidar-new`."""

    api: Api
    clock: SetClock
    context: Context

    async def ask(self, name: str, namespace: str = "lidar", cpu: str | None = "1", **other: Any) -> Verdict:
        resources = {"requests": {"cpu": cpu}} if cpu else {}
        spec = {"containers": [{"name": "main", "resources": resources}]}
        pod = {"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"}, "spec": spec}
        review = Review(
            uid="1", operation="CREATE", group="", version="v1", plural="pods", subresource="", namespace=namespace,
            name=name, user="anna", groups=frozenset(), object=pod, old={}, dry_run=other.get("dry_run", False),
        )  # fmt: skip
        return await self.hook.judge(review)

    def __post_init__(self) -> None:
        self.hook = quota_hook(self.context)
        self.quotas = self.api.objects[RESOURCE_QUOTAS]


@asynccontextmanager
async def world(status: Obj | None = None) -> AsyncIterator[World]:
    api, clock = Api(), SetClock()
    quota = {"spec": {"quota": {"requests.cpu": "2"}}}
    api.objects = {
        TIERS: [_object("free", quota["spec"])],
        PROJECTS: [_object("lidar", {"owner": "anna"}, status)],
        NAMESPACES: [_object("lidar", **{"skerry.dev/project": "lidar"}), _object("other"),
                     _object("ghost", **{"skerry.dev/project": "gone"})],
    }  # fmt: skip
    api.unseen[NAMESPACES, "lidar-new"] = _object("lidar-new", **{"skerry.dev/project": "lidar"})
    own = _object("skerry", {"hard": {"requests.cpu": "2"}})
    own["metadata"]["namespace"] = "lidar"
    api.objects[RESOURCE_QUOTAS] = [own]
    client = cast(HttpClient, api)
    informers, recorder = Informers(client), Recorder(client, clock, "test")
    made = World(api, clock, Context(client, informers, recorder, clock, Settings()))
    await informers.start()
    try:
        yield made
    finally:
        await informers.close()
        await recorder.close()


async def test_what_is_admitted_counts_before_any_cache_shows_it() -> None:
    async with world() as made:
        assert not (await made.ask("a")).message
        assert not (await made.ask("b", "lidar-new")).message
        answer = await made.ask("c")
        assert (answer.code, answer.reason) == (403, "Forbidden")
        assert "requests.cpu: asked for 1, used 2 of 2, over by 1." in answer.message
        assert "used by namespaces lidar 1, lidar-new 1; most by Pod a 1, Pod b 1. Of requests.cpu, 2" in answer.message
        made.api.unseen[PODS, "a"] = _object("a")
        made.clock.advance(LONGEST_WRITE.total_seconds())
        assert not (await made.ask("c")).message, "b was never stored"
        assert (await made.ask("d")).message, "a is there, whatever the cache shows"


async def test_what_the_namespace_will_refuse_is_not_held() -> None:
    """As for a moment after the project's quota was raised."""
    async with world() as made:
        made.quotas[0]["spec"]["hard"]["requests.cpu"] = "1"
        assert not (await made.ask("a")).message
        for name in ("b", "c", "d"):
            assert (await made.ask(name)).message == (
                "namespace lidar has not enough left by its ResourceQuota skerry: "
                "requests.cpu: asked for 1, used 1 of 1, over by 1"
            )
        made.quotas[0]["spec"]["hard"]["requests.cpu"] = "2"
        assert not (await made.ask("e")).message


async def test_a_dry_run_notes_nothing() -> None:
    async with world() as made:
        assert not (await made.ask("a", dry_run=True)).message
        assert not (await made.ask("b", cpu="2")).message
        assert (await made.ask("c", dry_run=True)).message
        await made.context.recorder.close()
        assert made.api.written == []
        assert (await made.ask("c")).message
        await made.context.recorder.close()
        assert [one["involvedObject"]["kind"] for one in made.api.written] == ["Project"]
        assert refusals_of(made.context).of("lidar", {}, {}) == [], "a person has the answer"


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ("Draining", "is Draining, so no pods start in it: its time or a budget is over. To ask for more: skerry"),
        ("Hibernated", "so no pods start in it: its data is kept. To wake it: skerry projects wake lidar"),
    ],
)
async def test_no_pods_start_in_a_project_at_rest(phase: str, message: str) -> None:
    async with world({"phase": phase}) as made:
        assert message in (await made.ask("a")).message


async def test_who_is_not_in_a_project_is_not_asked_about_and_who_says_nothing_is_refused() -> None:
    async with world() as made:
        assert not (await made.ask("a", "other", cpu="100")).message
        assert not (await made.ask("a", "unknown", cpu="100")).message
        assert "is of project gone, which does not exist" in (await made.ask("a", "ghost")).message
        answer = await made.ask("a", cpu=None)
        assert answer.message == "project lidar has a quota on it, so the pod must specify requests.cpu for: main"
