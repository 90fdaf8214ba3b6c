"""Secret. Source: `pkg/registry/core/secret/strategy.go`, `ValidateSecret`."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import orjson

from skerry.engine.schema import names
from skerry.engine.schema.causes import immutable, invalid, required, too_long
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.kinds.core.config_map import MAX_SIZE, bytes_of_base64, unchanged_if_immutable
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
_ACCOUNT = "kubernetes.io/service-account.name"
_NEEDED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_JSON_KEYS = (".dockercfg", ".dockerconfigjson")


class SecretStrategy(Strategy):
    """Base64 data, typed secrets complete, and `immutable` meant."""

    def default(self, obj: Obj) -> None:
        """Opaque; `stringData` is write-only and becomes data."""
        set_default(obj, "type", "Opaque")
        text = obj.pop("stringData", None)
        if text:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
            obj["data"] = {**(obj.get("data") or {}), **encoded}

    def validate(self, obj: Obj) -> list[Cause]:
        """Keys, size, and what the type asks for."""
        data = obj.get("data") or {}
        causes = [invalid(f"data[{key}]", key, complaint) for key in data if (complaint := names.config_key(key))]
        if bytes_of_base64(data) > MAX_SIZE:
            causes.append(too_long("data", MAX_SIZE))
        return causes + list(_check_type(obj, data))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The type stays; an immutable secret stays as it is."""
        causes = unchanged_if_immutable(new, old, ("data",))
        if new.get("type") != old.get("type"):
            causes.append(immutable("type", new.get("type", "")))
        return causes


def _check_type(obj: Obj, data: dict[str, str]) -> Iterator[Cause]:
    kind = obj.get("type", "")
    if kind == _TOKEN and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
        yield required(f"metadata.annotations[{_ACCOUNT}]")
    if kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        yield required("data[username]")
        yield required("data[password]")
    for key in _NEEDED_KEYS.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif key in _JSON_KEYS and not _is_json(data[key]):
            yield invalid(f"data[{key}]", "<secret contents redacted>", "invalid character in JSON")


def _is_json(encoded: str) -> bool:
    try:
        orjson.loads(base64.b64decode(encoded))
    except ValueError:
        return False
    return True
