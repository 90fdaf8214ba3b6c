"""Secrets that classes name for their drivers: which one, by templates, and what is in it.

Source: `csi.storage.k8s.io/*-secret-name` and `-namespace` of external-provisioner and external-snapshotter. What is in
a Secret goes to the driver and nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

from skerry.engine.storage.contract import StorageError
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import SECRETS

PREFIX = "csi.storage.k8s.io/"
"""Parameters of a class that are not for its driver."""

_TOKEN = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class SecretRef(NamedTuple):
    """Which Secret."""

    name: str
    namespace: str

    def to_json(self) -> Obj:
        """As a `SecretReference`."""
        return {"name": self.name, "namespace": self.namespace}


def secret_of(parameters: Mapping[str, str], purpose: str, known: Mapping[str, str]) -> SecretRef | None:
    """The Secret for a purpose ("node-stage"), if the class names one; `known`: what templates may say. Raises
    StorageError."""
    keys = [f"{PREFIX}{purpose}-secret-{part}" for part in ("name", "namespace")]
    given = [parameters.get(key, "") for key in keys]
    if not any(given):
        return None
    if not all(given):
        raise StorageError("INVALID_ARGUMENT", f"the class must have both parameters, {keys[0]} and {keys[1]}")
    return SecretRef(*(_resolved(key, template, known) for key, template in zip(keys, given, strict=True)))


def _resolved(key: str, template: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        token = match[1]
        if token not in known:
            raise StorageError("INVALID_ARGUMENT", f"parameter {key} of the class: ${{{token}}} is not known here")
        return known[token]

    name = _TOKEN.sub(value, template)
    if not _NAME.fullmatch(name):
        raise StorageError("INVALID_ARGUMENT", f"parameter {key} of the class leads to {name!r}, which is no name")
    return name


async def read_secret(client: Client, ref: SecretRef | None) -> dict[str, str]:
    """What is in a Secret, {} for none. Raises StorageError when it is not there."""
    if ref is None:
        return {}
    try:
        secret = await client.get(SECRETS, ref.name, ref.namespace)
    except NotFound:
        raise StorageError(
            "FAILED_PRECONDITION",
            f'secret "{ref.name}" not found in namespace "{ref.namespace}": the class names it, create it there',
        ) from None
    return {key: _text(ref, key, value) for key, value in (secret.get("data") or {}).items()}


def _text(ref: SecretRef, key: str, value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise StorageError("INVALID_ARGUMENT", f'key "{key}" of secret "{ref.name}" is not text') from None
