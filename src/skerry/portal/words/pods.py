"""How a pod is, in one sentence, and what to do when it is not well. Pure: from the Pod alone.

The first thing that holds it up is told: that it goes, that no machine has room for it, then its containers in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, is_deleting
from skerry.portal.web.language import N_
from skerry.portal.words.said import Said
from skerry.portal.words.waiting import (
    ENDED_FOR_MEMORY,
    ENDED_NOT_FOUND,
    NOT_FOUND_CODES,
    OUT_OF_MEMORY,
    SIGNALLED,
    WAITING,
)

_ON_THEIR_WAY = ("ContainerCreating", "PodInitializing")


def pod_said(pod: Obj) -> Said:
    """The sentence."""
    if is_deleting(pod):
        return Said(N_("It is being ended."), tone="busy")
    status = pod.get("status") or {}
    if said := _without_place(pod):
        return said
    phase = status.get("phase", "Pending")
    if phase == "Succeeded":
        return Said(N_("It has done its work."), tone="quiet")
    if phase == "Failed":
        return _failed(pod)
    return next(_held_up(pod), None) or _running(pod)


def _without_place(pod: Obj) -> Said | None:
    for condition in conditions_of(pod):
        if condition["type"] != "PodScheduled" or condition["status"] == "True":
            continue
        return Said(
            N_("It waits for a machine with room: %(why)s"),
            {"why": condition.get("message") or condition.get("reason", "")},
            "bad",
            N_("Ask for less CPU or memory in the app's values, stop another app, or ask the operators for room."),
        )
    return None


def _failed(pod: Obj) -> Said:
    status = pod["status"]
    if status.get("reason") == "Evicted":
        return Said(
            N_("The machine was short of something and ended it: %(why)s"),
            {"why": status.get("message", "")},
            "bad",
            N_("It is started again elsewhere when it belongs to an app; ask for what it really needs."),
        )
    return next(_held_up(pod), None) or Said(N_("It failed."), tone="bad", advice=N_("Its log says why."))


def _held_up(pod: Obj) -> Iterator[Said]:
    """What containers say, the gravest of each first."""
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = one.get("state") or {}
        if waiting := state.get("waiting"):
            yield _waiting(one, waiting)
        elif (ended := state.get("terminated")) and ended.get("exitCode"):
            yield _ended(one["name"], ended)


def _waiting(container: Obj, waiting: dict[str, Any]) -> Said:
    reason = waiting.get("reason", "")
    last = (container.get("lastState") or {}).get("terminated")
    if reason == "CrashLoopBackOff" and last and last.get("reason") == OUT_OF_MEMORY:
        return _ended(container["name"], last)
    if reason not in WAITING:
        text = N_("%(container)s waits: %(why)s")
        return Said(text, {"container": container["name"], "why": waiting.get("message") or reason}, "busy")
    text, advice = WAITING[reason]
    tone = "busy" if reason in _ON_THEIR_WAY else "bad"
    return Said(text, {"image": container.get("image", "")} if "%(" in text else {}, tone, advice)  # type: ignore[arg-type]


def _ended(container: str, ended: dict[str, Any]) -> Said:
    code = int(ended.get("exitCode") or 0)
    if ended.get("reason") == OUT_OF_MEMORY:
        return Said(ENDED_FOR_MEMORY[0], {}, "bad", ENDED_FOR_MEMORY[1])
    if code in NOT_FOUND_CODES:
        return Said(ENDED_NOT_FOUND[0], {}, "bad", ENDED_NOT_FOUND[1])
    if code > SIGNALLED:
        values = {"container": container, "signal": code - SIGNALLED}
        return Said(N_("%(container)s was ended by signal %(signal)s."), values, "bad", N_("Its log says why."))
    values = {"container": container, "code": code}
    return Said(N_("%(container)s ended with code %(code)s."), values, "bad", N_("Its log says why."))


def _running(pod: Obj) -> Said:
    status = pod.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions_of(pod))
    if ready:
        again = sum(int(one.get("restartCount") or 0) for one in status.get("containerStatuses") or ())
        if again:
            return Said(N_("It runs; it was started again %(times)s times."), {"times": again}, "good")
        return Said(N_("It runs."), tone="good")
    if status.get("phase") == "Running":
        return Said(
            N_("It runs and is not ready yet: nobody is led to it."),
            {},
            "busy",
            N_("If that lasts, its log and the events below say what it waits for."),
        )
    return Said(N_("It is being prepared."), tone="busy")
