"""Helm 4: what it asks the server while it makes manifests, what it installs first, and a chart of many kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.helm import Helm, make_chart
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

WAITING = ("--wait", WITHIN)
LOOKUP = """
{{- $old := lookup "v1" "Secret" .Release.Namespace "password" }}
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData:
  value: {{ if $old }}{{ $old.data.value | b64dec }}{{ else }}{{ randAlphaNum 16 }}{{ end }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data:
  namespaces: {{ range (lookup "v1" "Namespace" "" "").items }}{{ .metadata.name }},{{ end }}
  nobody: {{ lookup "v1" "Secret" .Release.Namespace "nobody" | toJson | quote }}
  version: {{ .Capabilities.KubeVersion.Version }}
  policies: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" | quote }}
  strange: {{ .Capabilities.APIVersions.Has "strange/v1" | quote }}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.%(group)s}
spec:
  group: %(group)s
  scope: Namespaced
  names: {kind: Boat, plural: boats, singular: boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, required: [masts], properties: {masts: {type: integer, minimum: 1}}}}
"""
BOAT = "apiVersion: %(group)s/v1\nkind: Boat\nmetadata: {name: skiff}\nspec: {masts: {{ .Values.masts }}}\n"


def configmap(api: RawApi, helm: Helm, name: str) -> dict[str, str] | None:
    code, found = api.call("GET", f"/api/v1/namespaces/{helm.namespace}/configmaps/{name}")
    return found["data"] if code == 200 else None


def test_lookups_see_the_cluster(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    chart = str(make_chart(tmp_path, {"templates/all.yaml": LOOKUP}))
    secret = f"/api/v1/namespaces/{helm.namespace}/secrets/password"
    helm("install", "app", chart, *WAITING)
    seen = configmap(api, helm, "seen")
    assert seen
    assert helm.namespace in seen["namespaces"].split(",")
    assert seen["version"].startswith("v1.36.")
    assert (seen["nobody"], seen["policies"], seen["strange"]) == ("{}", "true", "false")
    password = api.call("GET", secret)[1]["data"]["value"]
    helm("upgrade", "app", chart, *WAITING)
    assert api.call("GET", secret)[1]["data"]["value"] == password


@pytest.mark.parametrize("command", [("install", "app"), ("upgrade", "--install", "app")])
def test_a_dry_run_on_the_server_asks_it_and_changes_nothing(
    helm: Helm, tmp_path: Path, api: RawApi, command: tuple[str, ...]
) -> None:
    chart = str(make_chart(tmp_path, {"templates/all.yaml": LOOKUP}))
    said = helm(*command, chart, "--dry-run=server")
    assert f"{helm.namespace}," in said
    assert "STATUS: pending-install" in said
    assert configmap(api, helm, "seen") is None
    assert helm.json("list", "--pending", "--failed", "--deployed") == []
    assert "namespaces: \n" in helm("install", "app", chart, "--dry-run=client").replace(
        "namespaces:\n", "namespaces: \n"
    )


def test_templates_are_checked_against_the_server(helm: Helm, tmp_path: Path) -> None:
    fine = make_chart(tmp_path, {"templates/all.yaml": LOOKUP}, "fine")
    assert "kind: Secret" in helm("template", "app", str(fine), "--dry-run=server")
    wrong = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {portz: [{port: 80}]}\n"
    refused = helm.fails("install", "app", str(make_chart(tmp_path, {"templates/all.yaml": wrong}, "wrong")))
    assert "portz" in refused
    strange = "apiVersion: nobody.example/v1\nkind: Strange\nmetadata: {name: s}\n"
    chart = str(make_chart(tmp_path, {"templates/all.yaml": strange}, "strange"))
    assert 'no matches for kind "Strange" in version "nobody.example/v1"' in helm.fails("install", "other", chart)


def test_definitions_come_first_and_stay(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    group = {"group": f"{helm.namespace}.example.com"}
    files = {"crds/boat.yaml": DEFINITION % group, "templates/skiff.yaml": BOAT % group}
    chart = str(make_chart(tmp_path, files, values="masts: 1\n"))
    boat = f"/apis/{group['group']}/v1/namespaces/{helm.namespace}/boats/skiff"
    helm("install", "app", chart, *WAITING)
    assert api.call("GET", boat)[1]["spec"] == {"masts": 1}
    helm("upgrade", "app", chart, "--set", "masts=2", *WAITING)
    assert api.call("GET", boat)[1]["spec"] == {"masts": 2}
    assert "spec.masts" in helm.fails("upgrade", "app", chart, "--set", "masts=0", "--rollback-on-failure")
    assert api.call("GET", boat)[1]["spec"] == {"masts": 2}
    helm("uninstall", "app", "--wait")
    code, _ = api.call("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boats.{group['group']}")
    assert (code, api.call("GET", boat)[0]) == (200, 404)


def test_a_definition_in_templates_is_waited_for(helm: Helm, tmp_path: Path) -> None:
    group = {"group": f"t{helm.namespace}.example.com"}
    chart = str(make_chart(tmp_path, {"templates/boat.yaml": DEFINITION % group}))
    helm("install", "app", chart, *WAITING)
    helm("uninstall", "app", *WAITING)


def _of(kind: str, version: str, name: str, **fields: object) -> str:
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields})


def _many() -> list[str]:
    """Thirty objects of all the kinds that charts commonly have."""
    labels = {"app": "many"}
    pod = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    once = {"spec": {**pod, "restartPolicy": "Never"}}
    workload = {"selector": {"matchLabels": labels}, "template": template}
    rule = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "name": "r"}
    subjects = [{"kind": "ServiceAccount", "name": "a", "namespace": "{{ .Release.Namespace }}"}]
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    http = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        *(_of("ConfigMap", "v1", f"c{number}", data={"n": str(number)}) for number in range(9)),
        *(_of("Secret", "v1", f"s{number}", stringData={"n": str(number)}) for number in range(5)),
        _of("ServiceAccount", "v1", "a"),
        _of("Role", rbac, "r", rules=rule),
        _of("RoleBinding", rbac, "r", roleRef={**role, "kind": "Role"}, subjects=subjects),
        _of("ClusterRole", rbac, "many-{{ .Release.Namespace }}", rules=rule),
        _of("ClusterRoleBinding", rbac, "many-{{ .Release.Namespace }}", subjects=subjects,
            roleRef={**role, "kind": "ClusterRole", "name": "many-{{ .Release.Namespace }}"}),
        _of("Service", "v1", "s", spec={"selector": labels, "ports": [{"port": 80}]}),
        _of("Service", "v1", "headless", spec={"clusterIP": "None", "selector": labels, "ports": [{"port": 80}]}),
        _of("Deployment", "apps/v1", "d", spec={**workload, "replicas": 2}),
        _of("StatefulSet", "apps/v1", "f", spec={**workload, "serviceName": "headless", "replicas": 2}),
        _of("DaemonSet", "apps/v1", "e", spec=workload),
        _of("Job", "batch/v1", "j", spec={"template": once}),
        _of("CronJob", "batch/v1", "n", spec={"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": once}}}),
        _of("PodDisruptionBudget", "policy/v1", "b", spec={"maxUnavailable": 1, "selector": {"matchLabels": labels}}),
        _of("NetworkPolicy", "networking.k8s.io/v1", "p", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        _of("Ingress", "networking.k8s.io/v1", "i", spec={"rules": [{"host": "many.localhost", "http": http}]}),
        _of("HorizontalPodAutoscaler", "autoscaling/v2", "h", spec={"maxReplicas": 2, "scaleTargetRef": target}),
    ]  # fmt: skip


def test_thirty_objects_of_seventeen_kinds(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    manifests = _many()
    assert (len(manifests), len({json.loads(one)["kind"] for one in manifests})) == (30, 17)
    chart = str(make_chart(tmp_path, {f"templates/{n}.yaml": one for n, one in enumerate(manifests)}))
    helm("install", "app", chart, "--wait-for-jobs", *WAITING)
    namespaced = f"/apis/apps/v1/namespaces/{helm.namespace}"
    assert api.call("GET", f"{namespaced}/deployments/d")[1]["status"]["readyReplicas"] == 2
    assert api.call("GET", f"{namespaced}/statefulsets/f")[1]["status"]["readyReplicas"] == 2
    generations = _generations(helm, api)
    helm("upgrade", "app", chart, *WAITING)
    assert _generations(helm, api) == generations
    assert len(helm("get", "manifest", "app").split("# Source:")) == 31
    helm("uninstall", "app", *WAITING)
    assert api.call("GET", f"{namespaced}/deployments")[1]["items"] == []
    assert api.call("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/many-{helm.namespace}")[0] == 404


def _generations(helm: Helm, api: RawApi) -> list[int]:
    """What an upgrade that changes nothing leaves as it is."""
    kinds = ("deployments/d", "statefulsets/f", "daemonsets/e")
    found = [api.call("GET", f"/apis/apps/v1/namespaces/{helm.namespace}/{kind}")[1] for kind in kinds]
    return [one["metadata"]["generation"] for one in found]
