"""Pods and events in words: what is the matter, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.portal.words.events import event_said, told
from skerry.portal.words.pods import pod_said


def _same(text: str) -> str:
    return text


def _pod(phase: str = "Running", *containers: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-0"}, "status": {"phase": phase, "containerStatuses": list(containers), **status}}


def _container(**state: Any) -> dict[str, Any]:
    return {"name": "main", "image": "skerry.local/web:9", "state": state}


READY = {"conditions": [{"type": "Ready", "status": "True"}]}
FULL = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient cpu."}]}
KILLED = {"exitCode": 137, "reason": "OOMKilled"}


@pytest.mark.parametrize(
    ("pod", "tone", "text", "advice"),
    [
        (_pod(**READY), "good", "It runs.", ""),
        (_pod("Running", {**_container(running={}), "restartCount": 3}, **READY), "good", "started again 3 times", ""),
        (_pod(), "busy", "not ready yet", "log"),
        (_pod("Pending", **FULL), "bad", "with room: 0/1 nodes: Insufficient cpu.", "Ask for less CPU"),
        (
            _pod("Pending", _container(waiting={"reason": "ImagePullBackOff"})),
            "bad",
            "The image skerry.local/web:9 could not be fetched.",
            "Check its name and version",
        ),
        (_pod("Pending", _container(waiting={"reason": "ContainerCreating"})), "busy", "being prepared", ""),
        (
            _pod(
                "Running", {**_container(waiting={"reason": "CrashLoopBackOff"}), "lastState": {"terminated": KILLED}}
            ),
            "bad",
            "more memory than its limit",
            "more memory",
        ),
        (_pod("Running", _container(terminated={"exitCode": 127})), "bad", "not in the image", "command"),
        (_pod("Failed", _container(terminated={"exitCode": 3})), "bad", "main ended with code 3.", "log"),
        (_pod("Failed", _container(terminated={"exitCode": 139})), "bad", "main was ended by signal 11.", "log"),
        (_pod("Failed", reason="Evicted", message="disk"), "bad", "ended it: disk", "elsewhere"),
        (_pod("Succeeded"), "quiet", "done its work", ""),
        (
            _pod("Pending", _container(waiting={"reason": "Odd", "message": "50% done"})),
            "busy",
            "main waits: 50% done",
            "",
        ),
        ({"metadata": {"name": "x", "deletionTimestamp": "now"}}, "busy", "being ended", ""),
        ({"metadata": {"name": "x"}}, "busy", "being prepared", ""),
    ],
)
def test_pods(pod: dict[str, Any], tone: str, text: str, advice: str) -> None:
    said = pod_said(pod)
    assert (said.tone, text in said.shown(_same)) == (tone, True), said.shown(_same)
    assert advice in said.advised(_same) if advice else said.advised(_same) == ""


def _event(reason: str, message: str, at: str, **more: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "name": "web-0"}
    return {"metadata": {"name": reason}, "reason": reason, "message": message, "involvedObject": about,
            "lastTimestamp": at, **more}  # fmt: skip


def test_events_say_what_to_do_and_come_newest_first() -> None:
    old = _event("FailedScheduling", "0/1 nodes: 100% full", "2026-01-01T00:00:00Z", type="Warning", count=7)
    new = _event("Started", "Started container", "2026-01-01T00:01:00Z")
    series = _event("BackOff", "Back-off", "", series={"count": 4, "lastObservedTime": "2026-01-01T00:02:00.000000Z"})
    lines = told([old, new, series], 2)
    assert [(one.reason, one.times) for one in lines] == [("BackOff", 4), ("Started", 1)]
    said = event_said(old)
    assert said.shown(_same) == "No machine has room for web-0: 0/1 nodes: 100% full"
    assert "less CPU or memory" in said.advised(_same)


def test_what_nobody_knows_is_told_in_its_own_words() -> None:
    said = event_said(_event("Odd", "100% odd %(x)s", "", type="Warning"))
    assert (said.shown(_same), said.tone) == ("100% odd %(x)s", "bad")
