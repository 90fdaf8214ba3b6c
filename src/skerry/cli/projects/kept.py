"""What `skerry-archives` has of a project: its manifests, and the claims with its volumes' data. For operators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skerry.cli.errors import CommandFailed
from skerry.cli.watching import changed
from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@record
class Archive:
    """Of one life of a project. `data`: what is kept of each volume, by the name of the claim that has it."""

    name: str
    life: str
    manifests: list[Obj]
    data: dict[str, Obj]
    image: str
    """Whose tar reads the data."""


async def archive_of(client: HttpClient, name: str) -> Archive:
    """The newest. Raises CommandFailed when there is none, StatusError."""
    from skerry.kube.client import Selection
    from skerry.kube.resources import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, SECRETS
    from skerry.platform.projects.lifecycle.archiving import copying
    from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVE_LABEL, ARCHIVES, unpacked

    listed = (await client.list(SECRETS, ARCHIVES, Selection(f"{ARCHIVE_LABEL}={name}"))).items
    if not listed:
        raise CommandFailed(f"there is no archive of {name}: skerry projects archive {name} makes one")
    life = _life(max(listed, key=lambda one: str(one["metadata"]["creationTimestamp"])))
    whole: Any = unpacked(one for one in listed if _life(one) == life)
    claims = (await client.list(PERSISTENT_VOLUME_CLAIMS, ARCHIVES, Selection(f"{copying.LIFE_LABEL}={life}"))).items
    said = {name_of(one): annotations_of(one).get(copying.KEPT) for one in claims}
    data = {claim: json.loads(text) for claim, text in sorted(said.items()) if text}
    marked = annotations_of(await client.get(NAMESPACES, ARCHIVES)).get(copying.IMAGE)
    return Archive(name, life, whole["items"], data, marked or copying.OWN_IMAGE)


async def until_pod(client: HttpClient, pod: Obj, phases: tuple[str, ...], what: str) -> Obj:
    """The pod once it is in one of these phases; prints what keeps it. Raises CommandFailed, StatusError, OSError."""
    import click

    from skerry.kube.resources import PODS
    from skerry.platform.projects.lifecycle.archiving.copying import said_by
    from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

    told = ""
    while True:
        said = said_by(pod)
        if said.phase in phases:
            return pod
        if said.phase in ("Succeeded", "Failed"):
            raise CommandFailed(f"{what}: {said.message or said.phase}")
        if said.message and said.message != told:
            told = said.message
            click.echo(f"{what}: {told}", err=True)
        await changed(client, PODS, pod)
        pod = await client.get(PODS, name_of(pod), ARCHIVES)


def _life(part: Obj) -> str:
    """A project that was made anew under its name has archives of its own."""
    return name_of(part).rpartition("-")[0]
