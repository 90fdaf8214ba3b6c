"""What a CSIDriver object says about a driver (`storage.k8s.io/v1`), with the defaults that hold without one. Pure.

Source of the behaviour: Kubernetes' `pkg/volume/csi` (`csi_plugin.go`, `csi_mounter.go`, `csi_util.go`). `seLinuxMount`
has no meaning here: pods get no SELinux labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import orjson

from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of, uid_of
from skerry.kube.records import record

CONTROLLER_ANNOTATION = "storage.skerry.dev/controller"
"""On a CSIDriver: "engine" when the engine is to drive the controller side, because no sidecar does."""
PERSISTENT, EPHEMERAL = "Persistent", "Ephemeral"
TOKENS_KEY = "csi.storage.k8s.io/serviceAccount.tokens"


@record
class TokenRequest:
    """A token that a driver wants for a pod. `audience` "": the API's own; `seconds`: its life, 0 for the default."""

    audience: str
    seconds: int = 0


@record
class DriverRules:
    """How volumes of a driver are to be treated."""

    attach: bool = True
    pod_info: bool = False
    lifecycles: frozenset[str] = frozenset({PERSISTENT})
    group_policy: str = "ReadWriteOnceWithFSType"
    tokens: Sequence[TokenRequest] = ()
    tokens_in_secrets: bool = False
    """Whether tokens are among the secrets of a call, instead of the volume's context."""
    republish: bool = False
    """Whether `publish` is called again from time to time while a pod runs."""
    capacity: bool = False
    """Whether the driver's CSIStorageCapacity objects count for where pods go."""
    engine_controls: bool = False

    def allows(self, lifecycle: str) -> bool:
        """Whether volumes may be `PERSISTENT` or `EPHEMERAL` (inline in a pod)."""
        return lifecycle in self.lifecycles

    def gives_to_group(self, fs_type: str, access_modes: Sequence[str]) -> bool:
        """Whether the files of a volume are to be given to a pod's `fsGroup`."""
        if self.group_policy == "File":
            return True
        return self.group_policy != "None" and bool(fs_type) and "ReadWriteOnce" in access_modes


def rules_of(driver: Obj | None) -> DriverRules:
    """Of a CSIDriver object, or of a driver without one: volumes wait to be attached, inline ones are refused."""
    if driver is None:
        return DriverRules()
    spec: Obj = driver.get("spec") or {}
    requests = spec.get("tokenRequests") or ()
    return DriverRules(
        attach=spec.get("attachRequired") is not False,
        pod_info=bool(spec.get("podInfoOnMount")),
        lifecycles=frozenset(spec.get("volumeLifecycleModes") or (PERSISTENT,)),
        group_policy=spec.get("fsGroupPolicy") or "ReadWriteOnceWithFSType",
        tokens=[TokenRequest(each.get("audience") or "", each.get("expirationSeconds") or 0) for each in requests],
        tokens_in_secrets=bool(spec.get("serviceAccountTokenInSecrets")),
        republish=bool(spec.get("requiresRepublish")),
        capacity=bool(spec.get("storageCapacity")),
        engine_controls=annotations_of(driver).get(CONTROLLER_ANNOTATION) == "engine",
    )


def pod_info(rules: DriverRules, pod: Obj, lifecycle: str) -> dict[str, str]:
    """What the driver is told of a pod beside the volume's context; {} unless it asked for it."""
    if not rules.pod_info:
        return {}
    return {
        "csi.storage.k8s.io/pod.name": name_of(pod),
        "csi.storage.k8s.io/pod.namespace": namespace_of(pod),
        "csi.storage.k8s.io/pod.uid": uid_of(pod),
        "csi.storage.k8s.io/serviceAccount.name": pod["spec"].get("serviceAccountName") or "",
        "csi.storage.k8s.io/ephemeral": str(lifecycle == EPHEMERAL).lower(),
    }


def token_entry(tokens: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The entry that carries tokens, by audience each with its end as RFC 3339; {} without any."""
    if not tokens:
        return {}
    given = {audience: {"token": token, "expirationTimestamp": end} for audience, (token, end) in tokens.items()}
    return {TOKENS_KEY: orjson.dumps(given).decode()}


def inline_handle(pod: Obj, volume: str) -> str:
    """The handle of a volume that is written in a pod, as the kubelet makes it."""
    return "csi-" + hashlib.sha256(f"{uid_of(pod)}{volume}".encode()).hexdigest()
