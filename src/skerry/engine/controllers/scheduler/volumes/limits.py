"""How many volumes of a driver a node takes, and claims that only one pod may use.

Sources: Kubernetes' plug-ins `nodevolumelimits` (CSI) and `volumerestrictions`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.engine.controllers.volumes.users import claims_of
from skerry.kube.objects import Obj, split_key, uid_of
from skerry.kube.volumes import class_of

TOO_MANY = Objection(("node(s) exceed max volume count",), True)
_SHARED = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
USED_BY_ANOTHER = Objection((_SHARED,), True)
_ALONE = "ReadWriteOncePod"


def limit_objection(pod: Obj, state: NodeState, storage: Storage) -> Objection | None:
    """Whether the node would have more volumes of some driver than its CSINode allows."""
    limits = _limits(storage.csi_node(state.name))
    wanted = _volumes_of(pod, storage) if limits else {}
    if not wanted.keys() & limits.keys():
        return None
    present: dict[str, set[str]] = defaultdict(set)
    for uid, facts in state.pods.items():
        for driver, handles in _volumes_of(facts.pod, storage).items() if uid != uid_of(pod) else ():
            present[driver] |= handles
    for driver, limit in limits.items():
        if wanted.get(driver) and len(present[driver] | wanted[driver]) > limit:
            return TOO_MANY
    return None


def exclusive_claims(claims: Iterable[Obj]) -> list[str]:
    """The keys of claims that only one pod may use at a time."""
    found = [one["metadata"] for one in claims if _ALONE in (one["spec"].get("accessModes") or ())]
    return [f"{metadata['namespace']}/{metadata['name']}" for metadata in found]


def sharing_objection(pod: Obj, exclusive: Iterable[str], state: NodeState, storage: Storage) -> Objection | None:
    """Whether another pod uses such a claim. One on this node may be thought away (`state`), to see if that helps."""
    for claim in exclusive:
        for uid, node in storage.users(claim).items():
            if uid != uid_of(pod) and (node != state.name or uid in state.pods):
                return USED_BY_ANOTHER
    return None


def _limits(csi_node: Obj | None) -> dict[str, int]:
    drivers = ((csi_node or {}).get("spec") or {}).get("drivers") or ()
    counts = {one["name"]: (one.get("allocatable") or {}).get("count") for one in drivers}
    return {name: int(count) for name, count in counts.items() if count is not None}


def _volumes_of(pod: Obj, storage: Storage) -> dict[str, set[str]]:
    """Handles by driver. A volume that is not made yet counts by its claim, and the provisioner of its class."""
    found: dict[str, set[str]] = defaultdict(set)
    for key in claims_of(pod):
        namespace, name = split_key(key)
        claim = storage.claim(name, namespace)
        if claim is None:
            continue
        volume = storage.volume(claim["spec"].get("volumeName") or "")
        if volume is not None:
            if csi := volume["spec"].get("csi"):
                found[csi["driver"]].add(csi["volumeHandle"])
        elif storage_class := storage.storage_class(class_of(claim)):
            found[storage_class.get("provisioner", "")].add(f"{key} without a volume")
    return found
