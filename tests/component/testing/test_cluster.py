"""A test cluster from the outside: over TLS, with a plain client, from threads and from event loops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skerry.engine.api.admission import service_account
from skerry.engine.controllers.serviceaccount import NamespaceEquipment
from skerry.testing import Cluster, cluster
from tests.support.program import eventually
from tests.support.raw_api import RawApi

PODS = "/api/v1/namespaces/default/pods"


def api(of: Cluster) -> RawApi:
    return RawApi(of.kubeconfig)


def get(client: RawApi, path: str) -> Any:
    code, answer = client.call("GET", path)
    assert code == 200, answer
    return answer


def create(client: RawApi, path: str, obj: Any) -> Any:
    code, answer = client.call("POST", path, obj)
    assert code == 201, answer
    return answer


def a_pod(name: str, **annotations: str) -> Any:
    spec = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": spec}


def phase(client: RawApi, name: str) -> str:
    return str(get(client, f"{PODS}/{name}")["status"]["phase"])


def test_pods_follow_the_rule() -> None:
    with cluster() as made:
        client = api(made)
        create(client, PODS, a_pod("runs"))
        create(client, PODS, a_pod("fails", **{"testing.skerry.dev/exit-code": "7"}))
        eventually(lambda: phase(client, "runs") == "Running", "running")
        eventually(lambda: phase(client, "fails") == "Failed", "failure")
        code, _ = client.call("DELETE", f"{PODS}/runs")
        assert code == 200
        eventually(lambda: client.call("GET", f"{PODS}/runs")[0] == 404, "the pod's end")
        client.close()


def test_nodes_tell_of_containers_as_a_kubelet_does() -> None:
    with cluster() as made:
        client = api(made)

        def told() -> list[str]:
            events = get(client, "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dtold")["items"]
            ours = [event for event in events if event["source"]["component"] == "kubelet"]
            assert {event["involvedObject"]["fieldPath"] for event in ours} <= {"spec.containers{c}"}
            return sorted(event["reason"] for event in ours)

        create(client, PODS, a_pod("told"))
        eventually(lambda: told() == ["Created", "Pulled", "Started"], "what was told of the start")
        client.call("DELETE", f"{PODS}/told")
        eventually(lambda: told() == ["Created", "Killing", "Pulled", "Started"], "what was told of the end")
        client.close()


def test_a_pod_that_is_deleted_is_no_longer_ready_before_it_is_gone() -> None:
    with cluster() as made:
        client = api(made)
        create(client, PODS, a_pod("runs"))
        eventually(lambda: phase(client, "runs") == "Running", "running")
        with contextlib.closing(client.open()) as connection:
            connection.request("GET", f"{PODS}?watch=true")
            events = connection.getresponse()
            assert client.call("DELETE", f"{PODS}/runs")[0] == 200
            told = [json.loads(events.readline())]
            while told[-1]["type"] != "DELETED":
                told.append(json.loads(events.readline()))
        last = told[-2]
        assert last["object"]["metadata"]["deletionTimestamp"]
        assert last["object"]["status"]["phase"] == "Failed"
        holds = {one["type"]: one["status"] for one in last["object"]["status"]["conditions"]}
        assert (holds["Ready"], holds["PodScheduled"]) == ("False", "True")
        client.close()


def test_nodes_made_later_are_ready_and_keep_what_they_say() -> None:
    with cluster(nodes=0) as made:
        client = api(made)
        create(client, PODS, a_pod("waits"))
        eventually(lambda: get(client, f"{PODS}/waits")["status"]["conditions"][0]["reason"] == "Unschedulable", "why")
        create(
            client,
            "/api/v1/nodes",
            {
                "metadata": {"name": "late"},
                "status": {"capacity": {"example.com/fpga": "2"}, "nodeInfo": {"architecture": "arm64"}},
            },
        )
        eventually(lambda: phase(client, "waits") == "Running", "running")
        node = get(client, "/api/v1/nodes/late")
        assert node["status"]["allocatable"]["example.com/fpga"] == "2"
        told = node["status"]["nodeInfo"]
        assert (told["operatingSystem"], told["architecture"]) == ("linux", "arm64")
        assert told["kubeletVersion"].startswith("v1.")
        lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/late"
        eventually(lambda: client.call("GET", lease)[0] == 200, "the lease")
        client.close()


def test_pods_may_be_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that stands still for as long as a pod waits for its account, too."""
    make = NamespaceEquipment.reconcile

    async def late(self: NamespaceEquipment, key: str) -> float | None:
        await asyncio.sleep(1)
        return await make(self, key)

    monkeypatch.setattr(NamespaceEquipment, "reconcile", late)
    monkeypatch.setattr(service_account, "_PATIENCE", 0.0)
    with cluster(nodes=0) as made:
        client = api(made)
        create(client, PODS, a_pod("first"))
        client.close()


def test_nothing_is_left_and_clusters_do_not_know_each_other() -> None:
    threads, before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    with cluster() as first, cluster() as second:
        clients = api(first), api(second)
        create(clients[0], PODS, a_pod("mine"))
        assert get(clients[1], PODS)["items"] == []
        for client in clients:
            client.close()
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # the definitions stay open
    assert not first.kubeconfig.exists()


async def test_works_inside_an_event_loop() -> None:
    with cluster() as made:
        client = api(made)
        version = await asyncio.to_thread(get, client, "/version")
        assert version["minor"] == "36"
        client.close()


def test_the_clock_is_the_one_given() -> None:
    class Ahead:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(days=100)

    with cluster(clock=Ahead()) as made:
        client = api(made)
        created = create(client, PODS, a_pod("p"))["metadata"]["creationTimestamp"]
        assert datetime.fromisoformat(created) > datetime.now(UTC) + timedelta(days=99)
        client.close()


def test_a_cluster_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"did not start: .*Invalid value"), cluster([{"metadata": {"name": "No!"}}]):
        pass


def test_the_kubeconfig_as_a_dictionary() -> None:
    with cluster() as made:
        assert made.config["clusters"][0]["cluster"]["server"] == made.url
        assert made.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_jobs_end_and_count_what_is_deleted() -> None:
    with cluster() as running:
        client, jobs = api(running), "/apis/batch/v1/namespaces/default/jobs"
        template = a_pod("", **{"testing.skerry.dev/waiting": "ImagePullBackOff"})
        plain = {"spec": template["spec"]}
        create(client, jobs, {"metadata": {"name": "done"}, "spec": {"template": plain}})
        spec = {"template": template, "podReplacementPolicy": "Failed"}
        create(client, jobs, {"metadata": {"name": "stuck"}, "spec": spec})
        eventually(lambda: get(client, f"{jobs}/done")["status"].get("succeeded") == 1, "one has ended")
        chosen = f"{PODS}?labelSelector=job-name%3Dstuck"
        eventually(lambda: get(client, chosen)["items"][0]["status"].get("phase") == "Pending", "the other waits")
        client.call("DELETE", f"{PODS}/{get(client, chosen)['items'][0]['metadata']['name']}")
        eventually(lambda: get(client, f"{jobs}/stuck")["status"].get("failed") == 1, "its pod counts as failed")
        client.close()


def test_claims_get_volumes_that_grow_and_go() -> None:
    with cluster() as made:
        client = api(made)
        claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        size = {"requests": {"storage": "1Gi"}}
        template = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": size}}
        labels, container = {"app": "db"}, {"name": "c", "image": "i"}
        spec = {"serviceName": "db", "selector": {"matchLabels": labels}, "volumeClaimTemplates": [template]}
        spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        create(client, "/apis/apps/v1/namespaces/default/statefulsets", {"metadata": {"name": "db"}, "spec": spec})
        eventually(lambda: phase(client, "db-0") == "Running", "running")
        claim = get(client, f"{claims}/data-db-0")
        assert (claim["spec"]["storageClassName"], claim["status"]["phase"]) == ("standard", "Bound")
        larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        assert client.call("PATCH", f"{claims}/data-db-0", larger, "application/merge-patch+json")[0] == 200
        grown = {"storage": "2Gi"}
        eventually(lambda: get(client, f"{claims}/data-db-0")["status"]["capacity"] == grown, "the larger claim")
        assert client.call("DELETE", "/apis/apps/v1/namespaces/default/statefulsets/db")[0] == 200
        assert client.call("DELETE", f"{claims}/data-db-0")[0] == 200
        eventually(lambda: not get(client, "/api/v1/persistentvolumes")["items"], "the volume's end")
        client.close()
