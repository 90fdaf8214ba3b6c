"""Apps made by hand on a test cluster: a Release with its status, and what it would have made. No Helm runs."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.resources import DEPLOYMENTS, EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS
from skerry.platform.base.capability import Capability
from skerry.platform.catalog.types import CATALOG, CATALOG_ENTRY
from skerry.platform.identity.capability import IDENTITY
from skerry.platform.projects.capability import PROJECTS
from skerry.platform.releases.types import RELEASE, RELEASE_LABEL, RELEASES
from skerry.platform.usage.capability import USAGE
from tests.support.portal import RunningPortal
from tests.support.waiting import until


def _for(role: str, resources: list[str], verbs: list[str]) -> Obj:
    metadata = {"name": f"test:{role}-of-apps", "labels": {f"skerry.dev/aggregate-to-{role}": "true"}}
    rules = [{"apiGroups": ["skerry.dev"], "resources": resources, "verbs": verbs}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


_ROLES = (
    _for("viewer", ["releases", "catalogs", "catalogentries"], ["get", "list", "watch"]),
    _for("editor", ["releases"], ["create", "update", "patch", "delete"]),
)
KINDS_ONLY = Capability("apps", (RELEASE, CATALOG, CATALOG_ENTRY), (), objects=lambda: _ROLES)
"""The kinds of catalogue and releases, and nobody who acts on them."""
BY_HAND: tuple[Capability, ...] = (PROJECTS, IDENTITY, USAGE, KINDS_ONLY)


def revision_secret(name: str, revision: int, values: dict[str, Any]) -> Obj:
    """As Helm keeps it."""
    noted = gzip.compress(json.dumps({"config": values, "manifest": ""}).encode())
    data = base64.b64encode(base64.b64encode(noted)).decode()
    return {"metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}"}, "data": {"release": data}}


def revision(number: int, **more: str) -> Obj:
    """A line of a history."""
    return {"revision": number, "chart": "web-application-1.0.0", "status": "superseded", **more}


async def app_by_hand(
    portal: RunningPortal, namespace: str, name: str, values: dict[str, Any] | None = None, **annotations: str
) -> None:
    """Deployed, with one pod that runs and a claim. `annotations`: of the pod, for the rule that it follows."""
    admin = portal.running.admin
    spec = {"chart": {"catalog": "skerry", "name": "web-application"}, "values": values or {}}
    metadata = {"name": name, "namespace": namespace, "labels": {RELEASE_LABEL: name}}
    made = await admin.create(RELEASES, {"metadata": metadata, "spec": spec}, namespace)
    now = "2026-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": "True", "reason": "Deployed", "message": "", "lastTransitionTime": now}
    status = {
        "phase": "Deployed", "revision": 2, "chart": "web-application-1.0.0", "conditions": [ready],
        "url": f"https://{name}.{namespace}.localhost", "notes": "Open it in your browser.",
        "history": [revision(2, status="deployed", description="Upgrade complete"), revision(1)],
    }  # fmt: skip
    await admin.update(RELEASES, {**made, "status": status}, "status")
    await admin.create(DEPLOYMENTS, {"metadata": metadata, "spec": _deployment(name, annotations)}, namespace)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    data = {**metadata, "name": f"{name}-data"}
    await admin.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": data, "spec": claim}, namespace)
    for number, given in ((1, {}), (2, values or {})):
        await admin.create(SECRETS, revision_secret(name, number, given), namespace)
    await until(lambda: pods_of(portal, namespace, name), f"a pod of {name}")


async def pods_of(portal: RunningPortal, namespace: str, name: str) -> list[Obj]:
    """Those of an app of which their machine has told."""
    listed = (await portal.running.admin.list(PODS, namespace)).items
    theirs = [one for one in listed if one["metadata"]["labels"].get("app") == name]
    return [one for one in theirs if one["status"].get("containerStatuses")]


async def happened(portal: RunningPortal, pod: Obj, reason: str, message: str, kind: str = "Warning") -> None:
    """An event about a pod."""
    about = {
        "kind": "Pod",
        "apiVersion": "v1",
        "name": pod["metadata"]["name"],
        "namespace": pod["metadata"]["namespace"],
    }
    event = {"metadata": {"generateName": "e-"}, "involvedObject": about, "reason": reason, "message": message,
             "type": kind, "lastTimestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
    await portal.running.admin.create(EVENTS, event, about["namespace"])


def _deployment(name: str, annotations: dict[str, str]) -> Obj:
    limits = {"cpu": "200m", "memory": "128Mi"}
    security = {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    container = {"name": "main", "image": "skerry.local/web:1", "resources": {"limits": limits, "requests": limits}}
    template = {
        "metadata": {"labels": {"app": name}, "annotations": annotations},
        "spec": {"containers": [{**container, "securityContext": security}]},
    }
    return {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
