"""ConfigMap. Source: `ValidateConfigMap`, `ValidateConfigMapUpdate`."""

from __future__ import annotations

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, too_long
from skerry.engine.schema.contract import Strategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

MAX_SIZE = 1024 * 1024
"""Bytes of all values together; alike for Secrets."""


class ConfigMapStrategy(Strategy):
    """Keys that can be file names, values within 1 MiB, and `immutable` meant."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Keys and size."""
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        causes = []
        for key, value in data.items():
            if complaint := names.config_key(key):
                causes.append(invalid(f"data[{key}]", key, complaint))
            if key in binary:
                causes.append(invalid(f"data[{key}]", value, "duplicate of key present in binaryData"))
        for key in binary:
            if complaint := names.config_key(key):
                causes.append(invalid(f"binaryData[{key}]", key, complaint))
        if bytes_of_text(data) + bytes_of_base64(binary) > MAX_SIZE:
            causes.append(too_long("", MAX_SIZE))
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """An immutable one stays as it is."""
        return unchanged_if_immutable(new, old, ("data", "binaryData"))


def bytes_of_text(data: dict[str, str]) -> int:
    """The size of text values in UTF-8."""
    return sum(len(value) if value.isascii() else len(value.encode()) for value in data.values())


def bytes_of_base64(data: dict[str, str]) -> int:
    """The decoded size of base64 values."""
    return sum(len(value) * 3 // 4 - value[-2:].count("=") for value in data.values())


def unchanged_if_immutable(new: Obj, old: Obj, parts: tuple[str, ...]) -> list[Cause]:
    """`field is immutable when `immutable` is set`, for the flag itself and for these parts."""
    if not old.get("immutable"):
        return []
    changed = [part for part in parts if (new.get(part) or {}) != (old.get(part) or {})]
    if not new.get("immutable"):
        changed.insert(0, "immutable")
    return [forbidden(part, "field is immutable when `immutable` is set") for part in changed]
