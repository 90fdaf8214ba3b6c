"""Places that go while Helm is at work there: a namespace, a project. Nothing holds them up, nothing is left."""

from __future__ import annotations

from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import NAMESPACES, SECRETS
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import release, releasing
from tests.support.waiting import until, until_raises

WAITING = {"values": {"ready": "false"}, "timeoutSeconds": 3000}


async def test_namespaces_and_projects_end_while_something_is_installed() -> None:
    async with releasing() as running:
        admin, ben = running.admin, running.as_user("ben")
        await admin.create(NAMESPACES, {"metadata": {"name": "tools"}})
        await admin.create(RELEASES, release("web", **WAITING), "tools")
        await ben.create(RELEASES, release("web", **WAITING), "lidar")
        await ben.create(RELEASES, release("near", targetNamespace="lidar-b", **WAITING), "lidar")
        for namespace, name in (("tools", "web"), ("lidar", "web"), ("lidar-b", "near")):
            await until(lambda at=namespace, of=name: is_begun(admin, at, of), f"helm waits in {namespace}")
        await admin.delete(NAMESPACES, "tools")
        await until_raises(NotFound, lambda: admin.get(NAMESPACES, "tools"))
        await admin.delete(PROJECTS, "lidar")
        for namespace in ("lidar", "lidar-b"):
            await until_raises(NotFound, lambda at=namespace: admin.get(NAMESPACES, at))


async def is_begun(admin: HttpClient, namespace: str, name: str) -> bool:
    kept = (await admin.list(SECRETS, namespace)).items
    return any((one["metadata"].get("labels") or {}).get("name") == name for one in kept)
