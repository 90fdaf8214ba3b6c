"""Says on claims and pods when a mounted volume stops working by itself: its program has ended, its server is silent.

`program/storage.py` connects it to the built-in drivers (`contract.Driver.on_trouble`).
"""

from __future__ import annotations

from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS

REASON = "VolumeConditionAbnormal"
"""As the CSI external-health-monitor has it."""


class Troubles:
    """Of all volumes of an instance."""

    def __init__(self, informers: Informers, recorder: Recorder) -> None:
        self._volumes = informers.of(PERSISTENT_VOLUMES)
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._pods = informers.of(PODS)
        self._recorder = recorder.named("volume-health")

    def tell(self, driver: str, handle: str, what: str) -> None:
        """An event for each claim of the volume, and for each pod that uses it."""
        for volume in self._volumes.list():
            source = volume["spec"].get("csi") or {}
            reference = volume["spec"].get("claimRef")
            if reference and (source.get("driver"), source.get("volumeHandle")) == (driver, handle):
                self._tell_users(reference["name"], reference["namespace"], what)

    def _tell_users(self, claim: str, namespace: str, what: str) -> None:
        if (found := self._claims.get(claim, namespace)) is not None:
            self._recorder.event(found, "Warning", REASON, what)
        for pod in self._pods.list(namespace):
            for volume in _volumes_of(pod, claim):
                self._recorder.event(pod, "Warning", REASON, f'Volume "{volume}": {what}')


def _volumes_of(pod: Obj, claim: str) -> list[str]:
    """Names of its volumes that are this claim, its own ephemeral ones included."""
    return [
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == claim
        or ("ephemeral" in volume and f"{name_of(pod)}-{volume['name']}" == claim)
    ]
