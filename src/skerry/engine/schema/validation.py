"""The rules an object must meet to be stored: those on metadata, then those of its kind's strategy.

The API server calls `validate` at creation and `validate_update` (which includes `validate`) on every change, and
answers with `kube.errors.invalid` when either returns causes. Neighbours: `metadata`, `kinds`.
"""

from __future__ import annotations

from skerry.engine.schema import metadata
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


def validate(kind: Kind, obj: Obj) -> list[Cause]:
    """What is wrong with a new object, its defaults and `metadata.name` already set; [] when all is well."""
    return metadata.validate(kind, obj) + kind.strategy.validate(obj)


def validate_update(kind: Kind, new: Obj, old: Obj) -> list[Cause]:
    """What is wrong with replacing `old` by `new`. The rules on `old` are taken to have held."""
    causes = metadata.validate(kind, new) + metadata.validate_update(new, old)
    judged = kind.strategy.judges_metadata
    if (
        not judged
        and len(new) == len(old)
        and all(new.get(part) == old.get(part) for part in new if part != "metadata")
    ):
        return causes
    return causes + kind.strategy.validate_change(new, old)
