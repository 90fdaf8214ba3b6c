"""The base of all models of resources: camelCase as Kubernetes has it, immutable, unknown fields refused.

A capability's `types.py` has a model for the spec and one for the status of each kind. `definition` makes the schema
of the CustomResourceDefinition from them: what pydantic checks when a controller reads an object is what the API
server checks when somebody writes it.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from skerry.kube.objects import Obj


class Model(BaseModel):
    """A part of a resource."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    @classmethod
    def of(cls, written: Obj | None) -> Self:
        """From what an object carries; None is as good as {}. Raises pydantic.ValidationError."""
        return cls.model_validate(written or {})

    def dump(self) -> Obj:
        """As an object carries it: without what is not set."""
        dumped: Obj = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return dumped


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


QUANTITY_PATTERN = r"^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$"
Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(
        pattern=QUANTITY_PATTERN,
        json_schema_extra={"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "minimum": 0},
    ),
]
"""A Kubernetes quantity that is not negative: "500m", "4Gi", 2."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
"""A DNS label (RFC 1123), as Kubernetes names are."""
