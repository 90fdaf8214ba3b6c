"""Pressure, decided purely: when there is some, who goes first, which images go, whom a short node lets in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.machine import Pressure
from skerry.engine.node.pressure.images import Seen, remembered, removable
from skerry.engine.node.pressure.measuring import size
from skerry.engine.node.pressure.ranking import PodUsage, excess, message, ranked
from skerry.engine.node.pressure.signals import binary, conditions, shortages
from skerry.engine.node.pressure.watch import TRANSITION, PressureWatch, refusal
from skerry.kube.objects import Obj
from tests.unit.node.views import NOW, container, pod

ENOUGH = Pressure(2**31, 0.5, 30000)
MI = 2**20


def test_thresholds_are_the_kubelets() -> None:
    assert conditions(ENOUGH) == frozenset()
    assert conditions(Pressure(100 * MI - 1, 0.149, 999)) == {"MemoryPressure", "DiskPressure", "PIDPressure"}
    assert conditions(Pressure(100 * MI, 0.15, 1000)) == frozenset()
    (short,) = shortages(Pressure(2**31, 0.5, 30000, inodes_free_part=0.01, inodes_total=1000))
    assert short.message == "The node was low on resource: inodes. Threshold quantity: 50, available: 10. "
    assert [binary(amount) for amount in (0, 1023, 1536, 100 * MI)] == ["0", "1023", "1536", "100Mi"]


@dataclass
class Steps:
    at: datetime = NOW

    def steady(self) -> datetime:
        return self.at


def test_a_condition_lingers_for_the_transition_period() -> None:
    readings, clock = [Pressure(1, 0.5, 30000), ENOUGH], Steps()
    watch = PressureWatch(lambda: readings.pop(0), clock)
    watch.look()
    clock.at += timedelta(minutes=1)
    watch.look()
    assert watch.held == {"MemoryPressure"}
    clock.at = NOW + TRANSITION
    assert watch.held == frozenset()


def named(name: str, memory: str = "", priority: int = 0) -> Obj:
    resources = {"requests": {"memory": memory}} if memory else {}
    made = pod(container(resources=resources), priority=priority)
    return {**made, "metadata": {**made["metadata"], "name": name}}


def test_those_above_their_requests_go_first_then_low_priority_then_the_largest() -> None:
    usages = [
        PodUsage(named("within", "100Mi"), {"main": 90 * MI}),
        PodUsage(named("important", priority=10), {"main": 500 * MI}),
        PodUsage(named("small"), {"main": 10 * MI}),
        PodUsage(named("large", "50Mi"), {"main": 100 * MI}),
        PodUsage(named("system", priority=2_000_000_000), {"main": 900 * MI}),
    ]
    assert [each.pod["metadata"]["name"] for each in ranked(usages, "memory")] == [
        "large", "small", "important", "within",
    ]  # fmt: skip
    (short,) = shortages(Pressure(64 * MI, 0.5, 30000))
    assert message(usages[3], short) == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi. "
        "Container main was using 100Mi, request is 50Mi, has larger consumption of memory. "
    )


def test_limits_of_local_storage() -> None:
    limited = pod(
        container(resources={"limits": {"ephemeral-storage": "10Mi"}}),
        volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}],
    )
    assert excess(PodUsage(limited, disk={"main": 9 * MI}, volumes={"data": MI})) == ""
    assert "EmptyDir volume" in excess(PodUsage(limited, volumes={"data": MI + 1}))
    whole = "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "
    assert excess(PodUsage(limited, disk={"main": 10 * MI}, volumes={"data": MI})) == whole


def test_a_short_node_takes_only_whom_it_must() -> None:
    memory, disk = frozenset({"MemoryPressure"}), frozenset({"DiskPressure"})
    tolerating = pod(tolerations=[{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}])
    assert refusal(pod(), frozenset()) == ""
    assert refusal(pod(), memory) == "The node had condition: [MemoryPressure]. "
    assert refusal(named("asking", "1Mi"), memory) == refusal(tolerating, memory) == ""
    assert refusal(named("asking", "1Mi"), disk) == "The node had condition: [DiskPressure]. "
    assert refusal(named("system", priority=2_000_000_000), disk) == ""


def image(id_: str, *, pulled: bool = True, **more: bool) -> pb.Image:
    digests = [f"registry/{id_}@sha256:1"] if pulled else []
    return pb.Image(id=id_, repo_tags=[f"registry/{id_}:1"], repo_digests=digests, **more)


def test_unused_pulled_images_go_the_longest_unused_first() -> None:
    images = [image("used"), image("fresh"), image("old"), image("older"), image("loaded", pulled=False)]
    images.append(image("kept", pinned=True))
    long_ago, now = NOW - timedelta(days=1), NOW
    seen = {each.id: Seen(long_ago) for each in images}
    seen |= {"fresh": Seen(now - timedelta(minutes=1)), "old": Seen(long_ago, now - timedelta(hours=1))}
    seen = remembered(seen, images, {"used"}, now)
    assert seen["used"].last_used == now
    assert [each.id for each in removable(images, {"used"}, seen, now)] == ["older", "old"]


def test_sizes_count_every_file_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(b"x" * 8192)
    alone = size(tmp_path)
    (tmp_path / "again").hardlink_to(tmp_path / "sub" / "file")
    assert size(tmp_path) == alone >= 8192
    assert size(tmp_path / "none") == 0
