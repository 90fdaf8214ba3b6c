"""Usage from cgroup files of both versions, rates, and when an earlier sample may be compared with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from skerry.engine.node.access.metrics import node_metrics, pod_metrics, serves
from skerry.engine.node.access.usage import Reading, Sample, UsageReader, cpu_rate, node_reading
from skerry.engine.node.cri import cri_pb2 as pb

ID = "a" * 64
OTHER = "b" * 64
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _v1(root: Path) -> None:
    for one in (ID, OTHER):
        _write(root / f"cpuacct/skerry-x/burstable/pod1/{one}/cpuacct.usage", "2000000000\n")
        _write(root / f"memory/skerry-x/burstable/pod1/{one}/memory.usage_in_bytes", "1000\n")
        _write(
            root / f"memory/skerry-x/burstable/pod1/{one}/memory.stat",
            "cache 5\ntotal_rss 50\ntotal_inactive_file 300\n",
        )


def _v2(root: Path) -> None:
    _write(root / "cgroup.controllers", "cpu memory")
    for one in (ID, OTHER):
        _write(root / f"skerry-x/pod1/{one}/cpu.stat", "usage_usec 2000000\nuser_usec 1\n")
        _write(root / f"skerry-x/pod1/{one}/memory.current", "1000\n")
        _write(root / f"skerry-x/pod1/{one}/memory.stat", "anon 50\ninactive_file 300\n")


@pytest.mark.parametrize("layout", [_v1, _v2])
def test_both_cgroup_versions(tmp_path: Path, layout: object) -> None:
    assert callable(layout)
    layout(tmp_path)
    sample = UsageReader("/skerry-x", tmp_path).sample([ID, "c" * 64])
    assert dict(sample.containers) == {ID: Reading(2_000_000_000, 700, used=1000, rss=50)}


def test_no_cgroups_no_readings(tmp_path: Path) -> None:
    assert dict(UsageReader("/skerry-x", tmp_path).sample([ID]).containers) == {}


def test_node_reading(tmp_path: Path) -> None:
    _write(tmp_path / "stat", "cpu  100 0 50 1000 30 0 0 0 0 0\ncpu0 1 1 1 1\n")
    _write(tmp_path / "meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\nAnonPages: 7 kB\n")
    assert node_reading(tmp_path) == Reading(150 * 10_000_000, 600 * 1024, used=999 * 1024, rss=7 * 1024)


def test_rate_is_in_nanocores_and_never_negative() -> None:
    assert cpu_rate(Reading(0, 0), Reading(500_000_000, 0), 0.5) == 1_000_000_000
    assert cpu_rate(Reading(5, 0), Reading(0, 0), 1) == 0
    assert cpu_rate(Reading(0, 0), Reading(5, 0), 0) == 0


def test_what_an_earlier_sample_is_good_for() -> None:
    sample = Sample(100.0, Reading(0, 0), {ID: Reading(0, 0)})
    assert serves(sample, [ID], 105.0, 1.0, 60.0)
    assert not serves(sample, [ID, OTHER], 105.0, 1.0, 60.0)
    assert not serves(sample, [ID], 100.5, 1.0, 60.0)
    assert not serves(sample, [ID], 161.0, 1.0, 60.0)


def test_metrics_objects() -> None:
    before = Sample(10.0, Reading(0, 0), {ID: Reading(0, 1)})
    after = Sample(12.0, Reading(4_000_000_000, 2048), {ID: Reading(500_000_000, 4096), OTHER: Reading(0, 0)})
    labels = {"app": "web", "io.kubernetes.pod.uid": "u"}
    sandbox = pb.PodSandbox(id="s", metadata=pb.PodSandboxMetadata(name="p", namespace="n"), labels=labels)
    named = {"io.kubernetes.container.name": "main"}
    containers = [pb.Container(id=one, pod_sandbox_id="s", labels=named) for one in (ID, OTHER)]
    (metric,) = pod_metrics([sandbox, pb.PodSandbox(id="t")], containers, (before, after), NOW)
    assert metric == {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {
            "name": "p",
            "namespace": "n",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"app": "web"},
        },
        "timestamp": "2026-01-02T03:04:05Z",
        "window": "2.000s",
        "containers": [{"name": "main", "usage": {"cpu": "250000000n", "memory": "4Ki"}}],
    }
    assert node_metrics("n", {}, (before, after), NOW)["usage"] == {"cpu": "2000000000n", "memory": "2Ki"}
