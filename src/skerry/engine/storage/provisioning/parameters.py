"""What the parameters of a StorageClass mean to us, and what is left for its driver. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.secrets import PREFIX, SecretRef, secret_of
from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of
from skerry.kube.records import record

_FS_TYPE = f"{PREFIX}fstype"
_OLD_FS_TYPE = "fstype"
_FIELDS = {
    "controller-publish": "controllerPublishSecretRef",
    "node-stage": "nodeStageSecretRef",
    "node-publish": "nodePublishSecretRef",
    "controller-expand": "controllerExpandSecretRef",
    "node-expand": "nodeExpandSecretRef",
}
"""Purpose of a Secret: where the volume names it."""
_KNOWN = {
    _FS_TYPE,
    *(f"{PREFIX}{purpose}-secret-{part}" for purpose in ("provisioner", *_FIELDS) for part in ("name", "namespace")),
}


@record
class Parameters:
    """The parameters of a class, for one claim."""

    own: Mapping[str, str]
    """Those for the driver."""
    fs_type: str
    secret: SecretRef | None
    """What the driver is given to make and delete the volume."""
    references: Mapping[str, Obj]
    """Fields of the volume's `csi` that name Secrets for later."""


def parameters_of(storage_class: Obj, claim: Obj, volume_name: str) -> Parameters:
    """Raises StorageError for a parameter of our prefix that nobody knows, and for templates that lead nowhere."""
    given: Mapping[str, str] = storage_class.get("parameters") or {}
    for key in given:
        if key.startswith(PREFIX) and key not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise StorageError("INVALID_ARGUMENT", f"parameter {key} of the class is not known; there are {known}")
    words = _words(claim, volume_name)
    found = {field: secret_of(given, purpose, words) for purpose, field in _FIELDS.items()}
    return Parameters(
        own={key: value for key, value in given.items() if not key.startswith(PREFIX)},
        fs_type=given.get(_FS_TYPE) or given.get(_OLD_FS_TYPE, ""),
        secret=secret_of(given, "provisioner", words),
        references={field: ref.to_json() for field, ref in found.items() if ref is not None},
    )


def _words(claim: Obj, volume_name: str) -> Mapping[str, str]:
    """What a template may say."""
    return {
        "pv.name": volume_name,
        "pvc.name": name_of(claim),
        "pvc.namespace": namespace_of(claim),
        **{f"pvc.annotations['{key}']": value for key, value in annotations_of(claim).items()},
    }
