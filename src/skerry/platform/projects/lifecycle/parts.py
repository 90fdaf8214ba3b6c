"""What the lifecycle adds to the capability: rights, shipped roles, controllers, hooks."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.kube.objects import Obj
from skerry.platform.base.access import MAY_ASK
from skerry.platform.base.admission import Hook
from skerry.platform.base.capability import Context
from skerry.platform.projects.lifecycle.asking import Asking
from skerry.platform.projects.lifecycle.controller import Lifecycle
from skerry.platform.projects.lifecycle.readers import RequestReaders
from skerry.platform.projects.lifecycle.recording import recording_hook
from skerry.platform.projects.lifecycle.requests import Requests

_WORKLOADS = {
    "apps": ["deployments", "statefulsets", "replicasets", "daemonsets"],
    "batch": ["cronjobs", "jobs"],
    "": ["replicationcontrollers"],
}
RIGHTS: Sequence[Obj] = (
    MAY_ASK,
    {"apiGroups": ["skerry.dev"], "resources": ["projects"], "verbs": ["create", "patch", "list", "delete"]},
    {
        "apiGroups": ["skerry.dev"],
        "resources": ["projectrequests"],
        "verbs": ["get", "list", "watch", "patch", "delete", "approve"],
    },
    {"apiGroups": ["skerry.dev"], "resources": ["projectrequests/status"], "verbs": ["update"]},
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles", "clusterrolebindings"],
        "verbs": ["get", "create", "patch", "delete"],
    },
    *({"apiGroups": [group], "resources": names, "verbs": ["patch"]} for group, names in _WORKLOADS.items()),
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
    # volumes of projects, bound a second time where their data is archived (`archiving.copying`)
    {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["get", "list", "create", "delete"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get"]},
)


def controllers(context: Context) -> Sequence[Controller]:
    """For the capability."""
    return [Requests(context), RequestReaders(context), Lifecycle(context)]


def hooks(context: Context) -> Sequence[Hook]:
    """For the capability."""
    return [*Asking(context).hooks(), recording_hook(context)]
