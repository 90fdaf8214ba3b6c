"""Looks into a volume from inside a container that has it mounted: `df` and `du`, as GNU and busybox have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skerry.cli.volumes.facts import Measured, mounted_claims
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.kube.exec import Ended
    from skerry.kube.http_client import HttpClient

Heard = Callable[[int], None]
_KIB = 1024


@record
class Mounted:
    """Where a running container has a volume. `part`: the subPath it sees, "" for all of it."""

    namespace: str
    pod: str
    container: str
    path: str
    part: str = ""


@record
class Entry:
    """What is at a path of the volume, and everything below it, in bytes on disk."""

    path: str
    size: int


def mounted(pod: Obj, claim: str) -> Mounted | None:
    """A running container of the pod that has the claim's volume mounted; one that sees all of it comes first."""
    volume = mounted_claims(pod).get(claim)
    running = {
        one["name"]
        for one in (pod.get("status") or {}).get("containerStatuses") or ()
        if "running" in (one.get("state") or {})
    }
    found = [
        Mounted(
            namespace_of(pod),
            name_of(pod),
            container["name"],
            mount["mountPath"],
            mount.get("subPath") or mount.get("subPathExpr") or "",
        )
        for container in pod["spec"].get("containers") or ()
        for mount in container.get("volumeMounts") or ()
        if mount["name"] == volume and container["name"] in running
    ]
    return min(found, key=lambda one: bool(one.part), default=None)


async def run(client: HttpClient, place: Mounted, command: Sequence[str], heard: Heard = lambda _lines: None) -> Ended:
    """Run a command as the container has it: by itself, or as an applet of busybox. Raises StatusError, OSError."""
    from skerry.kube import exec as execution
    from skerry.kube.errors import StatusError

    there = execution.Place(place.namespace, place.pod, place.container)
    try:
        ended = await execution.run(client, there, command, heard)
    except StatusError as error:
        if not _is_absent(error.message):
            raise
    else:
        if ended.code == 0 or not _is_absent(ended.errors + ended.output):
            return ended
    return await execution.run(client, there, ["busybox", *command], heard)


def _is_absent(said: str) -> bool:
    """Whether it is the runtime that speaks, about a program that is not there."""
    return "exec" in said and ("not found" in said or "no such file" in said.lower())


async def df(client: HttpClient, place: Mounted) -> Measured | None:
    """None when the container has no `df`, or we may not run it."""
    from skerry.kube.errors import StatusError

    try:
        size = await run(client, place, ["df", "-P", "-k", place.path])
        inodes = await run(client, place, ["df", "-P", "-i", place.path])
    except (StatusError, OSError):
        return None
    return measured(size.output, inodes.output) if size.code == 0 else None


def measured(size: str, inodes: str) -> Measured | None:
    """What `df -P -k` and `df -P -i` say of one file system."""
    blocks, nodes = _figures(size), _figures(inodes)
    if blocks is None:
        return None
    capacity, used, available = (number * _KIB for number in blocks)
    whole = nodes[0] if nodes and nodes[0] > 0 else None
    return Measured(capacity, used, available, whole, nodes[1] if nodes and whole else None)


def _figures(text: str) -> tuple[int, int, int] | None:
    """Total, used and free of the last line."""
    fields = text.strip().splitlines()[-1].split() if text.strip() else []
    numbers = fields[1:4] if len(fields) >= 6 else []
    if len(numbers) == 3 and all(number.isdigit() for number in numbers):
        return int(numbers[0]), int(numbers[1]), int(numbers[2])
    return None


def du_command(path: str, depth: int) -> list[str]:
    """Files and directories down to `depth`, each with all that is below it, on this file system only."""
    return ["du", "-a", "-x", "-k", "-d", str(depth), path]


def entries(output: str, path: str) -> list[Entry]:
    """What `du` printed, largest first; paths as seen from the volume's root, "." for itself."""
    found = []
    for line in output.splitlines():
        size, _, name = line.partition("\t")
        if size.isdigit() and name:
            below = name.removeprefix(path.rstrip("/")).lstrip("/") if name != path else ""
            found.append(Entry(below or ".", int(size) * _KIB))
    return sorted(found, key=lambda one: (-one.size, one.path))
