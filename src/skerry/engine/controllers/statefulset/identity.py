"""Who a pod of a StatefulSet is: ordinal, name, labels, host name, and the volumes that are its own. Pure.

Source: Kubernetes `pkg/controller/statefulset/stateful_set_utils.go`. Neighbour: `claims`, which names the claims.
"""

from __future__ import annotations

import re

from skerry.engine.controllers.history.revisions import template_of
from skerry.engine.controllers.ownership import Selects, by_selector
from skerry.engine.controllers.pod_template import pod_from_template
from skerry.engine.controllers.statefulset.claims import claim_names
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.resources import STATEFUL_SETS

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
REVISION = "controller-revision-hash"
_NAME = re.compile(r"(.*)-(0|[1-9][0-9]{0,9})")
_LARGEST = 2**31 - 1


def owner_and_ordinal(pod_name: str) -> tuple[str, int]:
    """`web-3` is the pod 3 of the set `web`; ("", -1) for a name that is not of that form."""
    match = _NAME.fullmatch(pod_name)
    if match is None or int(match[2]) > _LARGEST:
        return "", -1
    return match[1], int(match[2])


def ordinal_of(pod: Obj) -> int:
    """The number at the end of the pod's name, -1 when there is none."""
    return owner_and_ordinal(name_of(pod))[1]


def ordinals(owner: Obj) -> range:
    """The ordinals that the set wants pods for."""
    first = int((owner["spec"].get("ordinals") or {}).get("start") or 0)
    return range(first, first + int(owner["spec"].get("replicas", 1)))


def members_of(owner: Obj) -> Selects:
    """Pods that the set's selector selects and that are named as its own."""
    selects, name = by_selector(owner), name_of(owner)
    return lambda pod: selects(pod) and owner_and_ordinal(name_of(pod))[0] == name


def revision_of(pod: Obj) -> str:
    """The name of the revision the pod was made from."""
    return labels_of(pod).get(REVISION, "")


def build_pod(owner: Obj, revision: Obj, ordinal: int) -> Obj:
    """The pod of an ordinal, from the template of a revision."""
    pod = pod_from_template(owner, STATEFUL_SETS, template_of(revision, owner))
    metadata = {**pod["metadata"], "name": f"{name_of(owner)}-{ordinal}"}
    metadata["labels"] = {**(metadata.get("labels") or {}), REVISION: name_of(revision)}
    spec = {**pod["spec"], "hostname": metadata["name"]}
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    return corrected(owner, {**pod, "metadata": metadata, "spec": spec})


def is_right(owner: Obj, pod: Obj) -> bool:
    """Whether the pod has the labels of its identity and the volumes of its claims."""
    labels = labels_of(pod)
    wanted = _identity_labels(pod).items()
    volumes = {volume.get("name"): volume for volume in pod["spec"].get("volumes") or ()}
    claims = claim_names(owner, ordinal_of(pod))
    return wanted <= labels.items() and all(_claimed(volumes.get(name)) == claim for name, claim in claims.items())


def corrected(owner: Obj, pod: Obj) -> Obj:
    """The pod as it should be: identity and volumes set right, all else as it is."""
    metadata = {**pod["metadata"], "labels": {**labels_of(pod), **_identity_labels(pod)}}
    claims = claim_names(owner, ordinal_of(pod))
    if not claims:
        return {**pod, "metadata": metadata}
    own = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in claims.items()]
    others = [volume for volume in pod["spec"].get("volumes") or () if volume.get("name") not in claims]
    return {**pod, "metadata": metadata, "spec": {**pod["spec"], "volumes": [*own, *others]}}


def _identity_labels(pod: Obj) -> dict[str, str]:
    return {POD_NAME: name_of(pod), POD_INDEX: str(ordinal_of(pod))}


def _claimed(volume: Obj | None) -> str:
    return str(((volume or {}).get("persistentVolumeClaim") or {}).get("claimName", ""))
