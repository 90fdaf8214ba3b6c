"""Kubernetes' `test/e2e/common/storage` and the variables of `test/e2e/common/node/{secrets,configmap}.go`.

Busybox stands for the program that prints modes and contents. All pods are made at once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually

LOOK = "ls -lLn /v/data-1 2>/dev/null || ls -lLn /v/path/to/data-2; cat /v/data-1 2>/dev/null || cat /v/path/to/data-2"
USER = {"runAsUser": 1000, "fsGroup": 1001}
ITEMS = [{"key": "data-2", "path": "path/to/data-2"}]


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, "conformance-volumes") as made:
        data = {f"data-{number}": f"value-{number}" for number in (1, 2, 3)}
        made.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": data},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "changes"}, "data": {"data-1": "value-1"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "goes"}, "stringData": {"data-1": "value-1"}},
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "binary"},
                "data": {"data": "value"},
                "binaryData": {
                    "dump.bin": base64.b64encode(bytes([0xDE, 0xCA, 0xFE, 0xBA, 0xD0, 0xFE, 0xFF])).decode()
                },
            },
        )
        made.create(PODS, labels={"cluster": "rack10"}, annotations={"builder": "bar"})
        yield made


def with_volume(source: Any, script: str = LOOK, security: Any = None, **more: Any) -> Any:
    """A pod that mounts one volume at /v, runs `script` and ends."""
    main = container(script, volumeMounts=[{"name": "v", "mountPath": "/v", **more}])
    return {
        "restartPolicy": "Never",
        "securityContext": security or {},
        "volumes": [{"name": "v", **source}],
        "containers": [main],
    }


def of(kind: str, **more: Any) -> Any:
    """A volume of the ConfigMap or the Secret, itself or projected."""
    if kind == "configMap":
        return {"configMap": {"name": "c", **more}}
    if kind == "secret":
        return {"secret": {"secretName": "s", **more}}
    mode = {key: more.pop(key) for key in list(more) if key == "defaultMode"}
    return {
        "projected": {
            "sources": [{kind.removeprefix("projected-"): {"name": "c" if "config" in kind else "s", **more}}],
            **mode,
        }
    }


KINDS = ("configMap", "secret", "projected-configMap", "projected-secret")
SHOW = "stat -c '%a %u %g' /v; stat -f -c %T /v; echo hi > /v/f; chmod {mode} /v/f; ls -ln /v/f; cat /v/f"
MEDIA = {"default": {"emptyDir": {}}, "memory": {"emptyDir": {"medium": "Memory"}}}
MODES = {"0644": "-rw-r--r--", "0666": "-rw-rw-rw-", "0777": "-rwxrwxrwx"}


def field(path: str, source: str, **more: Any) -> Any:
    return {"path": path, "fieldRef": {"fieldPath": source}, **more}


def amount(source: str) -> Any:
    return {"path": source, "resourceFieldRef": {"containerName": "main", "resource": source}}


FIELDS = [field("podname", "metadata.name", mode=0o400), field("labels", "metadata.labels")]
AMOUNTS = [amount(f"{kind}.{what}") for kind in ("limits", "requests") for what in ("cpu", "memory")]
FIELDS += [field("annotations", "metadata.annotations"), *AMOUNTS]
RESOURCES = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}


def downward(script: str, projected: bool = False, **more: Any) -> Any:
    """A volume of its own, or one that has nothing else projected into it."""
    source: Any = {"downwardAPI": {"items": FIELDS, "defaultMode": 0o440}}
    if projected:
        source = {"projected": {"sources": [{"downwardAPI": {"items": FIELDS}}], "defaultMode": 0o440}}
    made = with_volume(source, script)
    made["containers"][0].update(more)
    return made


def twice(source: Any) -> Any:
    """The same object in two volumes of one pod."""
    made = with_volume(source, "cat /v/data-1; echo; cat /w/data-1")
    made["volumes"].append({"name": "w", **source})
    made["containers"][0]["volumeMounts"].append({"name": "w", "mountPath": "/w"})
    return made


SHOWN = "ls -lLn /v; for f in /v/*; do echo $f=$(cat $f); done"
FOLLOW_META = "while true; do cat /v/labels /v/annotations; sleep 0.2; done"
FOLLOW = "while true; do for f in /v/*; do echo $f=$(cat $f); done; sleep 0.2; done"
PODS: dict[str, Any] = {
    **{f"{kind.lower()}-plain": with_volume(of(kind)) for kind in KINDS},
    **{f"{kind.lower()}-mode": with_volume(of(kind, defaultMode=0o400)) for kind in KINDS},
    **{f"{kind.lower()}-group": with_volume(of(kind, defaultMode=0o440), security=USER) for kind in KINDS},
    **{f"{kind.lower()}-user": with_volume(of(kind, items=ITEMS), security={"runAsUser": 1000}) for kind in KINDS},
    **{f"{kind.lower()}-twice": twice(of(kind)) for kind in KINDS},
    **{f"{kind.lower()}-items": with_volume(of(kind, items=[{**ITEMS[0], "mode": 0o400}])) for kind in KINDS},
    **{
        f"empty-{medium}-{who}-{mode}": with_volume(
            source, SHOW.format(mode=mode), None if who == "root" else {"runAsUser": 1001}
        )
        for medium, source in MEDIA.items()
        for who in ("root", "user")
        for mode in MODES
    },
    "empty-group": with_volume(MEDIA["memory"], SHOW.format(mode="0644"), {"runAsUser": 1001, "fsGroup": 123}),
    "binary": with_volume({"configMap": {"name": "binary"}}, "cat /v/data; od -An -tx1 /v/dump.bin"),
    "optional": {
        **with_volume({"configMap": {"name": "later", "optional": True}}, FOLLOW),
        "volumes": [
            {"name": "v", "configMap": {"name": "later", "optional": True}},
            {"name": "w", "secret": {"secretName": "nowhere", "optional": True}},
        ],
    },
    "changes": with_volume({"configMap": {"name": "changes"}}, FOLLOW),
    "goes": with_volume({"secret": {"secretName": "goes", "optional": True}}, FOLLOW),
    "downward": downward(SHOWN, resources=RESOURCES),
    "downward-projected": downward(SHOWN, projected=True, resources=RESOURCES),
    "downward-node": downward(SHOWN),
    "downward-node-projected": downward(SHOWN, projected=True),
    "downward-follows": downward(FOLLOW_META),
    "downward-follows-projected": downward(FOLLOW_META, projected=True),
    "changes-projected": with_volume({"projected": {"sources": [{"configMap": {"name": "changes"}}]}}, FOLLOW),
    "goes-projected": with_volume({"projected": {"sources": [{"secret": {"name": "goes", "optional": True}}]}}, FOLLOW),
    "together": with_volume(
        {
            "projected": {
                "sources": [
                    {"secret": {"name": "s", "items": [{"key": "data-1", "path": "secret-data"}]}},
                    {"configMap": {"name": "c", "items": [{"key": "data-1", "path": "configmap-data"}]}},
                    {"downwardAPI": {"items": [field("podname", "metadata.name")]}},
                ]
            }
        },
        "for f in /v/*; do echo $f=$(cat $f); done",
    ),
    "env": {
        "restartPolicy": "Never",
        "containers": [
            container(
                "true",
                command=["env"],
                envFrom=[{"configMapRef": {"name": "c"}}, {"prefix": "p-", "secretRef": {"name": "s"}}],
                env=[{"name": "ONE", "valueFrom": {"secretKeyRef": {"name": "s", "key": "data-1"}}}],
            )
        ],
    },
    "host": with_volume({"hostPath": {"path": "/tmp"}}, "stat -c %a /v"),
    "shared": {
        "restartPolicy": "Never",
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [
            container(
                "while [ ! -s /v/shared ]; do sleep 0.1; done; cat /v/shared",
                volumeMounts=[{"name": "v", "mountPath": "/v"}],
            ),
            container("echo Hello > /v/shared", "sub", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        ],
    },
    "subpath-configmap": with_volume(of("configMap"), "cat /v", subPath="data-1"),
    "subpath-secret": with_volume(of("secret"), "cat /v", subPath="data-1"),
    "subpath-projected": with_volume(of("projected-configMap"), "cat /v", subPath="data-1"),
    "subpath-downward": with_volume({"downwardAPI": {"items": FIELDS}}, "cat /v", subPath="podname"),
    "subpath-file": {
        **with_volume(of("configMap"), "cat /etc/group"),
        "containers": [
            container("cat /etc/group", volumeMounts=[{"name": "v", "mountPath": "/etc/group", "subPath": "data-2"}])
        ],
    },
}


@pytest.mark.parametrize("kind", [kind.lower() for kind in KINDS])
def test_files_of_maps_and_secrets(pods: PodReplays, kind: str) -> None:
    for variant, mode, owner, value in (
        ("plain", "-rw-r--r--", "0        0", "value-1"),
        ("mode", "-r--------", "0        0", "value-1"),
        ("group", "-r--r-----", "0        1001", "value-1"),
        ("items", "-r--------", "0        0", "value-2"),
        ("user", "-rw-r--r--", "0        0", "value-2"),
    ):
        assert pods.ended(f"{kind}-{variant}")["phase"] == "Succeeded"
        first, last = pods.logs(f"{kind}-{variant}").splitlines()
        assert first.startswith(mode), (variant, first)
        assert first.split()[2:4] == owner.split(), (variant, first)
        assert last == value
    assert pods.ended(f"{kind}-twice")["phase"] == "Succeeded"
    assert pods.logs(f"{kind}-twice").split() == ["value-1", "value-1"]


@pytest.mark.parametrize("medium", MEDIA)
def test_empty_directories(pods: PodReplays, medium: str) -> None:
    for who in ("root", "user"):
        for mode, shown in MODES.items():
            assert pods.ended(f"empty-{medium}-{who}-{mode}")["phase"] == "Succeeded"
            directory, system, file, content = pods.logs(f"empty-{medium}-{who}-{mode}").splitlines()
            assert directory == "777 0 0"
            assert (system == "tmpfs") == (medium == "memory")
            assert (file.split()[0], file.split()[2]) == (shown, "0" if who == "root" else "1001")
            assert content == "hi"


def test_a_group_owns_its_directory(pods: PodReplays) -> None:
    pods.ended("empty-group")
    directory, _, file, _ = pods.logs("empty-group").splitlines()
    assert directory == "2777 0 123"
    assert file.split()[3] == "123"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("binary", ["value de ca fe ba d0 fe ff"]),
        ("together", ["/v/configmap-data=value-1", "/v/podname=together", "/v/secret-data=value-1"]),
        ("env", ["data-1=value-1", "data-2=value-2", "p-data-1=value-1", "ONE=value-1"]),
        ("host", ["1777"]),
        ("shared", ["Hello"]),
        ("subpath-configmap", ["value-1"]),
        ("subpath-secret", ["value-1"]),
        ("subpath-projected", ["value-1"]),
        ("subpath-downward", ["subpath-downward"]),
        ("subpath-file", ["value-2"]),
        *(
            (
                name,
                [
                    f"/v/podname={name}",
                    "/v/limits.cpu=2",
                    "/v/requests.cpu=1",
                    "/v/limits.memory=67108864",
                    "/v/requests.memory=33554432",
                ],
            )
            for name in ("downward", "downward-projected")
        ),
    ],
)
def test_what_pods_read(pods: PodReplays, name: str, lines: list[str]) -> None:
    assert pods.ended(name)["phase"] == "Succeeded"
    printed = [" ".join(line.split()) for line in pods.logs(name, "-c", "main").splitlines()]
    assert [line for line in lines if line not in printed] == [], printed


@pytest.mark.parametrize("name", ["downward", "downward-projected"])
def test_modes_of_downward_files(pods: PodReplays, name: str) -> None:
    pods.ended(name)
    modes = {line.split()[-1]: line.split()[0] for line in pods.logs(name).splitlines() if line[0] == "-"}
    assert (modes["podname"], modes["labels"]) == ("-r--------", "-r--r-----")


@pytest.mark.parametrize("name", ["downward-node", "downward-node-projected"])
def test_limits_are_the_nodes_where_there_are_none(pods: PodReplays, name: str) -> None:
    pods.ended(name)
    (node,) = pods.program.get("nodes")["items"]
    shown = dict(line.split("=", 1) for line in pods.logs(name).splitlines() if line.startswith("/v/"))
    assert shown["/v/limits.cpu"] == node["status"]["allocatable"]["cpu"]
    assert int(shown["/v/limits.memory"]) > 1 << 20


@pytest.mark.parametrize("name", ["downward-follows", "downward-follows-projected"])
def test_files_follow_the_pods_metadata(pods: PodReplays, name: str) -> None:
    eventually(lambda: 'cluster="rack10"' in pods.logs(name), "the first label")
    pods.kubectl("label", f"pod/{name}", "key3=value3")
    pods.kubectl("annotate", f"pod/{name}", "builder=foo", "--overwrite")
    eventually(lambda: 'key3="value3"' in pods.logs(name, "--tail=20"), "the label")
    eventually(lambda: 'builder="foo"' in pods.logs(name, "--tail=20"), "the annotation")


def test_files_follow_what_they_are_of(pods: PodReplays) -> None:
    for name in ("changes", "goes", "changes-projected", "goes-projected"):
        eventually(lambda name=name: "/v/data-1=value-1" in pods.logs(name), "the first value")
    patch = '{"data":{"data-1":"value-2","data-3":"value-3"}}'
    pods.kubectl("patch", "configmap/changes", "--type=merge", "-p", patch)
    pods.kubectl("delete", "secret/goes")
    later = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later"}, "data": {"data-1": "late"}}
    pods.apply(later)
    for name in ("changes", "changes-projected"):
        eventually(lambda name=name: "/v/data-3=value-3" in pods.logs(name, "--tail=10"), "the new value")
        assert "/v/data-1=value-2" in pods.logs(name, "--tail=10")
    for name in ("goes", "goes-projected"):
        eventually(lambda name=name: "/v/data-1" not in pods.logs(name, "--tail=3"), "the end of the file")
    eventually(lambda: "/v/data-1=late" in pods.logs("optional", "--tail=3"), "the file that was optional")


@pytest.mark.parametrize("kind", ["configmap", "secret"])
def test_immutable(pods: PodReplays, kind: str) -> None:
    words = ("generic",) if kind == "secret" else ()
    pods.kubectl("create", kind, *words, "fixed", "--from-literal=a=b")
    pods.kubectl("patch", f"{kind}/fixed", "--type=merge", "-p", '{"immutable":true}')
    for patch in ('{"immutable":false}', '{"immutable":null}', '{"data":{"a":"Yw=="}}'):
        refused = pods.kubectl("patch", f"{kind}/fixed", "--type=merge", "-p", patch, check=False)
        assert "field is immutable when `immutable` is set" in refused.stderr
    pods.kubectl("label", f"{kind}/fixed", "may=change")


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_an_empty_key(pods: PodReplays, kind: str) -> None:
    made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "empty-key"}, "data": {"": "dmFsdWU="}}
    with pytest.raises(AssertionError, match="Invalid value"):
        pods.apply(made)


def test_a_secret_of_the_same_name_elsewhere_and_several_volumes_that_wrap(pods: PodReplays) -> None:
    """`test/e2e/common/storage/secrets_volume.go`, `test/e2e/storage/empty_dir_wrapper.go`: neither is in the way."""
    other = {"namespace": "conformance-volumes-other", "name": "s"}
    create = pods.program.kubectl
    create("create", "namespace", other["namespace"])
    try:
        elsewhere = {"apiVersion": "v1", "kind": "Secret", "metadata": other, "stringData": {"data-1": "of another"}}
        create("create", "-f", "-", stdin=json.dumps(elsewhere))
        spec = with_volume({"secret": {"secretName": "s"}}, "cat /v/data-1 /w/data-2")
        spec["volumes"].append({"name": "w", "configMap": {"name": "c"}})
        spec["containers"][0]["volumeMounts"].append({"name": "w", "mountPath": "/w"})
        pods.create({"wrapped": spec})
        assert pods.ended("wrapped")["phase"] == "Succeeded"
        assert pods.logs("wrapped") == "value-1value-2"
    finally:
        create("delete", "namespace", other["namespace"], "--wait=false")
