"""The machines: how they are, what is given out of them, what they use; taken out of work for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal

from starlette.responses import Response

from skerry.kube.conditions import condition_is_true, conditions_of
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, name_of
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record
from skerry.kube.resources import NODES, PODS
from skerry.portal.pages.operators.common import HOME, page
from skerry.portal.pages.projects import Meter
from skerry.portal.streams.metrics import NODE_METRICS
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer
from skerry.portal.web.words import share
from skerry.portal.words.said import Said

_PRESSURES = {
    "MemoryPressure": N_("It is short of memory."),
    "DiskPressure": N_("It is short of room on its disk."),
    "PIDPressure": N_("It runs too many processes."),
}
_LABELS = {"cpu": N_("CPU promised"), "memory": N_("Memory promised")}
_USED = {"cpu": N_("CPU used"), "memory": N_("Memory used")}


@record
class Machine:
    """A row."""

    name: str
    said: Sequence[Said]
    cordoned: bool
    meters: Sequence[Meter]
    pods: int
    about: str


async def show(viewer: Viewer) -> Response:
    """The page."""
    nodes, pods = await asyncio.gather(viewer.client.list(NODES), _pods(viewer))
    used = {name_of(one): one.get("usage") or {} for one in await _metrics(viewer)}
    machines = [_machine(one, pods, used.get(name_of(one), {})) for one in sorted(nodes.items, key=name_of)]
    return await page(viewer, "nodes", {"machines": machines, "say": lambda said: said.shown(viewer._)})


async def cordon(viewer: Viewer) -> Response:
    """Give it no more pods, or pods again."""
    wanted = viewer.fields.get("cordoned")
    if wanted not in ("yes", "no"):
        raise NotTaken(viewer._("There is no such action."))
    name = viewer.path["name"]
    await viewer.client.patch(NODES, name, {"spec": {"unschedulable": True if wanted == "yes" else None}})
    said = N_("%(node)s is given no more pods.") if wanted == "yes" else N_("%(node)s is given pods again.")
    return viewer.redirect(f"{HOME}nodes", viewer._(said, node=name))


async def _pods(viewer: Viewer) -> Sequence[Obj]:
    return await viewer.seeing.listed(viewer.person, PODS)


async def _metrics(viewer: Viewer) -> Sequence[Obj]:
    try:
        return (await viewer.client.list(NODE_METRICS)).items
    except (StatusError, OSError):  # nobody measures
        return ()


def _machine(node: Obj, pods: Iterable[Obj], used: Obj) -> Machine:
    here = [one for one in pods if one["spec"].get("nodeName") == name_of(node) and _runs(one)]
    hard = (node.get("status") or {}).get("allocatable") or {}
    meters = [_meter(_LABELS[one], one, str(_promised(here, one)), hard) for one in _LABELS if one in hard]
    meters += [_meter(_USED[one], one, str(used[one]), hard) for one in _USED if one in used and one in hard]
    info = (node.get("status") or {}).get("nodeInfo") or {}
    about = " · ".join(info[key] for key in ("kubeletVersion", "osImage", "architecture") if info.get(key))
    return Machine(name_of(node), _said(node), bool(node["spec"].get("unschedulable")), meters, len(here), about)


def _said(node: Obj) -> list[Said]:
    said = [
        Said(_PRESSURES[one["type"]], tone="bad")
        for one in conditions_of(node)
        if one["type"] in _PRESSURES and one["status"] == "True"
    ]
    if not condition_is_true(node, "Ready"):
        said.insert(0, Said(N_("It does not answer."), tone="bad"))
    if node["spec"].get("unschedulable"):
        said.append(Said(N_("It is given no more pods."), tone="quiet"))
    return said or [Said(N_("It works."), tone="good")]


def _runs(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _promised(pods: Iterable[Obj], name: str) -> Decimal:
    requests = (
        ((container.get("resources") or {}).get("requests") or {}).get(name, "0")
        for pod in pods
        for container in pod["spec"]["containers"]
    )
    return sum((parse_quantity(one) for one in requests), Decimal(0))


def _meter(label: str, name: str, used: str, hard: Obj) -> Meter:
    whole = str(hard[name])
    return Meter(label, f"requests.{name}", used, whole, share(used, whole))
