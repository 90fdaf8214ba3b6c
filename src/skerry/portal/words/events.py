"""Kubernetes' events as sentences. Pure. What is not known by its reason is shown in Kubernetes' own words.

Sources: kubelet `events/event.go`, the scheduler, the controllers of workloads and volumes, and our own capabilities.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.portal.web.language import N_
from skerry.portal.words.said import Said, Tone

_SEE_LOG = N_("Its log says why.")
_KNOWN: dict[str, tuple[str, Tone, str]] = {
    "Scheduled": (N_("%(kind)s %(name)s was given a machine."), "busy", ""),
    "Pulling": (N_("An image is being fetched: %(message)s"), "busy", ""),
    "Pulled": (N_("The image is there."), "busy", ""),
    "Created": (N_("A container was made."), "busy", ""),
    "Started": (N_("A container was started."), "good", ""),
    "Killing": (N_("A container is being ended."), "quiet", ""),
    "BackOff": (N_("Trying again after a while: %(message)s"), "bad", _SEE_LOG),
    "Unhealthy": (
        N_("A check of its health failed: %(message)s"),
        "bad",
        N_("At the start that is usual; else: its log."),
    ),
    "FailedScheduling": (
        N_("No machine has room for %(name)s: %(message)s"),
        "bad",
        N_("Ask for less CPU or memory in the app's values, stop another app, or ask the operators for room."),
    ),
    "FailedMount": (
        N_("A volume or file could not be brought in: %(message)s"),
        "bad",
        N_("Is the Secret, ConfigMap or volume of that name there?"),
    ),
    "FailedAttachVolume": (N_("A volume could not be attached: %(message)s"), "bad", ""),
    "FailedCreatePodSandBox": (
        N_("The pod's network could not be made: %(message)s"),
        "bad",
        N_("Tell the operators."),
    ),
    "Failed": ("%(message)s", "bad", ""),
    "FailedCreate": (N_("%(kind)s %(name)s could not make a pod: %(message)s"), "bad", ""),
    "QuotaExceeded": (
        N_("The project's quota is used up: %(message)s"),
        "bad",
        N_("Stop what is not needed, or ask for more on the project's page."),
    ),
    "Evicted": (N_("A machine was short of something and ended %(name)s: %(message)s"), "bad", ""),
    "Preempting": (N_("A pod that goes first needed the room."), "bad", ""),
    "Preempted": (N_("A pod that goes first took the room of %(name)s."), "bad", ""),
    "OOMKilling": (N_("A program used more memory than its limit and was ended."), "bad", N_("Give it more memory.")),
    "SuccessfulCreate": (N_("%(kind)s %(name)s made a pod."), "busy", ""),
    "SuccessfulDelete": (N_("%(kind)s %(name)s ended a pod."), "quiet", ""),
    "ScalingReplicaSet": (N_("%(name)s: %(message)s"), "busy", ""),
    "Completed": (N_("%(name)s has done its work."), "good", ""),
    "Provisioning": (N_("A volume is being made for %(name)s."), "busy", ""),
    "ProvisioningSucceeded": (N_("The volume for %(name)s is there."), "good", ""),
    "ProvisioningFailed": (N_("No volume could be made for %(name)s: %(message)s"), "bad", ""),
    "WaitForFirstConsumer": (N_("The volume %(name)s is made when something uses it."), "quiet", ""),
    "VolumeResizeFailed": (N_("The volume %(name)s could not grow: %(message)s"), "bad", ""),
    "NodeNotReady": (N_("The machine does not answer."), "bad", N_("Tell the operators.")),
}


@record
class Told:
    """An event as a page shows it."""

    said: Said
    when: datetime | None
    times: int
    about: str
    """kind/name."""
    reason: str
    message: str


def event_said(event: Obj) -> Said:
    """One event's sentence."""
    about = event.get("involvedObject") or {}
    values = {"kind": about.get("kind", ""), "name": about.get("name", ""), "message": event.get("message", "")}
    known = _KNOWN.get(event.get("reason", ""))
    if known is None:
        tone: Tone = "bad" if event.get("type") == "Warning" else "quiet"
        return Said("%(message)s", values, tone)
    text, tone, advice = known
    return Said(text, values, tone, advice)


def told(events: Iterable[Obj], most: int) -> list[Told]:
    """The newest, newest first."""
    listed = sorted(events, key=_order, reverse=True)[:most]
    return [_told(one) for one in listed]


def _told(event: Obj) -> Told:
    about = event.get("involvedObject") or {}
    when = _when(event)
    times = int((event.get("series") or {}).get("count") or event.get("count") or 1)
    where = f"{about.get('kind', '')}/{about.get('name', '')}"
    return Told(
        event_said(event),
        parse_time(when) if when else None,
        times,
        where,
        event.get("reason", ""),
        event.get("message", ""),
    )


def _when(event: Obj) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    named = (series, event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return next((one for one in named if one), "")


def _order(event: Obj) -> tuple[str, str]:
    return _when(event), event["metadata"].get("resourceVersion", "")
