"""Jobs as tests write them, and what they ask about them."""

from __future__ import annotations

from typing import Any

from skerry.engine.controllers.job.facts import COMPLETION_INDEX, is_tracked
from skerry.kube.objects import Obj, annotations_of
from skerry.kube.resources import JOBS, PODS
from tests.support.controllers import World


def job(name: str = "work", *, restart: str = "Never", **spec: Any) -> Obj:
    """A Job of one container."""
    template = {"spec": {"containers": [{"name": "app", "image": "app:1"}], "restartPolicy": restart}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"template": template, **spec}}


async def create(world: World, **fields: Any) -> Obj:
    """Create a Job; returns it."""
    return await world.client.create(JOBS, job(**fields), "default")


def status(world: World, name: str = "work") -> Obj:
    """The Job's status, {} when it is not there."""
    found: Obj = (world.get(JOBS, name) or {}).get("status") or {}
    return found


def conditions(world: World, name: str = "work") -> dict[str, str]:
    """The reasons of the conditions that hold, by type."""
    return {one["type"]: one.get("reason", "") for one in status(world, name).get("conditions") or () if
            one["status"] == "True"}  # fmt: skip


async def ended(world: World, type_: str, name: str = "work") -> Obj:
    """Wait for Complete or Failed; returns the status."""
    await world.until(lambda: type_ in conditions(world, name))
    return status(world, name)


def indexes(world: World) -> list[int]:
    """Completion indexes of all pods, in order."""
    return sorted(int(annotations_of(pod)[COMPLETION_INDEX]) for pod in world.list(PODS))


def tracked(world: World) -> int:
    """How many pods still have the tracking finalizer."""
    return sum(is_tracked(pod) for pod in world.list(PODS))
