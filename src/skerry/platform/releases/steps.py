"""What a release is waiting for, in words, from its pods and what would make them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record

_PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_BEGINNING = ("ContainerCreating", "PodInitializing")


@record
class Step:
    """What is waited for. `is_trouble`: it will not come by waiting alone."""

    words: str
    is_trouble: bool = False


def step_of(pods: Sequence[Obj], workloads: Iterable[Obj] = ()) -> Step:
    """The worst of what can be seen."""
    going_on = [one for one in pods if (one.get("status") or {}).get("phase") not in ("Succeeded",)]
    troubles = [*_refused(workloads), *(words for one in going_on for words in _troubles(one))]
    if troubles:
        return Step("; ".join(dict.fromkeys(troubles[:3])), is_trouble=True)
    ready = sum(_is_ready(one) for one in going_on)
    if not going_on:
        return Step("waiting for pods")
    return Step(f"{ready} of {len(going_on)} pods ready")


def _refused(workloads: Iterable[Obj]) -> Iterator[str]:
    """Pods that the API did not let be made: quota, policy."""
    for one in workloads:
        failure = condition_of(one, "ReplicaFailure")
        if failure is not None and failure["status"] == "True":
            yield f"{one.get('kind', '')} {name_of(one)} may not make pods: {failure.get('message', '')}"


def _troubles(pod: Obj) -> Iterator[str]:
    status, name = pod.get("status") or {}, name_of(pod)
    placed = condition_of(pod, "PodScheduled")
    if placed is not None and placed["status"] == "False" and placed.get("message"):
        yield f"pod {name} finds no place: {placed['message']}"
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield from _of_container(name, one)


def _of_container(pod: str, one: Obj) -> Iterator[str]:
    waiting = (one.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULLING:
        yield f"pod {pod}: image {one.get('image', '')} cannot be pulled{_after(message)}"
    elif reason == "CrashLoopBackOff":
        ended = (one.get("lastState") or {}).get("terminated") or {}
        code = f" with exit code {ended['exitCode']}" if "exitCode" in ended else ""
        yield f"pod {pod}: {one['name']} ends again and again{code}; its log says why"
    elif reason and reason not in _BEGINNING:
        yield f"pod {pod}: {one['name']} cannot start: {reason}{_after(message)}"


def _after(message: str) -> str:
    return f": {message}" if message else ""


def _is_ready(pod: Obj) -> bool:
    ready = condition_of(pod, "Ready")
    return ready is not None and ready["status"] == "True"
