"""What objects use, worked out once for each state of them: quotas are added up with every pod that comes or goes, and
hundreds beside it have not changed. Kept for namespaces with quotas, for as long as the objects are there.
"""

from __future__ import annotations

from datetime import datetime

from skerry.kube.objects import Obj, uid_of
from skerry.kube.quota.amounts import Amounts
from skerry.kube.quota.usage import given_up_at, usage


class Remembered:
    """By uid and version. `using` is `usage` for whoever asks."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Amounts]] = {}

    def using(self, resource: str, obj: Obj, now: datetime) -> Amounts:
        """What an object uses. Of a pod that is going away, time decides, so it is asked each time."""
        if resource == "pods" and given_up_at(obj) is not None:
            return usage(resource, obj, now)
        uid, version = uid_of(obj), obj["metadata"].get("resourceVersion", "")
        known = self._known.get(uid)
        if known is None or known[0] != version:
            known = self._known[uid] = (version, usage(resource, obj, now))
        return known[1]

    def forget(self, uid: str) -> None:
        """It is gone."""
        self._known.pop(uid, None)
