"""Releases on a test cluster: a platform with what they need, a project, charts made by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from skerry.kube.conditions import condition_of
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Capability
from skerry.platform.catalog.types import CATALOG, CATALOG_ENTRY
from skerry.platform.projects.capability import PROJECTS as PROJECTS_CAPABILITY
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.capability import RELEASES as RELEASES_CAPABILITY
from skerry.platform.releases.types import RELEASES
from tests.component.platform.test_projects import project, until_says
from tests.support.kept_charts import GLOBAL, WEB_FILES, put_chart
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until


def _everybodys() -> list[Obj]:
    """Who is signed in may read archives: the capability `catalog` says so elsewhere."""
    rbac, metadata = "rbac.authorization.k8s.io", {"name": "everybody", "namespace": GLOBAL}
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    subjects = [{"apiGroup": rbac, "kind": "Group", "name": "system:authenticated"}]
    reference = {"apiGroup": rbac, "kind": "Role", "name": "everybody"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GLOBAL}},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": reference,
         "subjects": subjects},
    ]  # fmt: skip


KINDS_OF_CATALOGS = Capability(name="catalog-kinds", kinds=(CATALOG, CATALOG_ENTRY), rights=(), objects=_everybodys)
CAPABILITIES = (PROJECTS_CAPABILITY, RELEASES_CAPABILITY, KINDS_OF_CATALOGS)


@asynccontextmanager
async def releasing(capabilities: Sequence[Capability] = CAPABILITIES) -> AsyncIterator[RunningPlatform]:
    """With project lidar of anna's, ben its editor, and the chart `web` for everybody."""
    async with running_platform(capabilities=capabilities) as running:
        members = [{"user": "ben", "role": "editor"}]
        await running.admin.create(PROJECTS, project("lidar", namespaces=["lidar", "lidar-b"], members=members))
        await put_chart(running.admin, "web", {"1.0.0": WEB_FILES})
        await until_says(running, "lidar", "Ready")
        yield running


def release(name: str, **spec: Any) -> Obj:
    """Of chart `web` unless it says otherwise."""
    whole = {"chart": {"name": "web"}, "timeoutSeconds": 600, **spec}
    return {"apiVersion": RELEASES.api_version, "kind": "Release", "metadata": {"name": name}, "spec": whole}


async def until_reason(client: HttpClient, name: str, reason: str, namespace: str = "lidar") -> Obj:
    """Wait until Ready has this reason and is about the present spec; the whole Release."""

    async def says() -> Obj | None:
        found = await client.get(RELEASES, name, namespace)
        ready = condition_of(found, "Ready")
        if ready is None or ready["observedGeneration"] != found["metadata"]["generation"]:
            return None
        assert ready["reason"] == reason, ready
        return found

    found = await until(says, f"{name}: {reason}")
    assert found is not None
    return found


def message_of(found: Obj) -> str:
    """Of its condition Ready."""
    ready = condition_of(found, "Ready")
    assert ready is not None
    return str(ready["message"])
