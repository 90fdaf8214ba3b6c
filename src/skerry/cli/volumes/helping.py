"""A short-lived pod that has a claim mounted, read only, and runs one command: where no other pod can look into it.

It runs as root without capabilities beyond the runtime's own; where the namespace's security level refuses that, as
nobody, who sees only what everybody may read. It is deleted in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.volumes.facts import mounted_claims
from skerry.cli.watching import changed
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.resources import NODES, PODS

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

MOUNTED_AT = "/volume"
_KNOWN = ("busybox", "alpine", "debian", "ubuntu")
_HOPELESS = ("Err", "ImagePull", "InvalidImage", "CreateContainer", "RunContainer")
_PATIENCE = 600.0
"""Seconds the whole may take: a large volume has many files."""
_NOBODY = {"runAsNonRoot": True, "runAsUser": 65534, "capabilities": {"drop": ["ALL"]}}


async def run(client: HttpClient, claim: Obj, pods: Sequence[Obj], command: Sequence[str], image: str | None) -> str:
    """What the command said. Raises CommandFailed, StatusError, OSError, TimeoutError."""
    made = await _create(client, helper_pod(claim, pods, command, image or await _image(client, pods)))
    name, namespace = name_of(made), namespace_of(made)
    try:
        async with asyncio.timeout(_PATIENCE):
            await _ended(client, name, namespace)
            log = await client.get_raw(f"{PODS.path(namespace, name)}/log")
        return log.decode(errors="replace")
    except TimeoutError:
        raise CommandFailed(f"the helper pod did not end within {_PATIENCE:g} s: was there room for it?") from None
    finally:
        await _delete(client, name, namespace)


def helper_pod(claim: Obj, pods: Iterable[Obj], command: Sequence[str], image: str) -> Obj:
    """The pod. It goes where a pod has the volume already: some can be mounted on one node only."""
    users = [pod for pod in pods if name_of(claim) in mounted_claims(pod)]
    nodes = sorted({pod["spec"]["nodeName"] for pod in users if pod["spec"].get("nodeName")})
    affinity = {"nodeSelector": {"kubernetes.io/hostname": nodes[0]}} if nodes else {}
    volume = {"name": "volume", "persistentVolumeClaim": {"claimName": name_of(claim), "readOnly": True}}
    container = {
        "name": "look",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["busybox", *command] if _short(image).startswith("busybox") else list(command),
        "volumeMounts": [{"name": "volume", "mountPath": MOUNTED_AT, "readOnly": True}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "skerry-du-",
            "namespace": namespace_of(claim),
            "labels": {"app.kubernetes.io/managed-by": "skerry-volumes"},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": int(_PATIENCE),
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            "volumes": [volume],
            **affinity,
        },
    }


def usable_image(images: Iterable[str]) -> str:
    """One that has `du`, judged by its name; "" when there is none."""
    listed = sorted(one for one in images if "@" not in one)
    return next((one for known in _KNOWN for one in listed if _short(one).startswith(known)), "")


def _short(image: str) -> str:
    """Without registry and folders."""
    return image.rpartition("/")[2]


async def _create(client: HttpClient, pod: Obj) -> Obj:
    from skerry.kube.errors import Forbidden

    try:
        return await client.create(PODS, pod, namespace_of(pod))
    except Forbidden as error:
        if "PodSecurity" not in error.message:
            raise
    (container,) = pod["spec"]["containers"]
    modest = {**container, "securityContext": {**container["securityContext"], **_NOBODY}}
    return await client.create(PODS, {**pod, "spec": {**pod["spec"], "containers": [modest]}}, namespace_of(pod))


async def _image(client: HttpClient, pods: Iterable[Obj]) -> str:
    from skerry.kube.errors import StatusError

    images = {one.get("image", "") for pod in pods for one in pod["spec"]["containers"]}
    with contextlib.suppress(StatusError):  # not ours to read
        for node in (await client.list(NODES)).items:
            images |= {
                name for one in (node.get("status") or {}).get("images") or () for name in one.get("names") or ()
            }
    found = usable_image(images)
    if not found:
        raise CommandFailed("no image with `du` is known to be there (busybox, alpine, debian): name one with --image")
    return found


async def _ended(client: HttpClient, name: str, namespace: str) -> None:
    """Returns when the pod is over. Raises CommandFailed when it cannot begin."""
    from skerry.kube.errors import NotFound

    with contextlib.suppress(NotFound):  # somebody has deleted it
        while True:
            pod = await client.get(PODS, name, namespace)
            if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                return
            _check(pod)
            await changed(client, PODS, pod)


async def _delete(client: HttpClient, name: str, namespace: str) -> None:
    """Says so when it cannot: what failed before is what the user is told else."""
    from skerry.kube.errors import NotFound, StatusError

    try:
        await client.delete(PODS, name, namespace, {"gracePeriodSeconds": 0})
    except NotFound:
        return
    except (StatusError, OSError) as error:
        click.echo(f"the helper pod {namespace}/{name} is left, delete it: {error}", err=True)


def _check(pod: Obj) -> None:
    """Raises CommandFailed for a pod whose container cannot begin."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason", "").startswith(_HOPELESS):
            raise CommandFailed(f"the helper pod cannot run: {waiting['reason']}: {waiting.get('message', '')}")
