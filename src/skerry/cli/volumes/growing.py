"""What becomes of a claim that asks for more room: refusals in words, and how far it is.

Source: Kubernetes' `PersistentVolumeClaimConditionType` and `ClaimResourceStatus`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.watching import changed
from skerry.kube.conditions import condition_of, conditions_of
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record
from skerry.kube.resources import EVENTS, PERSISTENT_VOLUME_CLAIMS
from skerry.kube.sizes import size_text

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_FAILURES = ("VolumeResizeFailed", "FileSystemResizeFailed", "ExternalExpanding", "VolumeExpandFailed")


@record
class Progress:
    """`done`: the room is there. `text`: what to say. `failed`: it cannot be. `needs_pod`: it comes when a pod has the
    volume mounted."""

    done: bool
    text: str
    failed: bool = False
    needs_pod: bool = False


def requested(claim: Obj) -> int:
    """Bytes it asks for."""
    return bytes_of(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def capacity(claim: Obj) -> int:
    """Bytes it has."""
    return bytes_of(((claim.get("status") or {}).get("capacity") or {}).get("storage", "0"))


def refusal(claim: Obj, storage_class: Obj | None, wanted: int) -> str:
    """Why it makes no sense to ask, "" when it does."""
    phase = (claim.get("status") or {}).get("phase")
    if phase != "Bound":
        return f"claim {name_of(claim)} is {phase or 'Pending'}: only what is bound to a volume can grow"
    if wanted < capacity(claim):
        return f"claim {name_of(claim)} has {size_text(capacity(claim))}: volumes cannot become smaller"
    if wanted == capacity(claim):
        return f"claim {name_of(claim)} has {size_text(wanted)} already"
    if storage_class is not None and not storage_class.get("allowVolumeExpansion"):
        return (
            f"class {name_of(storage_class)} does not let volumes grow: an administrator may set "
            "allowVolumeExpansion: true, if its driver can do it"
        )
    return ""


def forbidden(message: str) -> str:
    """The API's refusal, with what to do about it."""
    if "exceeded quota" in message:
        return f"the namespace's quota leaves no room for it: {message}"
    if "resize" in message or "resized" in message:
        return f"its class does not let volumes grow: {message}"
    return message


def progress(claim: Obj, wanted: int) -> Progress:
    """How far it is."""
    if capacity(claim) >= wanted:
        return Progress(True, f"{size_text(capacity(claim))} are there")
    stage = ((claim.get("status") or {}).get("allocatedResourceStatuses") or {}).get("storage", "")
    if stage.endswith("Infeasible"):
        condition = next((one for one in conditions_of(claim) if one["type"].endswith("ResizeError")), {})
        return Progress(False, condition.get("message") or f"the driver cannot do it ({stage})", failed=True)
    pending = condition_of(claim, "FileSystemResizePending")
    if pending is not None and pending.get("status") == "True":
        return Progress(False, "the volume has grown, its file system grows when a pod has it mounted", needs_pod=True)
    if stage == "NodeResizeInProgress":
        return Progress(False, "the file system is growing")
    if stage == "ControllerResizeInProgress" or condition_of(claim, "Resizing") is not None:
        return Progress(False, "the volume is growing")
    return Progress(False, "waiting for its driver")


async def wait(client: HttpClient, key: tuple[str, str], wanted: int, timeout: float) -> None:
    """Say what happens until the room is there. Raises CommandFailed after `timeout` seconds, or when it cannot be."""
    begun, said = time.monotonic(), ""
    namespace, name = key
    try:
        async with asyncio.timeout(timeout):
            while True:
                claim = await client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)
                now = progress(claim, wanted)
                if now.text != said:
                    click.echo(f"  {time.monotonic() - begun:5.1f} s  {now.text}")
                    said = now.text
                if now.failed:
                    raise CommandFailed(f"claim {name} does not grow: {now.text}")
                if now.done or (now.needs_pod and not await _has_pods(client, claim)):
                    return
                await changed(client, PERSISTENT_VOLUME_CLAIMS, claim)
    except TimeoutError:
        why = await _told(client, namespace, name)
        raise CommandFailed(f"claim {name} has not grown within {timeout:g} s: {why or said}; it goes on") from None


async def _has_pods(client: HttpClient, claim: Obj) -> bool:
    from skerry.cli.volumes.facts import mounted_claims
    from skerry.kube.resources import PODS

    pods = (await client.list(PODS, namespace_of(claim))).items
    return any(name_of(claim) in mounted_claims(pod) for pod in pods)


async def _told(client: HttpClient, namespace: str, name: str) -> str:
    """The last event that says why it does not grow."""
    from skerry.kube.client import Selection

    about = Selection(field_selector=f"involvedObject.kind=PersistentVolumeClaim,involvedObject.name={name}")
    events = (await client.list(EVENTS, namespace, about)).items
    failures = [one for one in events if one.get("reason") in _FAILURES and one.get("type") == "Warning"]
    latest = max(failures, key=lambda one: one.get("lastTimestamp") or "", default=None)
    return str(latest["message"]) if latest is not None else ""
