"""What writing a custom resource means: nulls and defaults, status, generation, validation by its schema and rules.

Source: `pkg/registry/customresource/{strategy,status_strategy,validator}.go` of the apiextensions server. The schema is
compiled when an object of the kind is first written or converted; nothing of it is kept before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.contract import ScalePaths, Strategy
from skerry.engine.schema.custom import defaulting, pruning
from skerry.engine.schema.custom.complaints import NOWHERE
from skerry.engine.schema.custom.embedded import check_embedded, coerce
from skerry.engine.schema.custom.nested import value_at
from skerry.engine.schema.custom.structural import MISSING, Node, compile_node
from skerry.engine.schema.custom.uniqueness import check_unique
from skerry.engine.schema.custom.validating import Validator
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_BLOCKING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
_UNCHECKED = (
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the '
    "existing errors to complete validation"
)
_LARGEST = 2**31 - 1


class Compiled:
    """A schema made ready: its tree and its validator."""

    def __init__(self, schema: Obj) -> None:
        self.root: Node = compile_node(schema)
        # What metadata looks like is the same for all kinds and checked elsewhere; a schema may only restrict names.
        self.validator = Validator(schema)


class CustomStrategy(Strategy):
    """The strategy of one version of a custom resource. `read` gives its `openAPIV3Schema`."""

    judges_metadata = True

    def __init__(self, read: Callable[[], Obj], *, has_status: bool, scale: ScalePaths | None) -> None:
        self._read = read
        self._compiled: Compiled | None = None
        self._has_status = has_status
        self._scale = scale

    @property
    def compiled(self) -> Compiled:
        """The schema, compiled at its first use."""
        if self._compiled is None:
            self._compiled = Compiled(self._read())
        return self._compiled

    def prune(self, obj: Obj) -> list[str]:
        """Drop what the schema does not know, nulls that mean nothing, and malformed metadata of embedded objects."""
        root = self.compiled.root
        unknown = pruning.prune(obj, root)
        defaulting.drop_nulls(obj, root)
        return unknown + coerce(obj, root)

    def default(self, obj: Obj) -> None:
        """Fill in the schema's defaults."""
        defaulting.default(obj, self.compiled.root)

    def prepare_create(self, obj: Obj) -> None:
        """Status is not the creator's to set where it is a subresource."""
        if self._has_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Keep the status where it is a subresource; any change outside of metadata counts."""
        if self._has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        if _content(new) != _content(old):
            new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """Take the status and nothing else."""
        status, managed = new.get("status", MISSING), new["metadata"].get("managedFields")
        given = {key: new["metadata"][key] for key in ("resourceVersion",) if key in new["metadata"]}
        new.clear()
        new.update({**old, "metadata": {**old["metadata"], **given}})
        new.pop("status", None)
        if status is not MISSING:
            new["status"] = status
        if managed is not None:
            new["metadata"]["managedFields"] = managed

    def validate(self, obj: Obj) -> list[Cause]:
        """All rules, on a new object."""
        return self._check(obj, MISSING)

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """All rules on what has changed, and the rules on the change itself."""
        return self._check(new, old)

    def warnings(self, new: Obj, old: Obj | None) -> list[str]:
        """About finalizers' names."""
        if not new["metadata"].get("finalizers"):
            return []
        from skerry.engine.schema.custom.warnings import finalizer_warnings

        return finalizer_warnings(new, old)

    def _check(self, obj: Obj, old: Any) -> list[Cause]:
        root = self.compiled.root
        causes = self.compiled.validator.check(obj, "", old).causes
        causes += [*_check_scale(obj, self._scale), *check_embedded(obj, root)]
        if old is MISSING or not any(check_unique(old, root)):
            causes += check_unique(obj, root)
        if root.has_rules:
            causes += self._check_rules(obj, old, causes)
        return causes

    def _check_rules(self, obj: Obj, old: Any, causes: list[Cause]) -> list[Cause]:
        if any(cause.reason in _BLOCKING for cause in causes):
            return [Cause("FieldValueInvalid", _UNCHECKED, NOWHERE)]
        from skerry.engine.schema.custom.rules import check_rules  # CEL is for those who use it

        return check_rules(self.compiled.root, obj, old)


def _content(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key != "metadata"}


def _check_scale(obj: Obj, scale: ScalePaths | None) -> Iterator[Cause]:
    for path in (scale.replicas, scale.status_replicas) if scale is not None else ():
        field, value = "." + ".".join(path), value_at(obj, path)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            yield invalid(field, 0, f"{field} accessor error: {value} is of the type {_go_type(value)}, expected int64")
        elif value < 0:
            yield invalid(field, value, "should be a non-negative integer")
        elif value > _LARGEST:
            yield invalid(field, value, f"should be less than or equal to {_LARGEST}")


def _go_type(value: Any) -> str:
    names = {str: "string", bool: "bool", float: "float64", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")
