"""A pod that runs with a person's user and group number, whatever its manifest says. Pure.

Everything is replaced that decides as whom processes run and what of their groups they have: of the pod and of each
container. Source: kubernetes.io, "Configure a Security Context for a Pod or Container".
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.kube.objects import Obj
from skerry.kube.records import record

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_GROUPS = ("fsGroup", "supplementalGroups")


@record
class Numbers:
    """POSIX user and group."""

    uid: int
    gid: int


def numbers_of(user: Obj) -> Numbers | None:
    """None where one of them is not known."""
    uid, gid = user["spec"].get("uidNumber"), user["spec"].get("gidNumber")
    return Numbers(uid, gid) if uid and gid else None


def running_as(spec: Obj, numbers: Numbers) -> Obj:
    """The pod's spec, with these numbers everywhere."""
    pod = {name: value for name, value in (spec.get("securityContext") or {}).items() if name not in _GROUPS}
    pod |= {"runAsUser": numbers.uid, "runAsGroup": numbers.gid, "fsGroup": numbers.gid}
    listed = {name: [_container(one, numbers) for one in spec[name]] for name in _CONTAINERS if spec.get(name)}
    return {**spec, "securityContext": pod, **listed}


def _container(container: Obj, numbers: Numbers) -> Obj:
    own = container.get("securityContext") or {}
    wanted = {"runAsUser": numbers.uid, "runAsGroup": numbers.gid}
    replaced = {name: value for name, value in wanted.items() if name in own}
    return {**container, "securityContext": {**own, **replaced}} if replaced else container


def patch_to(spec: Obj, numbers: Numbers) -> list[Obj]:
    """The JSON patch of the pod; [] when it runs so already."""
    wanted = running_as(spec, numbers)
    changed = [name for name in ("securityContext", *_CONTAINERS) if wanted.get(name) != spec.get(name)]
    return [{"op": "add", "path": f"/spec/{name}", "value": wanted[name]} for name in changed]


def strangers(spec: Obj, numbers: Numbers) -> Iterator[str]:
    """What of a pod runs as somebody else: "container c runs as 0:0"."""
    pod = spec.get("securityContext") or {}
    for name in _CONTAINERS:
        for one in spec.get(name) or ():
            own = {**pod, **(one.get("securityContext") or {})}
            found = (own.get("runAsUser"), own.get("runAsGroup"))
            if found != (numbers.uid, numbers.gid):
                yield f"container {one['name']} runs as {found[0]}:{found[1]}"
    groups = {pod.get("fsGroup", numbers.gid), *(pod.get("supplementalGroups") or ())} - {numbers.gid}
    if groups:
        yield f"it has the groups {', '.join(str(one) for one in sorted(groups))} as well"
