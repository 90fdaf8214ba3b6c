"""Makes from an archive what is not there: the project and its namespaces, its claims, then everything else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS
from skerry.cli.projects.kept import Archive
from skerry.cli.projects.refilling import Refill, Refiller
from skerry.cli.watching import changed
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj, Resource, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_LABEL = "skerry.dev/project"


class Restoring:
    """Of one archive. `client`: an operator's; `say`: what has been done, for people."""

    def __init__(self, client: HttpClient, archive: Archive, say: Callable[[str], object]) -> None:
        self._client, self._archive, self._say = client, archive, say

    async def project(self, is_there: bool) -> None:
        """Returns when its namespaces can be used. Raises StatusError, OSError."""
        from skerry.kube.errors import AlreadyExists
        from skerry.kube.resources import NAMESPACES

        name = self._archive.name
        if not is_there:
            await self._client.create(PROJECTS, _alive(self._of("Project")[0]))
            self._say(f"project {name}")
        project = await self._client.get(PROJECTS, name)
        while not condition_is_true(project, "Ready"):
            await changed(self._client, PROJECTS, project)
            project = await self._client.get(PROJECTS, name)
        there = set((project.get("status") or {}).get("namespaces") or ())
        wanted = {namespace_of(one) for one in self._archive.manifests if namespace_of(one)} - there
        for namespace in sorted(wanted):
            with suppress(AlreadyExists):
                metadata = {"name": namespace, "labels": {_LABEL: name}}
                await self._client.create(NAMESPACES, {"metadata": metadata})

    async def volumes(self) -> list[str]:
        """Fill its claims; returns what stands in the way. Raises StatusError, OSError."""
        from skerry.kube.errors import StatusError

        refiller, troubles = Refiller(self._client), []
        wanted = {f"{namespace_of(one)}/{name_of(one)}": one for one in self._of("PersistentVolumeClaim")}
        for kept, entry in self._archive.data.items():
            if entry["claim"] not in wanted:
                continue
            try:
                is_new = await refiller.refill(Refill(self._archive, kept, wanted[entry["claim"]]))
                self._say(f"{entry['claim']}: {'restored' if is_new else 'was there already, restored'}")
            except CommandFailed as failed:
                troubles.append(failed.message)
            except StatusError as error:
                troubles.append(f"{entry['claim']}: {error.message}")
        return troubles

    async def others(self) -> list[str]:
        """Make everything else that is not there, awake; returns what could not be. Raises StatusError, OSError."""
        from skerry.kube.errors import StatusError
        from skerry.kube.served import served_in_namespaces

        served = {(one.api_version, one.kind): one for one in (await served_in_namespaces(self._client)).resources}
        filled = {("PersistentVolumeClaim", entry["claim"]) for entry in self._archive.data.values()}
        troubles, made = [], 0
        for one in self._archive.manifests:
            key = f"{namespace_of(one)}/{name_of(one)}"
            if one["kind"] == "Project" or (one["kind"], key) in filled:
                continue
            resource = served.get((one["apiVersion"], one["kind"]))
            if resource is None:
                troubles.append(f"{one['kind']} {key}: {one['apiVersion']} is not served here")
                continue
            try:
                made += await self._make(resource, one)
            except StatusError as error:
                troubles.append(f"{one['kind']} {key}: {error.message}")
        self._say(f"{made} objects")
        return troubles

    async def _make(self, resource: Resource, wanted: Obj) -> bool:
        """Whether it was not there."""
        from skerry.kube.errors import AlreadyExists
        from skerry.platform.projects.lifecycle.sleeping import awake

        try:
            made = await self._client.create(resource, wanted, namespace_of(wanted))
        except AlreadyExists:
            return False
        patch = awake(resource, made)
        if patch is not None:
            await self._client.patch(resource, name_of(made), patch, namespace_of(made))
        return True

    def _of(self, kind: str) -> list[Obj]:
        return [one for one in self._archive.manifests if one["kind"] == kind]


def _alive(project: Obj) -> Obj:
    """As it was, but neither archived nor at its end: an end that has passed would bring it down again."""
    from datetime import UTC, datetime

    from skerry.kube.clock import parse_time

    spec = {**project["spec"], "state": "Active"}
    if spec.get("expires") and parse_time(spec["expires"]) <= datetime.now(UTC):
        del spec["expires"]
    return {**project, "spec": spec}
