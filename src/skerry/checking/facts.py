"""What is known of the cluster that objects are to go to. Checks are pure functions of objects and this.

`reading` makes it of a cluster; without one checks say what can be said anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from skerry.checking.schema.schemas import Schema
from skerry.kube.objects import Obj, Resource, name_of, namespace_of
from skerry.kube.records import record

Kind = tuple[str, str]
"""apiVersion and kind."""
Key = tuple[str, str, str, str]
"""apiVersion, kind, namespace ("" for none), name."""


@record
class Images:
    """What nodes have, by full names. `complete`: whether these are all, so that what is not among them is nowhere."""

    names: frozenset[str]
    complete: bool


@record
class Space:
    """What is known of one namespace; `labels` is None when they could not be read, or there is no cluster."""

    exists: bool = True
    labels: Mapping[str, str] | None = None
    quotas: Sequence[Obj] = ()
    limit_ranges: Sequence[Obj] = ()
    project: Obj | None = None

    def limits(self) -> Sequence[Obj]:
        """The limits that LimitRanges set, of every type."""
        return [one for each in self.limit_ranges for one in (each.get("spec") or {}).get("limits") or ()]


@record
class Facts:
    """Everything that was read. `namespace`: of objects that name none."""

    namespace: str
    online: bool = False
    spaces: Mapping[str, Space] = field(default_factory=dict)
    images: Images | None = None
    registries: Mapping[str, str] = field(default_factory=dict)
    """What registries said of images that nodes do not have, by full name: "" when it is there, otherwise why not."""
    nodes: int = 1
    schemas: Mapping[Kind, Schema | None] = field(default_factory=dict)
    """Of kinds that are not Kubernetes' own; None: the cluster does not serve it."""
    resources: Mapping[Kind, Resource] = field(default_factory=dict)
    current: Mapping[Key, Obj] = field(default_factory=dict)
    """Of the objects that use quota: those that are there already, and would be changed."""
    refusals: Mapping[Key, str] = field(default_factory=dict)
    """What the API says to a trial, where it says no."""

    def space(self, namespace: str) -> Space:
        """What is known of a namespace."""
        return self.spaces.get(namespace) or Space()

    def namespace_of(self, obj: Obj) -> str:
        """Where an object goes; "" when its kind is known to have no namespaces."""
        resource = self.resources.get(kind_of(obj))
        return "" if resource is not None and not resource.namespaced else namespace_of(obj) or self.namespace

    def key(self, obj: Obj) -> Key:
        """Which object it is."""
        return (*kind_of(obj), self.namespace_of(obj), name_of(obj))


def kind_of(obj: Obj) -> Kind:
    """Its apiVersion and kind, "" for what is missing."""
    return str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
