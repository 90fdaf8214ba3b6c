"""The stated rule of simulated pods: what the status of a pod on a simulated node is. Pure.

A pod that is bound to a node gets an address, runs and is ready at once, and stays so until it is deleted; then its
containers are stopped, which its status says, and it goes at once. A pod of a Job ends at once with exit code 0.
Annotations say otherwise:

- `testing.skerry.dev/exit-code: "3"`: every main container ends with that code; by the pod's `restartPolicy` the pod is
  then Succeeded, Failed, or waits in CrashLoopBackOff.
- `testing.skerry.dev/ready: "false"`: its containers run and do not get ready.
- `testing.skerry.dev/waiting: ImagePullBackOff`: its containers wait for that reason and the pod stays Pending.

Changing them on a running pod works; a pod that ended stays ended. Init containers have always succeeded, sidecars run.
Source of the shapes: Kubernetes' `pkg/kubelet/kubelet_pods.go`.
"""

from __future__ import annotations

from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, annotations_of, controller_of, name_of, uid_of
from skerry.kube.records import record

EXIT_CODE = "testing.skerry.dev/exit-code"
READY = "testing.skerry.dev/ready"
WAITING = "testing.skerry.dev/waiting"

_FINISHED = ("Succeeded", "Failed")
_KILLED = 137
"""Exit code of what is stopped."""
_Condition = tuple[str, bool, str]
"""Type, whether it holds, reason when it does not."""


@record
class Fate:
    """What becomes of a pod. `exit_code` None: its main containers do not end."""

    exit_code: int | None = None
    ready: bool = True
    waiting: str = ""


@record
class Moment:
    """When and where a status is made: time as the API writes it, the pod's address and its node's."""

    now: str
    pod_ip: str
    host_ip: str


def fate_of(pod: Obj) -> Fate:
    """What annotations and owner say. An exit code that is no number from 0 to 255 counts as 1."""
    annotations = annotations_of(pod)
    if waiting := annotations.get(WAITING, ""):
        return Fate(waiting=waiting, ready=False)
    if EXIT_CODE in annotations:
        return Fate(exit_code=_code(annotations[EXIT_CODE]), ready=False)
    if (controller_of(pod) or {}).get("kind") == "Job":
        return Fate(exit_code=0, ready=False)
    return Fate(ready=annotations.get(READY, "true") != "false")


def status_of(pod: Obj, moment: Moment) -> Obj:
    """The status that follows from the rule; the present one when it already says so, or when the pod has ended."""
    present = pod.get("status") or {}
    if present.get("phase") in _FINISHED:
        return present
    return _status(pod, fate_of(pod), moment)


def stopped_status(pod: Obj, moment: Moment) -> Obj:
    """The last status of a pod that ran and was deleted: not ready, its containers stopped, and so Failed."""
    never_again = {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}
    return _status(never_again, Fate(exit_code=_KILLED, ready=False), moment)


def _status(pod: Obj, fate: Fate, moment: Moment) -> Obj:
    present = pod.get("status") or {}
    since = present.get("startTime") or moment.now
    phase = _phase(pod, fate)
    status: Obj = {
        **present,
        "phase": phase,
        "hostIP": moment.host_ip,
        "hostIPs": [{"ip": moment.host_ip}],
        "podIP": moment.pod_ip,
        "podIPs": [{"ip": moment.pod_ip}],
        "startTime": since,
        "conditions": _conditions(pod, fate, phase, moment.now),
        "containerStatuses": [
            _main(pod, container, fate, since, moment.now) for container in pod["spec"]["containers"]
        ],
    }
    if init := pod["spec"].get("initContainers"):
        status["initContainerStatuses"] = [_init(pod, container, since) for container in init]
    return status


def _code(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and int(text) < 256 else 1


def _phase(pod: Obj, fate: Fate) -> str:
    if fate.waiting:
        return "Pending"
    if fate.exit_code is None or _restarts(pod, fate.exit_code):
        return "Running"
    return "Failed" if fate.exit_code else "Succeeded"


def _restarts(pod: Obj, exit_code: int) -> bool:
    policy = pod["spec"].get("restartPolicy", "Always")
    return bool(policy == "Always" or (policy == "OnFailure" and exit_code))


def _conditions(pod: Obj, fate: Fate, phase: str, now: str) -> list[Obj]:
    """Those of the kubelet, with the others' (PodScheduled, readiness gates) kept."""
    why = "PodCompleted" if phase == "Succeeded" else "PodFailed" if phase == "Failed" else "ContainersNotReady"
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    known = {one["type"]: one for one in conditions_of(pod)}
    open_gates = all((known.get(gate) or {}).get("status") == "True" for gate in gates)
    wanted: tuple[_Condition, ...] = (
        ("PodReadyToStartContainers", phase not in _FINISHED, ""),
        ("Initialized", True, "PodCompleted" if phase == "Succeeded" else ""),
        ("Ready", fate.ready and open_gates, why if not fate.ready else "ReadinessGatesNotReady"),
        ("ContainersReady", fate.ready, why),
    )
    ours = {type_ for type_, _, _ in wanted}
    return [_condition(one, known, now) for one in wanted] + [one for one in known.values() if one["type"] not in ours]


def _condition(wanted: _Condition, known: dict[str, Obj], now: str) -> Obj:
    type_, holds, reason = wanted
    value, before = "True" if holds else "False", known.get(type_, {})
    changed = before.get("lastTransitionTime") if before.get("status") == value else now
    made: Obj = {"type": type_, "status": value, "lastProbeTime": None, "lastTransitionTime": changed or now}
    return made if holds else {**made, "reason": reason}


def _main(pod: Obj, container: Obj, fate: Fate, since: str, now: str) -> Obj:
    if fate.waiting:
        return _container(pod, container, {"waiting": {"reason": fate.waiting}})
    if fate.exit_code is None:
        running = {"running": {"startedAt": since}}
        return {**_container(pod, container, running), "ready": fate.ready, "started": True}
    ended = _ended(pod, container, fate.exit_code, since)
    if not _restarts(pod, fate.exit_code):
        return _container(pod, container, ended)
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    return {**_container(pod, container, waiting), "lastState": ended, "restartCount": 1}


def _init(pod: Obj, container: Obj, since: str) -> Obj:
    if container.get("restartPolicy") == "Always":
        running = {"running": {"startedAt": since}}
        return {**_container(pod, container, running), "ready": True, "started": True}
    return {**_container(pod, container, _ended(pod, container, 0, since)), "ready": True}


def _ended(pod: Obj, container: Obj, code: int, since: str) -> Obj:
    reason = "Error" if code else "Completed"
    identity = _identity(pod, container)
    ended = {"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": since, "containerID": identity}
    return {"terminated": ended}


def _container(pod: Obj, container: Obj, state: Obj) -> Obj:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "containerID": "" if "waiting" in state else _identity(pod, container),
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": state,
        "lastState": {},
    }


def _identity(pod: Obj, container: Obj) -> str:
    return f"simulated://{uid_of(pod) or name_of(pod)}/{container['name']}"
