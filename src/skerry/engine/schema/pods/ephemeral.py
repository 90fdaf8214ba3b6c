"""Rules on ephemeral containers: what they may say, and that they can only be added.

Source: `validateEphemeralContainers`, `ValidatePodEphemeralContainersUpdate`, `dropNonEphemeralContainerUpdates`.
Neighbours: `containers` for what all containers have in common, `kinds.core.pod` for the subresource.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import duplicate, forbidden, not_found
from skerry.engine.schema.pods.containers import check_container
from skerry.engine.schema.pods.volumes import check_mounts
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_NOT_HERE = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_WHY = "cannot be set for an Ephemeral Container"
_FIELD = "spec.ephemeralContainers"


def check_ephemeral_containers(spec: Obj, field: str) -> Iterator[Cause]:
    """Each by itself; names are unique in the pod, and a target is another container of it."""
    volumes = {volume.get("name"): volume for volume in spec.get("volumes") or ()}
    targets = {each.get("name") for part in ("containers", "initContainers") for each in spec.get(part) or ()}
    names = set(targets)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        below = f"{field}.ephemeralContainers[{index}]"
        yield from check_container(container, below, host_network=bool(spec.get("hostNetwork")))
        yield from check_mounts(container, below, volumes)
        if container.get("name") in names:
            yield duplicate(f"{below}.name", container["name"])
        names.add(container.get("name"))
        target = container.get("targetContainerName")
        if target and target not in targets:
            yield not_found(f"{below}.targetContainerName", target)
        yield from _check_fields(container, below)


def _check_fields(container: Obj, field: str) -> Iterator[Cause]:
    """Nothing a pod could come to depend on."""
    for name in _NOT_HERE:
        if container.get(name):
            yield forbidden(f"{field}.{name}", _WHY)
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        for name in ("subPath", "subPathExpr"):
            if mount.get(name):
                yield forbidden(f"{field}.volumeMounts[{index}].{name}", _WHY)


def check_only_added(new: Obj, old: Obj) -> Iterator[Cause]:
    """Of two pods: those that are there stay as they are."""
    if "kubernetes.io/config.mirror" in (old["metadata"].get("annotations") or {}):
        yield forbidden("", "static pods do not support ephemeral containers")
        return
    kept = {each.get("name"): each for each in new["spec"].get("ephemeralContainers") or ()}
    for before in old["spec"].get("ephemeralContainers") or ():
        name = before["name"]
        if name not in kept:
            yield forbidden(_FIELD, f'existing ephemeral containers "{name}" may not be removed\n')
        elif kept[name] != before:
            changed = sorted(key for key in before.keys() | kept[name].keys() if before.get(key) != kept[name].get(key))
            listed = ", ".join(changed)
            yield forbidden(_FIELD, f'existing ephemeral containers "{name}" may not be changed\nchanged: {listed}')


def with_ephemeral_containers(old: Obj, new: Obj) -> Obj:
    """The old spec with the new one's ephemeral containers: what the subresource may touch."""
    spec = {key: value for key, value in old.items() if key != "ephemeralContainers"}
    wanted = new.get("ephemeralContainers")
    return {**spec, "ephemeralContainers": wanted} if wanted else spec
