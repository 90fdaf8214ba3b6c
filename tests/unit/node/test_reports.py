"""What a kubelet would tell about its machine, made of facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from skerry.engine.node.access.reports.facts import ContainerFacts, Disk, NodeFacts, PodFacts, Traffic, Usage
from skerry.engine.node.access.reports.prometheus import container_page, own_page, resource_page
from skerry.engine.node.access.reports.running import running_pods
from skerry.engine.node.access.reports.summary import summary
from skerry.engine.node.access.reports.volumes import local_volumes
from skerry.engine.node.access.volume_reports import VolumeFacts

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
USAGE = Usage(cpu=2_500_000_000, rate=100_000_000, used=3000, working_set=2000, rss=1000)
DISK = Disk(capacity=100, available=40, used=50, inodes=10, inodes_free=6, inodes_used=4)
MAIN = ContainerFacts("c1", "main", 'a"b', AT, USAGE, disk_used=7, inodes_used=2, log_used=3)
POD = PodFacts("web", "x", "u1", AT, [MAIN, MAIN], Traffic("eth0", 11, 1, 22, 2))
NODE = NodeFacts("n", AT, USAGE, memory_available=9000, cores=2, memory=12000, pods=[POD], disk=DISK)


def test_summary_of_the_machine() -> None:
    node = summary(NODE)["node"]
    assert node["nodeName"] == "n"
    time = "2026-01-02T03:04:05Z"
    assert node["cpu"] == {"time": time, "usageNanoCores": 100_000_000, "usageCoreNanoSeconds": 2_500_000_000}
    assert (node["memory"]["workingSetBytes"], node["memory"]["availableBytes"]) == (2000, 9000)
    assert (node["fs"]["capacityBytes"], node["fs"]["inodesUsed"]) == (100, 4)
    assert node["runtime"]["imageFs"] == node["fs"]


def test_summary_of_a_pod_is_the_sum_of_its_containers() -> None:
    (pod,) = summary(NODE)["pods"]
    assert pod["podRef"] == {"name": "web", "namespace": "x", "uid": "u1"}
    assert pod["memory"]["workingSetBytes"] == 4000
    assert pod["cpu"]["usageNanoCores"] == 200_000_000
    assert (pod["network"]["name"], pod["network"]["rxBytes"], pod["network"]["txErrors"]) == ("eth0", 11, 2)
    assert (pod["ephemeral-storage"]["usedBytes"], pod["ephemeral-storage"]["inodesUsed"]) == (20, 4)
    container = pod["containers"][0]
    assert (container["name"], container["rootfs"]["usedBytes"], container["logs"]["usedBytes"]) == ("main", 7, 3)


def test_what_metrics_server_reads() -> None:
    lines = resource_page(NODE).splitlines()
    moment = round(AT.timestamp() * 1000)
    assert "# TYPE container_cpu_usage_seconds_total counter" in lines
    labels = '{container="main",namespace="x",pod="web"}'
    assert f"container_cpu_usage_seconds_total{labels} 2.5 {moment}" in lines
    assert f"container_memory_working_set_bytes{labels} 2000 {moment}" in lines
    assert f'pod_memory_working_set_bytes{{namespace="x",pod="web"}} 4000 {moment}' in lines
    assert f"node_cpu_usage_seconds_total 2.5 {moment}" in lines
    assert lines[-1] == "resource_scrape_error 0"


def test_what_dashboards_read() -> None:
    lines = container_page(NODE).splitlines()
    about = 'container="main",id="/kubepods/podu1/c1",image="a\\"b",name="c1",namespace="x",pod="web"'
    assert f"container_memory_rss{{{about}}} 1000" in lines
    (cpu,) = {line for line in lines if line.startswith("container_cpu_usage_seconds_total{")}
    assert 'cpu="total"' in cpu
    (received,) = [line for line in lines if line.startswith("container_network_receive_bytes_total{")]
    assert received.endswith(" 11")
    assert "machine_cpu_cores 2" in lines
    assert own_page(NODE).splitlines()[2::3] == [
        'kubelet_node_name{node="n"} 1',
        'kubelet_running_containers{container_state="running"} 2',
        "kubelet_running_pods 1",
    ]


def test_nothing_runs() -> None:
    idle = NodeFacts("n", AT, USAGE, memory_available=9000, cores=2, memory=12000)
    assert summary(idle)["pods"] == []
    assert "container_" not in resource_page(idle)


def test_running_pods_as_the_runtime_knows_them() -> None:
    (pod,) = running_pods(NODE)["items"]
    assert pod["metadata"] == {"name": "web", "namespace": "x", "uid": "u1"}
    assert pod["spec"]["containers"][0]["image"] == 'a"b'


CLAIMED = VolumeFacts("x", "u1", "data", "files", capacity=100, available=20, used=80)


def test_volumes_of_a_pod() -> None:
    silent = VolumeFacts("x", "u1", "far", "remote", healthy=False)
    facts = replace(NODE, pods=[replace(POD, volumes=[CLAIMED, silent, VolumeFacts("x", "u1", "tmp", used=1)])])
    data, far, tmp = summary(facts)["pods"][0]["volume"]
    time = "2026-01-02T03:04:05Z"
    assert data == {
        "time": time, "name": "data", "pvcRef": {"name": "files", "namespace": "x"}, "capacityBytes": 100,
        "availableBytes": 20, "usedBytes": 80, "volumeHealthStats": {"abnormal": False},
    }  # fmt: skip
    assert far["volumeHealthStats"] == {"abnormal": True}
    assert tmp == {"time": time, "name": "tmp", "usedBytes": 1}
    assert "volume" not in summary(NODE)["pods"][0]


def test_what_dashboards_read_of_claims() -> None:
    second_pod = replace(CLAIMED, pod_uid="u2")
    tmp = VolumeFacts("x", "u1", "tmp", used=1)
    lines = own_page(replace(NODE, volumes=[CLAIMED, second_pod, tmp])).splitlines()
    labels = '{namespace="x",persistentvolumeclaim="files"}'
    assert [line for line in lines if line.startswith("kubelet_volume_stats")] == [
        f"kubelet_volume_stats_available_bytes{labels} 20",
        f"kubelet_volume_stats_capacity_bytes{labels} 100",
        f"kubelet_volume_stats_health_status_abnormal{labels} 0",
        f"kubelet_volume_stats_used_bytes{labels} 80",
    ]


def test_volumes_that_end_with_their_pod_are_measured_here(tmp_path: Path) -> None:
    for name in ("tmp", "data"):
        (tmp_path / "u1" / "volumes" / name).mkdir(parents=True)
    (tmp_path / "u1" / "volumes" / "tmp" / "file").write_bytes(b"x" * 10_000)
    (tmp,) = local_volumes(tmp_path, ("x", "u1"), ["data"])
    assert (tmp.name, tmp.claim, tmp.inodes_used) == ("tmp", "", 2)
    assert (tmp.used or 0) >= 10_000
    assert (tmp.capacity or 0) > (tmp.available or 0) > 0
    assert local_volumes(tmp_path, ("x", "u2"), []) == []
