"""Waits for what becomes of a release, and tells what it is doing meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import RELEASES
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_WAITED_FOR = ("ChartPending", "SourcePending")
"""Reasons that pass by themselves."""
_RESTING = ("Stopped", "Suspended")


async def until_settled(client: HttpClient, release: Obj) -> Obj:
    """The release once it is what its present spec says. Raises CommandFailed with the reason when it cannot be."""
    from skerry.cli.watching import changed

    said = ""
    while True:
        ready = condition_of(release, "Ready")
        if ready is not None and ready.get("observedGeneration") == release["metadata"]["generation"]:
            if ready["status"] == "True" or ready["reason"] in _RESTING:
                return release
            if not _goes_on(release, ready):
                raise CommandFailed(failure(release, ready))
            step = (release.get("status") or {}).get("step") or ready["message"]
            if step != said:
                click.echo(f"  {step}", err=True)
                said = step
        await changed(client, RELEASES, release)
        release = await client.get(RELEASES, name_of(release), namespace_of(release))


def failure(release: Obj, ready: Obj) -> str:
    """Why, and what next."""
    name, namespace = name_of(release), namespace_of(release)
    return (
        f"{name}: {ready['reason']}: {ready['message']}\n"
        f"mend it by `skerry releases upgrade {name} -n {namespace}`, or have it tried again by "
        f"`skerry releases recover {name} -n {namespace}`"
    )


def _goes_on(release: Obj, ready: Obj) -> bool:
    return ready["reason"] in ("Progressing", *_WAITED_FOR)


def say(release: Obj) -> None:
    """What it came to."""
    status, ready = release.get("status") or {}, condition_of(release, "Ready")
    name = name_of(release)
    if ready is not None and ready["status"] == "True":
        click.echo(f"{name} runs: {ready['message']}")
    elif ready is not None:
        click.echo(f"{name}: {ready['reason']}: {ready['message']}")
    for url in status.get("urls") or ():
        click.echo(url)
