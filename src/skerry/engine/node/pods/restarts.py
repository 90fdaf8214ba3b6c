"""Which containers are started again after they ended: restart policies, rules by exit code, and rounds. Pure.

A rule may ask to restart all containers of the pod in place. Then a new round begins: every container notes the round
it was made in; what is of an earlier one is stopped at once and made anew, init containers first. Source of the
behaviour: the kubelet's `ShouldContainerBeRestarted`, KEP-5532 (decision 0033).
"""

from __future__ import annotations

from skerry.engine.node.pods.state import (
    ContainerRecord,
    PodView,
    ephemeral_containers,
    init_containers,
    is_sidecar,
    main_containers,
    restart_policy,
)
from skerry.kube.objects import Obj

_ALL = "RestartAllContainers"


def will_restart(pod: Obj, container: Obj, record: ContainerRecord) -> bool:
    """Whether a container of any sort that ended is to be started again, as long as the pod goes on."""
    if is_sidecar(container):
        return True
    if any(container["name"] == other["name"] for other in ephemeral_containers(pod)):
        return False
    if _ruled(container, record) in ("Restart", _ALL):
        return True
    policy = container.get("restartPolicy") or restart_policy(pod)
    if any(container["name"] == other["name"] for other in init_containers(pod)):
        return not record.succeeded and policy != "Never"
    return policy == "Always" or (policy == "OnFailure" and not record.succeeded)


def _ruled(container: Obj, record: ContainerRecord) -> str:
    """The action of the first of the container's `restartPolicyRules` that fits its exit code, "" for none."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        listed = record.exit_code in (codes.get("values") or ())
        if listed == (codes.get("operator") == "In"):
            return str(rule.get("action"))
    return ""


def may_restart_all(pod: Obj) -> bool:
    """Whether an exit of a container may restart all of them."""
    listed = (*init_containers(pod), *main_containers(pod))
    return any(rule.get("action") == _ALL for each in listed for rule in each.get("restartPolicyRules") or ())


def wanted_round(view: PodView) -> int:
    """The round that all containers should be of: one more than the present one when an exit in it asks for that."""
    listed = (*init_containers(view.pod), *main_containers(view.pod))
    latest = [(container, record) for container in listed if (record := view.latest(container["name"]))]
    present = max((record.round for _, record in latest), default=0)
    asked = (record for container, record in latest if record.exited and _ruled(container, record) == _ALL)
    return present + any(record.round == present for record in asked)


def outdated(view: PodView) -> list[ContainerRecord]:
    """The newest attempts of a round that is over, ephemeral containers aside: they are nobody's to restart."""
    wanted = wanted_round(view)
    listed = (*init_containers(view.pod), *main_containers(view.pod))
    latest = (view.latest(container["name"]) for container in listed)
    return [record for record in latest if record is not None and record.round < wanted]
