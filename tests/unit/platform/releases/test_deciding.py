"""Pure decisions about releases: which chart, which address, what differs, what is waited for, what is stopped."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import orjson
import pytest

from skerry.kube.objects import Obj
from skerry.platform.releases import manifests
from skerry.platform.releases.charts import chosen
from skerry.platform.releases.drift import drift_of
from skerry.platform.releases.helm.storage import given_up, read
from skerry.platform.releases.labelling import labelled
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.steps import step_of
from skerry.platform.releases.stopping import started, stopped
from skerry.platform.releases.types import ChartRef
from skerry.platform.releases.urls import address_of, node_port_urls, urls_of
from skerry.platform.releases.words import complaint, is_of_the_cluster


def entry(namespace: str, catalog: str, *versions: str, archive: str = "a") -> Obj:
    listed = [{"version": one, "archive": archive, "digest": "d"} for one in versions]
    metadata = {"name": f"{catalog}.web", "namespace": namespace}
    return {"metadata": metadata, "spec": {"catalog": catalog, "name": "web", "versions": listed}}


def test_a_chart_is_taken_from_the_nearest_catalogue() -> None:
    there = [
        entry("skerry-catalogs", "skerry", "3.0.0"),
        entry("lidar", "own", "1.0.0", "1.2.0"),
        entry("sea", "x", "9"),
    ]
    places = ["lidar", "lidar-b", "skerry-catalogs"]
    assert chosen(ChartRef(name="web"), there, places).version == "1.2.0"
    assert chosen(ChartRef(name="web", catalog="skerry"), there, places).version == "3.0.0"
    assert chosen(ChartRef(name="web", version="<1.1"), there, places).version == "1.0.0"
    for wanted, reason in (
        (ChartRef(name="web", catalog="x"), "ChartMissing"),
        (ChartRef(name="web", version="^3"), "VersionMissing"),
        (ChartRef(name="web", version="newest please"), "VersionMissing"),
    ):
        with pytest.raises(Unready) as refused:
            chosen(wanted, there, places)
        assert refused.value.reason == reason
    with pytest.raises(Unready, match="is being fetched"):
        chosen(ChartRef(name="web"), [entry("lidar", "own", "1.0.0", archive="")], places)


def test_addresses_are_those_of_ingresses_routes_and_node_ports() -> None:
    paths = {"paths": [{"path": "/lab/x"}, {"path": "/lab"}]}
    ingress = {
        "kind": "Ingress",
        "spec": {
            "tls": [{"hosts": ["*.example"]}],
            "rules": [{"host": "a.example", "http": paths}, {"host": "b.local"}, {"host": "*.all"}, {}],
        },
    }
    route = {"kind": "HTTPRoute", "spec": {"hostnames": ["c.example", "b.local"]}}
    assert urls_of([ingress, route]) == ["https://a.example/lab", "http://b.local", "http://c.example"]
    ports = [{"port": 80, "nodePort": 30080}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}]
    service = {"kind": "Service", "spec": {"type": "NodePort", "ports": ports}}
    assert node_port_urls([service, {"kind": "Service", "spec": {}}], "fd00::1") == ["http://[fd00::1]:30080/"]
    node = {
        "status": {"addresses": [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "10.0.0.1"}]}
    }
    assert address_of([{}, node]) == "10.0.0.1"


DEPLOYMENT: Obj = {
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {"containers": [{"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1000m"}}}]}
        },
    },
}


def changed(**spec: Any) -> Obj:
    container = {"name": "c", "image": "i:1", "imagePullPolicy": "Always", "resources": {"limits": {"cpu": "1"}}}
    side = {"name": "injected", "image": "s:1"}
    template = {"spec": {"containers": [side, {**container, **spec.pop("container", {})}]}}
    metadata = {"labels": {"a": "b", "more": "x"}, **spec.pop("metadata", {})}
    return {**DEPLOYMENT, "metadata": metadata, "spec": {"replicas": 2, "template": template, **spec}, "status": {}}


def test_drift_is_what_was_written_and_is_another() -> None:
    assert drift_of(DEPLOYMENT, changed()) == []
    assert drift_of(DEPLOYMENT, None) == ["Deployment/web: deleted"]
    assert drift_of(DEPLOYMENT, changed(replicas=5, container={"image": "i:2"})) == [
        "Deployment/web: spec.replicas",
        "Deployment/web: spec.template.spec.containers[c].image",
    ]
    asleep = {"annotations": {"skerry.dev/awake": "{}"}}
    assert drift_of(DEPLOYMENT, changed(replicas=0, metadata=asleep)) == []
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    stored = {"data": {"a": base64.b64encode(b"b").decode()}, "metadata": {}}
    assert drift_of(secret, stored) == []
    assert drift_of(secret, {"data": {"a": "Yw=="}, "metadata": {}}) == ["Secret/s: data.a"]


def test_what_is_stopped_starts_as_it_was() -> None:
    patch = stopped(DEPLOYMENT)
    assert patch is not None
    assert patch["spec"] == {"replicas": 0}
    at_rest = {**DEPLOYMENT, "metadata": {**DEPLOYMENT["metadata"], **patch["metadata"]}, "spec": {"replicas": 0}}
    assert stopped(at_rest) is None
    back = started(at_rest)
    assert back is not None
    assert back["spec"] == {"replicas": 2}
    assert started(DEPLOYMENT) is None
    cron = stopped({"kind": "CronJob", "metadata": {}, "spec": {}})
    assert cron is not None
    assert cron["spec"] == {"suspend": True}
    assert stopped({"kind": "CronJob", "metadata": {}, "spec": {"suspend": True}}) is None


def test_steps_say_what_is_wrong_before_how_far_it_is() -> None:
    def pod(name: str, **status: Any) -> Obj:
        return {"metadata": {"name": name}, "status": status}

    ready = pod("a", conditions=[{"type": "Ready", "status": "True"}])
    waiting = {"name": "c", "image": "no:1", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "404"}}}
    assert step_of([]).words == "waiting for pods"
    assert step_of([ready, pod("b")]).words == "1 of 2 pods ready"
    found = step_of([ready, pod("b", containerStatuses=[waiting])])
    assert (found.words, found.is_trouble) == ("pod b: image no:1 cannot be pulled: 404", True)
    crashing = {
        "name": "c",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 3}},
    }
    assert "ends again and again with exit code 3" in step_of([pod("b", containerStatuses=[crashing])]).words
    nowhere = pod("b", conditions=[{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}])
    assert step_of([nowhere]).words == "pod b finds no place: 0/1 nodes"
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    held = {"kind": "Deployment", "metadata": {"name": "web"}, "status": {"conditions": [failure]}}
    assert step_of([], [held]).words == "Deployment web may not make pods: exceeded quota"


def test_everything_is_labelled_and_selectors_stay() -> None:
    deployment = {"kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {}}}}
    marked = labelled(deployment, "web")
    assert marked["metadata"]["labels"] == {"skerry.dev/release": "web"}
    assert marked["spec"]["template"]["metadata"]["labels"] == {"skerry.dev/release": "web"}
    assert marked["spec"]["selector"] == {"matchLabels": {"a": "b"}}
    assert "metadata" not in deployment
    cron = labelled({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}}, "web")
    assert cron["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] == {"skerry.dev/release": "web"}


def test_manifests_are_read_as_kubernetes_reads_them() -> None:
    text = "a: 2026-11-22\n---\n---\nkind: ConfigMapList\nitems: [{kind: ConfigMap, data: {x: '1'}}]\n"
    assert manifests.read(text) == [{"a": "2026-11-22"}, {"kind": "ConfigMap", "data": {"x": "1"}}]
    plain = manifests.read("{a: 10:30, b: 1e3, c: 0x10, d: 017, e: 1.5, f: no, g: '1', h: 08}")[0]
    assert plain == {"a": "10:30", "b": "1e3", "c": 16, "d": 15, "e": 1.5, "f": False, "g": "1", "h": "08"}
    assert manifests.read(manifests.write([plain]))[0] == plain
    for bad in ("{", "- a\n", "metadata: x\n", "a: !!python/object:os.system x\n"):
        with pytest.raises(manifests.BadManifests):
            manifests.read(bad)
    shared: Obj = {"x": "2026-11-22", "y": "no"}
    written = manifests.write([{"kind": "A", "metadata": {}, "one": shared, "two": shared}])
    assert "&" not in written
    assert manifests.read(written)[0]["two"] == shared


def secret_of(content: bytes, **labels: str) -> Obj:
    data = base64.b64encode(base64.b64encode(gzip.compress(content))).decode()
    return {"metadata": {"labels": {"status": "pending-upgrade", **labels}}, "data": {"release": data}}


def test_what_helm_keeps_is_read_and_given_up() -> None:
    chart = {"metadata": {"name": "web", "version": "1.0.0", "appVersion": "7"}}
    kept = {
        "name": "web",
        "version": 3,
        "info": {"status": "pending-upgrade", "notes": "hi"},
        "chart": chart,
        "more": 1,
    }
    found = read(secret_of(orjson.dumps(kept), **{"skerry.dev/release": "web", "skerry.dev/release-namespace": "sea"}))
    assert found is not None
    assert (found.revision, found.chart, found.status, found.owner) == (
        3,
        "web-1.0.0",
        "pending-upgrade",
        ("sea", "web"),
    )
    again = read(given_up(found))
    assert again is not None
    assert (again.status, again.revision, again.notes) == ("failed", 3, "hi")
    for bad in (b"", b"[]", b"{"):
        assert read(secret_of(bad)) is None
    bomb = b'{"manifest": "' + b"a" * (70 * 1024 * 1024) + b'"}'
    assert read(secret_of(bomb)) is None
    assert read({"metadata": {}}) is None


def test_words_of_helm() -> None:
    said = "level=WARN msg=x\nI1122 10:00:00 noise\nError: UPGRADE FAILED: a\nb\n"
    assert complaint(said) == "UPGRADE FAILED: a; b"
    assert complaint("Error: values do not fit:\nweb:\n- at 'a': no\n- at 'b': no") == (
        "values do not fit: web: - at 'a': no; - at 'b': no"
    )
    assert complaint("") == "helm failed and does not say why"
    assert is_of_the_cluster("Error: Get https://x: dial tcp: connection refused")
    assert not is_of_the_cluster("Error: context deadline exceeded")
