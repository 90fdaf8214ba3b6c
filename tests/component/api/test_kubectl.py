"""What users do with kubectl, as far as it needs no containers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from skerry.kube.resources import DEPLOYMENTS, NAMESPACES
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl
from tests.support.waiting import LIMIT, WITHIN, until

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1"}]}
"""


async def test_apply_is_declarative(kubectl: Kubectl) -> None:
    first = await kubectl("apply", "-f", "-", stdin=MANIFEST)
    assert first.out == "configmap/settings created\ndeployment.apps/web created\n"
    again = await kubectl("apply", "-f", "-", stdin=MANIFEST)
    assert again.out == "configmap/settings unchanged\ndeployment.apps/web unchanged\n"
    changed = MANIFEST.replace("blue", "red").replace("replicas: 2", "replicas: 3")
    difference = await kubectl.attempt("diff", "-f", "-", stdin=changed)
    assert difference.code == 1
    assert "-  colour: blue\n+  colour: red" in difference.out
    assert "+  replicas: 3" in difference.out
    third = await kubectl("apply", "-f", "-", stdin=changed)
    assert third.out == "configmap/settings configured\ndeployment.apps/web configured\n"
    assert (await kubectl.attempt("diff", "-f", "-", stdin=changed)).code == 0


async def test_typed_commands(kubectl: Kubectl) -> None:
    """These send protobuf."""
    await kubectl("create", "namespace", "team")
    await kubectl("create", "configmap", "c", "--from-literal=a=b", "-n", "team")
    await kubectl("create", "secret", "generic", "s", "--from-literal=p=q")
    await kubectl("create", "deployment", "web", "--image=nginx:1", "--replicas=2", "--port=80")
    await kubectl("expose", "deployment", "web", "--port=80", "--type=NodePort")
    await kubectl("run", "p", "--image=busybox:1", "--restart=Never", "--env=A=b", "--", "sleep", "1")
    await kubectl("create", "quota", "q", "--hard=pods=3,cpu=1500m")
    assert (await kubectl("get", "cm", "c", "-n", "team", "-o", "jsonpath={.data.a}")).out == "b"
    assert (await kubectl("get", "secret", "s", "-o", "jsonpath={.data.p}")).out == "cQ=="
    deployment = json.loads((await kubectl("get", "deploy", "web", "-o", "json")).out)
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["template"]["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80, "protocol": "TCP"}
    ]
    pod = json.loads((await kubectl("get", "pod", "p", "-o", "json")).out)
    assert pod["spec"]["containers"][0]["env"] == [{"name": "A", "value": "b"}]
    assert pod["spec"]["restartPolicy"] == "Never"
    assert (await kubectl("get", "quota", "q", "-o", "jsonpath={.spec.hard.cpu}")).out == "1500m"


async def test_output_forms(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    wide = (await kubectl("get", "deployment", "-o", "wide")).out.splitlines()
    assert wide[0].split()[:5] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert wide[1].split()[:2] == ["web", "0/2"]
    assert "nginx:1" in wide[1]
    assert (await kubectl("get", "deploy", "-o", "name")).out == "deployment.apps/web\n"
    assert "colour: blue" in (await kubectl("get", "cm", "settings", "-o", "yaml")).out
    columns = await kubectl("get", "cm", "settings", "-o", "custom-columns=N:.metadata.name,C:.data.colour")
    assert columns.out.splitlines()[1].split() == ["settings", "blue"]
    assert "Selector:" in (await kubectl("describe", "deploy", "web")).out
    assert "service/kubernetes" in (await kubectl("get", "all", "-A")).out


async def test_watching_tables(kubectl: Kubectl, api: RunningApi) -> None:
    watching = await kubectl.start("get", "deployments", "-w")
    assert watching.stdout
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    header = await asyncio.wait_for(watching.stdout.readline(), LIMIT)
    added = await asyncio.wait_for(watching.stdout.readline(), LIMIT)
    status = {"status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2}}
    await api.client.patch(DEPLOYMENTS, "web", status, "default", subresource="status")
    changed = await asyncio.wait_for(watching.stdout.readline(), LIMIT)
    watching.kill()
    await watching.communicate()
    assert header.split()[:2] == [b"NAME", b"READY"]
    assert added.split()[:2] == [b"web", b"0/2"]
    assert changed.split()[:3] == [b"web", b"1/2", b"2"]


async def test_labels_annotations_patches_edits_and_scale(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    await kubectl("label", "deploy", "web", "tier=front")
    await kubectl("annotate", "deploy", "web", "note=hello")
    await kubectl("scale", "deploy", "web", "--replicas=5")
    await kubectl("patch", "deploy", "web", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":'
                  '[{"name":"A","value":"1"}]}]}}}}')  # fmt: skip
    await kubectl("patch", "deploy", "web", "--type=json", "-p", '[{"op":"add","path":"/spec/paused","value":true}]')
    await kubectl("set", "image", "deploy/web", "web=nginx:2")
    await kubectl("edit", "deploy", "web", env={"KUBE_EDITOR": "sed -i s/nginx:2/nginx:3/"})
    deployment = json.loads((await kubectl("get", "deploy", "web", "-o", "json")).out)
    assert deployment["metadata"]["labels"]["tier"] == "front"
    assert deployment["metadata"]["annotations"]["note"] == "hello"
    assert deployment["spec"]["replicas"] == 5
    assert deployment["spec"]["paused"] is True
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"]) == ("nginx:3", [{"name": "A", "value": "1"}])
    assert deployment["metadata"]["generation"] == 7  # annotations count for Deployments
    selected = await kubectl("get", "deploy", "-l", "tier in (front)", "-o", "name")
    assert selected.out == "deployment.apps/web\n"
    conflict = await kubectl.attempt("scale", "deploy", "web", "--current-replicas=1", "--replicas=2")
    assert conflict.code == 1


async def test_delete_and_wait(kubectl: Kubectl, api: RunningApi) -> None:
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    waiting = asyncio.create_task(kubectl("wait", "--for=delete", "configmap/settings", WITHIN))
    condition = asyncio.create_task(kubectl("wait", "--for=condition=Available", "deploy/web", WITHIN))
    await until(lambda: all(api.store._broadcaster.is_watched(one) for one in ("configmaps", "deployments.apps")))
    available = {"type": "Available", "status": "True", "reason": "x", "message": ""}
    status = {"status": {"conditions": [available]}}
    await api.client.patch(DEPLOYMENTS, "web", status, "default", subresource="status")
    assert (await condition).out == "deployment.apps/web condition met\n"
    assert (await kubectl("delete", "-f", "-", stdin=MANIFEST)).out.count("deleted") == 2
    await waiting
    missing = await kubectl.attempt("get", "deploy", "web")
    assert missing.err == 'Error from server (NotFound): deployments.apps "web" not found\n'


async def test_a_namespace_goes_when_its_controller_is_done(kubectl: Kubectl, api: RunningApi) -> None:
    await kubectl("create", "ns", "team")
    await kubectl("delete", "ns", "team", "--wait=false")
    assert (await kubectl("get", "ns", "team")).out.splitlines()[1].split()[1] == "Terminating"
    refused = await kubectl.attempt("create", "configmap", "c", "-n", "team")
    assert "because it is being terminated" in refused.err
    namespace = await api.client.get(NAMESPACES, "team")
    await api.client.update(NAMESPACES, {**namespace, "spec": {}}, "finalize")
    assert "not found" in (await kubectl.attempt("get", "ns", "team")).err


async def test_mistakes_are_explained(kubectl: Kubectl) -> None:
    unknown = await kubectl.attempt("apply", "-f", "-", stdin=MANIFEST.replace("replicas", "replica"))
    assert 'unknown field "spec.replica"' in unknown.err
    wrong = await kubectl.attempt(
        "apply", "-f", "-", stdin=MANIFEST.replace("app: web}}\n  template", "app: x}}\n  template")
    )
    assert "`selector` does not match template `labels`" in wrong.err
    listed = {"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "l"}, "daat": {}}]}  # fmt: skip
    in_list = await kubectl.attempt("apply", "-f", "-", stdin=json.dumps(listed))
    assert 'unknown field "daat" in io.k8s.api.core.v1.ConfigMap' in in_list.err


async def test_it_says_what_it_is(kubectl: Kubectl) -> None:
    assert "Server Version: v1.36.0+skerry" in (await kubectl("version")).out
    resources = (await kubectl("api-resources", "--no-headers")).out
    assert any(line.split()[:2] == ["deployments", "deploy"] for line in resources.splitlines())
    explained = (await kubectl("explain", "deployment.spec.replicas")).out
    assert "Number of desired pods" in explained
    assert "[+]ping ok" in (await kubectl("get", "--raw", "/readyz?verbose")).out


async def test_kustomize(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = tmp_path / "kustomization"
    folder.mkdir()
    (folder / "all.yaml").write_text(MANIFEST)
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\nnamePrefix: dev-\n")
    await kubectl("apply", "-k", str(folder))
    assert (await kubectl("get", "deploy", "-o", "name")).out == "deployment.apps/dev-web\n"


async def test_subresources_are_listed_like_objects(kubectl: Kubectl) -> None:
    await kubectl("create", "deployment", "web", "--image=nginx:1", "--replicas=2")
    lines = (await kubectl("get", "deployment", "web", "--subresource=scale")).out.splitlines()
    assert lines[0].split() == ["NAME", "DESIRED", "AVAILABLE", "AGE"]
    assert lines[1].split()[:2] == ["web", "2"]
    lines = (await kubectl("get", "deployment", "web", "--subresource=status")).out.splitlines()
    assert lines[0].split()[:2] == ["NAME", "READY"]


async def test_the_address_of_a_service_is_not_changed_but_by_force(kubectl: Kubectl) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
    service += "spec: {clusterIP: %s, ports: [{port: 80}], selector: {app: a}}"
    await kubectl("apply", "-f", "-", stdin=service % "None")
    address = (await kubectl("create", "service", "clusterip", "b", "--tcp=80", "-o", "jsonpath={.spec.clusterIP}")).out
    await kubectl("delete", "service", "b")
    refused = await kubectl.attempt("apply", "-f", "-", stdin=service % address)
    assert f'spec.clusterIPs[0]: Invalid value: ["{address}"]: may not change once set' in refused.err
    await kubectl("apply", "-f", "-", "--force", stdin=service % address)
    assert (await kubectl("get", "service", "a", "-o", "jsonpath={.spec.clusterIPs}")).out == f'["{address}"]'
