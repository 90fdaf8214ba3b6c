"""What belongs to an app: pods by who made them, from a Release's label on workloads down to pods. Pure.

Pods themselves need no label: a Deployment's are found by way of its ReplicaSets, a CronJob's by way of its Jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skerry.kube.objects import Obj, Resource, controller_of, labels_of, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from skerry.platform.releases.types import RELEASE_LABEL

WORKLOADS: Sequence[Resource] = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS, JOBS, REPLICA_SETS, PODS)
"""In the order of who makes whom."""
_INSTANCE = "app.kubernetes.io/instance"
_MANAGED_BY = "app.kubernetes.io/managed-by"


@record
class Parts:
    """Of one app."""

    pods: Sequence[Obj]
    workloads: Sequence[Obj]
    """What was not made by anything else of the app."""
    names: frozenset[tuple[str, str]]
    """(kind, name) of everything, for its events."""


def parts_of(release: str, listed: Mapping[Resource, Iterable[Obj]], helm_name: str = "") -> Parts:
    """`listed`: what the namespace has, for some of `WORKLOADS` (and claims). `helm_name`: where it is not the
    release's own."""
    uids: set[str] = set()
    names: set[tuple[str, str]] = {("Release", release)}
    pods: list[Obj] = []
    tops: list[Obj] = []
    for resource in (*WORKLOADS, PERSISTENT_VOLUME_CLAIMS):
        for obj in listed.get(resource, ()):
            maker = controller_of(obj)
            owned = maker is not None and maker["uid"] in uids
            if not owned and not _is_labelled(obj, release, helm_name or release):
                continue
            uids.add(uid_of(obj))
            names.add((resource.kind, name_of(obj)))
            if resource is PODS:
                pods.append(obj)
            elif not owned and resource is not PERSISTENT_VOLUME_CLAIMS:
                tops.append(obj)
    return Parts(sorted(pods, key=name_of), tops, frozenset(names))


def events_of(events: Iterable[Obj], parts: Parts) -> list[Obj]:
    """Those about the app. Claims of StatefulSets carry its name in theirs."""
    found = []
    for one in events:
        about = one.get("involvedObject") or {}
        if (about.get("kind", ""), about.get("name", "")) in parts.names:
            found.append(one)
    return found


def _is_labelled(obj: Obj, release: str, helm_name: str) -> bool:
    labels = labels_of(obj)
    if RELEASE_LABEL in labels:
        return labels[RELEASE_LABEL] == release
    return labels.get(_INSTANCE) == helm_name and labels.get(_MANAGED_BY, "Helm") == "Helm"
