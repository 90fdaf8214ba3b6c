"""StorageClass. Source: `SetDefaults_StorageClass`, `ValidateStorageClass(Update)`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, immutable, invalid, not_supported, required, too_long
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_BINDING = ("Immediate", "WaitForFirstConsumer")
_RECLAIM = ("Delete", "Retain")
_FIXED = ("parameters", "provisioner", "reclaimPolicy")
_MOST_PARAMETERS, _MOST_BYTES = 512, 256 * 1024


class StorageClassStrategy(Strategy):
    """Who makes volumes, and how; fixed once made, for volumes exist by it."""

    def default(self, obj: Obj) -> None:
        """Deleted after use, bound at once."""
        set_default(obj, "reclaimPolicy", "Delete")
        set_default(obj, "volumeBindingMode", "Immediate")

    def validate(self, obj: Obj) -> list[Cause]:
        """Provisioner, parameters, policies and places."""
        causes = list(_check_provisioner(obj.get("provisioner") or ""))
        causes += _check_parameters(obj.get("parameters") or {})
        if obj.get("reclaimPolicy") not in _RECLAIM:
            causes.append(not_supported("reclaimPolicy", obj.get("reclaimPolicy", ""), _RECLAIM))
        if obj.get("volumeBindingMode") not in _BINDING:
            causes.append(not_supported("volumeBindingMode", obj.get("volumeBindingMode", ""), _BINDING))
        for index, term in enumerate(obj.get("allowedTopologies") or ()):
            causes += _check_term(term, f"allowedTopologies[{index}]")
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """All but expansion, mount options and places stays."""
        causes = [
            forbidden(part, f"updates to {part} are forbidden.") for part in _FIXED if new.get(part) != old.get(part)
        ]
        if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
            causes.append(immutable("volumeBindingMode", new.get("volumeBindingMode")))
        return causes


def _check_provisioner(name: str) -> Iterator[Cause]:
    if not name:
        yield required("provisioner")
    elif complaint := names.qualified_name(name.lower()):
        yield invalid("provisioner", name, complaint)


def _check_parameters(parameters: Obj) -> Iterator[Cause]:
    if len(parameters) > _MOST_PARAMETERS:
        yield too_long("parameters", _MOST_PARAMETERS)
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(key) + len(value) for key, value in parameters.items()) > _MOST_BYTES:
        yield too_long("parameters", _MOST_BYTES)


def _check_term(term: Obj, field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in enumerate(term.get("matchLabelExpressions") or ()):
        below = f"{field}.matchLabelExpressions[{index}]"
        if complaint := names.qualified_name(one.get("key") or ""):
            yield invalid(f"{below}.key", one.get("key") or "", complaint)
        if not one.get("values"):
            yield required(f"{below}.values")
        if one.get("key") in seen:
            yield duplicate(f"{below}.key", one["key"])
        seen.add(one.get("key") or "")
