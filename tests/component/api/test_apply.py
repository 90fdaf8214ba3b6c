"""Server-side apply as users meet it: kubectl, and requests where the exact answer matters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl
from tests.support.raw_api import RawApi
from tests.support.waiting import until

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1", ports: [{containerPort: 80}]}]}
"""
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"
CONFIG_MAP = "/api/v1/namespaces/default/configmaps/c"
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
TEXT = {"type": "string"}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
APPLY = "application/apply-patch+yaml"
Call = Callable[..., Any]


@pytest.fixture
async def call(api: RunningApi) -> AsyncIterator[Call]:
    raw = RawApi(api.kubeconfig)

    async def do(method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Obj]:
        return await asyncio.to_thread(raw.call, method, path, body, content_type)

    yield do
    raw.close()


async def managed(kubectl: Kubectl, what: str = "deployment/web") -> list[Obj]:
    shown = json.loads((await kubectl("get", what, "-o", "json", "--show-managed-fields")).out)
    entries: list[Obj] = shown["metadata"]["managedFields"]
    return entries


async def test_apply_creates_changes_and_removes(kubectl: Kubectl) -> None:
    first = await kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    assert first.out == "deployment.apps/web serverside-applied\n"
    (entry,) = await managed(kubectl)
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("kubectl", "Apply", "apps/v1")
    assert entry["fieldsV1"]["f:metadata"] == {"f:labels": {"f:app": {}}}
    before = json.loads((await kubectl("get", "deployment/web", "-o", "json", "--show-managed-fields")).out)
    await kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    same = json.loads((await kubectl("get", "deployment/web", "-o", "json", "--show-managed-fields")).out)
    assert same == before
    less = MANIFEST.replace(", labels: {app: web}}\nspec:\n  replicas", "}\nspec:\n  minReadySeconds: 3\n  replicas")
    await kubectl("apply", "--server-side", "-f", "-", stdin=less)
    after = json.loads((await kubectl("get", "deployment/web", "-o", "json")).out)
    assert "labels" not in after["metadata"]
    assert after["spec"]["minReadySeconds"] == 3
    assert after["metadata"]["generation"] == 2


async def test_conflicts_name_the_owner(kubectl: Kubectl, call: Call) -> None:
    await kubectl("create", "-f", "-", "--field-manager=maker", stdin=MANIFEST)
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 5, "template": {"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}}},
    }
    code, status = await call("PATCH", f"{DEPLOYMENT}?fieldManager=other", body, APPLY)
    assert (code, status["reason"]) == (409, "Conflict")
    image = '.spec.template.spec.containers[name="web"].image'
    assert status["message"] == (
        f'Apply failed with 2 conflicts: conflicts with "maker" using apps/v1:\n- .spec.replicas\n- {image}'
    )
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "maker" using apps/v1'}
    assert status["details"]["causes"] == [{**cause, "field": ".spec.replicas"}, {**cause, "field": image}]
    one = {**body, "spec": {"replicas": 5}}
    code, status = await call("PATCH", f"{DEPLOYMENT}?fieldManager=other", one, APPLY)
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas'
    said = await kubectl.attempt(
        "apply", "--server-side", "-f", "-", stdin=MANIFEST.replace("replicas: 2", "replicas: 4")
    )
    assert said.code == 1
    assert 'conflict with "maker" using apps/v1: .spec.replicas' in said.err
    code, taken = await call("PATCH", f"{DEPLOYMENT}?fieldManager=other&force=true", one, APPLY)
    assert (code, taken["spec"]["replicas"]) == (200, 5)
    owners = [entry["manager"] for entry in taken["metadata"]["managedFields"] if _has_replicas(entry)]
    assert owners == ["other"]


def _has_replicas(entry: Obj) -> bool:
    return "f:replicas" in entry["fieldsV1"].get("f:spec", {})


async def test_kubectl_takes_over_from_client_side_apply(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    await kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST.replace("replicas: 2", "replicas: 3"))
    entries = await managed(kubectl)
    assert [(entry["manager"], entry["operation"]) for entry in entries] == [
        ("kubectl-last-applied", "Apply"),  # by which kubectl keeps the annotation, and nothing else
        ("kubectl", "Apply"),
    ]
    shown = json.loads((await kubectl("get", "deployment/web", "-o", "json")).out)
    last = shown["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert json.loads(last)["spec"]["replicas"] == 3
    await kubectl("apply", "-f", "-", stdin=MANIFEST)  # and back
    assert (await kubectl("get", "deployment/web", "-o", "jsonpath={.spec.replicas}")).out == "2"


async def test_diff_is_a_dry_run(kubectl: Kubectl) -> None:
    await kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    assert (await kubectl.attempt("diff", "--server-side", "-f", "-", stdin=MANIFEST)).code == 0
    changed = MANIFEST.replace("replicas: 2", "replicas: 7")
    difference = await kubectl.attempt("diff", "--server-side", "-f", "-", stdin=changed)
    assert difference.code == 1
    assert "+  replicas: 7" in difference.out
    await kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=changed)
    assert (await kubectl("get", "deployment/web", "-o", "jsonpath={.spec.replicas}")).out == "2"


async def test_scale_is_a_manager_of_its_own(kubectl: Kubectl, call: Call) -> None:
    await kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    await kubectl("scale", "deployment/web", "--replicas=4")
    entries = {entry.get("subresource", ""): entry for entry in await managed(kubectl)}
    assert not _has_replicas(entries[""])
    scaled = entries["scale"]
    assert (scaled["manager"], scaled["operation"], scaled["apiVersion"]) == ("kubectl", "Update", "apps/v1")
    assert scaled["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 5}}
    code, status = await call("PATCH", f"{DEPLOYMENT}/scale?fieldManager=hpa", scale, APPLY)
    assert code == 409
    assert 'conflict with "kubectl" with subresource "scale" using autoscaling/v1' in status["message"]
    code, answer = await call("PATCH", f"{DEPLOYMENT}/scale?fieldManager=hpa&force=true", scale, APPLY)
    assert (code, answer["kind"], answer["spec"]["replicas"]) == (200, "Scale", 5)
    owners = [(entry["manager"], entry["operation"]) for entry in await managed(kubectl) if _has_replicas(entry)]
    assert owners == [("hpa", "Apply")]


async def test_status_is_applied_through_its_subresource(api: RunningApi, call: Call) -> None:
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    await api.client.create(
        DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": {**spec, "template": template}}, "default"
    )
    body: Obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    body["status"] = {"replicas": 1, "readyReplicas": 1}
    code, answer = await call("PATCH", f"{DEPLOYMENT}/status?fieldManager=me", body, APPLY)
    assert (code, answer["status"]) == (200, body["status"])
    entry = answer["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"], entry["subresource"]) == ("me", "Apply", "status")
    assert entry["fieldsV1"] == {"f:status": {"f:readyReplicas": {}, "f:replicas": {}}}
    body["metadata"] = {"name": "gone"}
    code, _ = await call("PATCH", f"{DEPLOYMENT.replace('web', 'gone')}/status?fieldManager=me", body, APPLY)
    assert code == 404


def config_map(**data: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


@pytest.mark.parametrize(
    ("query", "change", "code", "message"),
    [
        ("", {}, 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply'),
        ("fieldManager=m", {"metadata": {"name": "c", "managedFields": [{}]}}, 400, "managedFields must be nil"),
        ("fieldManager=m", {"kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret"),
        ("fieldManager=m", {"metadata": {"name": "d"}}, 400, "does not match the name on the URL"),
        ("fieldManager=m", {"metadata": {"uid": "u"}}, 409, "uid mismatch: the provided object specified uid u"),
        ("fieldManager=m", {"extra": 1}, 400, ": .extra: field not declared in schema"),
        ("fieldManager=m", {"data": {"a": 1}}, 400, ".data.a: expected string"),
    ],
)
async def test_refusals(call: Call, query: str, change: Obj, code: int, message: str) -> None:
    answered, status = await call("PATCH", f"{CONFIG_MAP}?{query}", {**config_map(a="b"), **change}, APPLY)
    assert answered == code
    assert message in status["message"]


async def test_force_is_for_apply_only(call: Call) -> None:
    code, status = await call("PATCH", f"{CONFIG_MAP}?force=true", {}, "application/merge-patch+json")
    assert code == 422
    assert "force: Forbidden: may not be specified for non-apply patch" in status["message"]
    code, status = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", b"\xa0", "application/apply-patch+cbor")
    assert code == 415
    assert "application/apply-patch+yaml" in status["message"]


async def test_apply_by_yaml_creates_and_says_so(call: Call) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: b\n  a: c\n"
    code, status = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m&fieldValidation=Strict", body, APPLY)
    assert code == 400
    assert status["message"].endswith('key "a" already set in map')
    code, made = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", body, APPLY)
    assert (code, made["data"]) == (201, {"a": "c"})
    code, _ = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", body, APPLY)
    assert code == 200


async def test_an_older_resource_version_is_a_conflict(call: Call) -> None:
    _, made = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", config_map(a="b"), APPLY)
    version = made["metadata"]["resourceVersion"]
    await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", config_map(a="c"), APPLY)
    stale = {**config_map(a="d"), "metadata": {"name": "c", "resourceVersion": version}}
    code, status = await call("PATCH", f"{CONFIG_MAP}?fieldManager=m", stale, APPLY)
    assert (code, status["reason"]) == (409, "Conflict")
    assert "the object has been modified" in status["message"]


async def test_managers_are_named_by_option_or_agent(api: RunningApi, kubectl: Kubectl) -> None:
    made = await api.client.create(CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"a": "b"}}, "default")
    assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["test"]
    await kubectl("label", "configmap/c", "x=y")
    await kubectl("annotate", "configmap/c", "x=y", "--field-manager=me")
    names = [entry["manager"] for entry in await managed(kubectl, "configmap/c")]
    assert sorted(names) == ["kubectl-label", "me", "test"]


async def test_in_process_clients_apply_as_their_program(api: RunningApi) -> None:
    client = api.server.client("system:serviceaccount:kube-system:some-controller", "system:masters")
    applied = await client.patch(CONFIG_MAPS, "c", {"data": {"a": "b"}}, "default", kind="apply")
    (entry,) = applied["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("kube-controller-manager", "Apply")


async def test_creating_by_apply_takes_the_right_to_create(api: RunningApi) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]
    role = {"metadata": {"name": "patcher"}, "rules": rules}
    subject = {"kind": "User", "name": "ben", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "patcher"}
    binding = {"metadata": {"name": "patcher"}, "roleRef": reference, "subjects": [subject]}
    await api.client.create(ROLES, role, "default")
    await api.client.create(ROLE_BINDINGS, binding, "default")
    ben = api.server.client("ben")
    with pytest.raises(Forbidden, match='cannot create resource "configmaps"'):
        await ben.patch(CONFIG_MAPS, "c", {"data": {"a": "b"}}, "default", kind="apply")
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "c"}}, "default")
    await ben.patch(CONFIG_MAPS, "c", {"data": {"a": "b"}}, "default", kind="apply")


async def test_custom_resources_merge_as_their_schema_says(api: RunningApi, call: Call) -> None:
    port = {"type": "object", "required": ["port"], "properties": {"port": {"type": "integer"}, "name": TEXT}}
    ports = {
        "type": "array", "items": port, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
    }  # fmt: skip
    spec = {"type": "object", "properties": {"ports": ports, "words": {"type": "array", "items": TEXT}}}
    names = {"plural": "things", "kind": "Thing"}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": OPEN}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    definition = {"metadata": {"name": "things.x.y"}, "spec": {"group": "x.y", "scope": "Namespaced", "names": names}}
    definition["spec"]["versions"] = [version]
    await api.client.create(DEFINITIONS, definition)
    things = "/apis/x.y/v1/namespaces/default/things/t"

    async def apply(manager: str, path: str = things, **content: Any) -> tuple[int, Obj]:
        body = {"apiVersion": "x.y/v1", "kind": "Thing", "metadata": {"name": "t"}, **content}
        answer: tuple[int, Obj] = await call("PATCH", f"{path}?fieldManager={manager}", body, APPLY)
        return answer

    async def created() -> bool:
        code, _ = await apply("a", spec={"ports": [{"port": 80, "name": "web"}], "words": ["x"]})
        assert code in (201, 404)
        return code == 201

    await until(created, "the definition to be served")
    code, both = await apply("b", spec={"ports": [{"port": 443}]}, status={"seen": True})
    assert [each["port"] for each in both["spec"]["ports"]] == [80, 443]
    entry = next(each for each in both["metadata"]["managedFields"] if each["manager"] == "b")
    assert entry["fieldsV1"] == {"f:spec": {"f:ports": {'k:{"port":443}': {".": {}, "f:port": {}}}}}
    code, status = await apply("b", spec={"words": ["y"]})
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "a": .spec.words'
    code, status = await apply("b", spec={"port": 1})
    assert (code, status["message"].endswith(".spec.port: field not declared in schema")) == (400, True)
    code, seen = await apply("c", f"{things}/status", status={"seen": {"deeply": 1}})
    assert (code, seen["status"]) == (200, {"seen": {"deeply": 1}})
    entry = next(each for each in seen["metadata"]["managedFields"] if each["manager"] == "c")
    assert (entry["subresource"], entry["fieldsV1"]) == (
        "status",
        {"f:status": {"f:seen": {".": {}, "f:deeply": {}}}},
    )
