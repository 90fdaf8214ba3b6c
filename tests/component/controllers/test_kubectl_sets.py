"""kubectl's own view of StatefulSets and DaemonSets: rollout status, history, undo, restart, scale, describe, drain."""

from __future__ import annotations

from skerry.kube.objects import Resource, name_of
from skerry.kube.resources import DAEMON_SETS, NODES, PODS, REPLICATION_CONTROLLERS, STATEFUL_SETS
from tests.component.controllers.deployments import set_image
from tests.component.controllers.sets import (
    daemon_set,
    is_everywhere,
    is_settled,
    pod_images,
    replication_controller,
    stateful_set,
)
from tests.support.controllers import World, running_controllers
from tests.support.waiting import WITHIN


async def numbers(world: World, what: str) -> list[str]:
    history = await world.kubectl("rollout", "history", what)
    return [line.split()[0] for line in history.splitlines()[2:] if line]


async def roll_through(world: World, resource: Resource, what: str) -> None:
    """Status, history, undo and restart, the same for both."""
    name = what.partition("/")[2]
    await world.kubectl("rollout", "status", what)
    await world.client.patch(resource, name, set_image("app:2"), "default", kind="strategic")
    await world.kubectl("rollout", "status", what)
    assert set(pod_images(world).values()) == {"app:2"}
    assert await numbers(world, what) == ["1", "2"]
    assert "app:1" in await world.kubectl("rollout", "history", what, "--revision=1")
    assert "rolled back" in await world.kubectl("rollout", "undo", what)
    await world.kubectl("rollout", "status", what)
    assert set(pod_images(world).values()) == {"app:1"}
    assert await numbers(world, what) == ["2", "3"]
    assert "skipped rollback" in await world.kubectl("rollout", "undo", what, "--to-revision=3")
    before = {pod["metadata"]["uid"] for pod in world.list(PODS)}
    await world.kubectl("rollout", "restart", what)
    await world.kubectl("rollout", "status", what)
    assert not before & {pod["metadata"]["uid"] for pod in world.list(PODS)}


async def test_stateful_sets() -> None:
    async with running_controllers() as world:
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=2), "default")
        await roll_through(world, STATEFUL_SETS, "statefulset/web")
        await world.kubectl("scale", "statefulset/web", "--replicas=3")
        await world.until(lambda: is_settled(world, 3))
        await world.until(lambda: len(world.events("SuccessfulCreate")) >= 3)
        described = await world.kubectl("describe", "statefulset/web")
        assert "3 desired | 3 total" in described
        assert "create Pod web-2 in StatefulSet web successful" in described
        assert "web    3/3" in await world.kubectl("get", "statefulset")
        patch = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}'
        await world.kubectl("patch", "statefulset/web", "-p", patch)
        await world.kubectl("set", "image", "statefulset/web", "app=app:9")
        status = await world.kubectl("rollout", "status", "statefulset/web")
        assert "partitioned roll out complete: 1 new pods have been updated" in status


async def test_daemon_sets() -> None:
    async with running_controllers() as world:
        await world.client.create(DAEMON_SETS, daemon_set(), "default")
        await roll_through(world, DAEMON_SETS, "daemonset/agent")
        described = await world.kubectl("describe", "daemonset/agent")
        assert "Desired Number of Nodes Scheduled: 1" in described
        assert "Created pod: agent-" in described
        owned = await world.kubectl("get", "controllerrevisions")
        assert "daemonset.apps/agent" in owned


async def test_drain_leaves_daemons_and_moves_the_rest() -> None:
    async with running_controllers() as world:
        await world.client.create(DAEMON_SETS, daemon_set(), "default")
        await world.until(lambda: is_everywhere(world, 1))
        (daemon,) = world.list(PODS)
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=1), "default")
        await world.until(lambda: len(world.list(PODS)) == 2)
        said = await world.kubectl("drain", "node", "--ignore-daemonsets", "--disable-eviction", WITHIN)
        assert "ignoring DaemonSet-managed Pods" in said
        await world.client.delete(STATEFUL_SETS, "web", "default")
        await world.until(lambda: len(world.list(PODS)) == 1)
        assert world.get(NODES, "node")["spec"]["unschedulable"]
        assert [name_of(pod) for pod in world.list(PODS)] == [name_of(daemon)]


async def test_replication_controllers() -> None:
    async with running_controllers() as world:
        created = replication_controller()
        await world.client.create(REPLICATION_CONTROLLERS, created, "default")
        await world.kubectl("scale", "rc/rc", "--replicas=2", WITHIN)
        await world.until(lambda: len(pod_images(world)) == 2)
        assert "rc     2         2" in await world.kubectl("get", "rc")
