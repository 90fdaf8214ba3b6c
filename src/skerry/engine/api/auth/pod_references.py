"""The objects a pod uses, by name: what its node may therefore read. Pure functions.

Source: Kubernetes' `pkg/api/v1/pod/util.go` (VisitPodSecretNames, VisitPodConfigmapNames) and the node authorizer's
graph (`AddPod`).
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.kube.objects import Obj

CLAIMS = "persistentvolumeclaims"
_SECRETS_OF_VOLUMES = (
    "controllerPublishSecretRef", "nodePublishSecretRef", "nodeStageSecretRef",
    "controllerExpandSecretRef", "nodeExpandSecretRef",
)  # fmt: skip


def names_used(pod: Obj, resource: str) -> set[str]:
    """The names of all objects of one resource that a pod uses; its own for "pods"."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    if resource == "pods":
        return {name}
    if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
        return set()
    if resource == "serviceaccounts":
        return {spec.get("serviceAccountName") or "default"}
    if resource == CLAIMS:
        return set(_claims(name, spec))
    return set(_secrets(spec) if resource == "secrets" else _config_maps(spec))


def secrets_of_volume(volume: Obj) -> set[tuple[str, str]]:
    """(namespace, name) of the secrets that a PersistentVolume names for its driver."""
    source = volume["spec"].get("csi") or {}
    references = [source.get(key) or {} for key in _SECRETS_OF_VOLUMES]
    return {(one.get("namespace", ""), one["name"]) for one in references if one.get("name")}


def _claims(pod: str, spec: Obj) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]
        elif "ephemeral" in volume:
            yield f"{pod}-{volume['name']}"


def _secrets(spec: Obj) -> Iterator[str]:
    for reference in spec.get("imagePullSecrets") or ():
        yield reference.get("name", "")
    yield from _of_environment(spec, "secretRef", "secretKeyRef")
    for volume in spec.get("volumes") or ():
        yield (volume.get("secret") or {}).get("secretName", "")
        yield from _projected(volume, "secret")
        for source in volume.values():
            if isinstance(source, dict):
                for key in ("secretRef", "nodePublishSecretRef"):
                    yield (source.get(key) or {}).get("name", "")


def _config_maps(spec: Obj) -> Iterator[str]:
    yield from _of_environment(spec, "configMapRef", "configMapKeyRef")
    for volume in spec.get("volumes") or ():
        yield (volume.get("configMap") or {}).get("name", "")
        yield from _projected(volume, "configMap")


def _projected(volume: Obj, kind: str) -> Iterator[str]:
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield (source.get(kind) or {}).get("name", "")


def _of_environment(spec: Obj, whole: str, one: str) -> Iterator[str]:
    containers: list[Obj] = []
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        containers += spec.get(kind) or ()
    for container in containers:
        for source in container.get("envFrom") or ():
            yield (source.get(whole) or {}).get("name", "")
        for variable in container.get("env") or ():
            yield ((variable.get("valueFrom") or {}).get(one) or {}).get("name", "")
