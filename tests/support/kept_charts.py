"""Charts in the API as the catalogue keeps them, made by hand: an entry, and the archive of each version."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from collections.abc import Mapping

from skerry.kube.errors import AlreadyExists
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES
from skerry.platform.base.kinds import resource_of

CATALOG_ENTRIES = resource_of("catalogentries", "CatalogEntry", namespaced=True)
GLOBAL = "skerry-catalogs"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {testing.skerry.dev/ready: {{ .Values.ready | quote }}, text: {{ .Values.text | quote }}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: skerry.local/web:1
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 10m, memory: 16Mi}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: {{ .Release.Name }}}
spec:
  tls: [{hosts: ["{{ .Values.host }}"], secretName: tls}]
  rules:
    - host: {{ .Values.host }}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
TEST = """
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test, testing.skerry.dev/exit-code: {{ .Values.testCode | quote }}}
spec:
  restartPolicy: Never
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: test
      image: skerry.local/web:1
      resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 10m, memory: 16Mi}}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
VALUES = "replicas: 1\nready: 'true'\ntext: hello\nhost: web.localhost\ntestCode: '0'\n"
WEB_FILES = {
    "templates/web.yaml": WEB,
    "templates/ingress.yaml": INGRESS,
    "templates/tests/test.yaml": TEST,
    "templates/NOTES.txt": "Open {{ .Values.host }}.",
    "values.yaml": VALUES,
}
"""A small web application: a Deployment, an Ingress, a test."""


def packed(name: str, version: str, files: Mapping[str, str]) -> bytes:
    """The archive of a chart."""
    described = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '7'\n", **files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in described.items():
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


async def put_chart(
    admin: HttpClient,
    name: str,
    versions: Mapping[str, Mapping[str, str]],
    *,
    namespace: str = GLOBAL,
    catalog: str = "test",
) -> None:
    """An entry with these versions and their archives; an entry that is there is replaced."""
    await _made(admin, NAMESPACES, {"metadata": {"name": namespace}}, None)
    listed = []
    for version, files in versions.items():
        archive = packed(name, version, files)
        digest = hashlib.sha256(archive).hexdigest()
        config_map: Obj = {
            "metadata": {"name": f"chart-{digest[:40]}", "labels": {"skerry.dev/chart": name}},
            "binaryData": {"chart.tgz": base64.b64encode(archive).decode()},
        }
        await _made(admin, CONFIG_MAPS, config_map, namespace)
        listed.append({"version": version, "digest": digest, "archive": config_map["metadata"]["name"]})
    entry = {"metadata": {"name": f"{catalog}.{name}"}, "spec": {"catalog": catalog, "name": name, "versions": listed}}
    try:
        await admin.create(CATALOG_ENTRIES, {"apiVersion": "skerry.dev/v1alpha1", **entry}, namespace)
    except AlreadyExists:
        await admin.patch(CATALOG_ENTRIES, f"{catalog}.{name}", {"spec": entry["spec"]}, namespace)


async def _made(admin: HttpClient, resource: object, obj: Obj, namespace: str | None) -> None:
    from skerry.kube.objects import Resource

    assert isinstance(resource, Resource)
    try:
        await admin.create(resource, obj, namespace)
    except AlreadyExists:
        return
