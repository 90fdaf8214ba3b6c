"""The contract between kinds and the API server: what a kind is, and what may be particular about it.

Kinds are data (`Kind`); what no schema says is in a `Strategy` (defaults, rules between fields, immutability). The API
server drives a write as: decode, prune/validate against the schema, `default`, mutating admission, `prepare_*`,
`validate*`, validating admission. Custom resources become `Kind`s through the same code. Where a kind's version is not
the one that is stored, or what was stored may need a look before it is shown, its `Conversion` says how; kinds without
one are shown as their bytes stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any, Protocol

from skerry.engine.schema import names
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@record
class Column:
    """A printed column (`TableColumnDefinition`). priority 0 is always shown, 1 with `-o wide`."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


class Strategy:
    """What is particular about a kind. Objects passed in are private to the request and are changed in place."""

    orphans_by_default: bool = False
    """Whether what an object owns stays when a client that deletes it does not say otherwise."""
    judges_metadata: bool = False
    """Whether a change of nothing but metadata can break a rule: one on the change itself, or on the metadata."""

    def among(self, kinds: Callable[[], Iterable[Kind]]) -> Strategy:
        """The strategy where these kinds are served; itself, unless what an object says of other kinds matters."""
        return self

    def default(self, obj: Obj) -> None:
        """Fill in what the user left out, as Kubernetes' `SetDefaults_*` do."""

    def prepare_create(self, obj: Obj) -> None:
        """Clear what a client may not set at creation (status), set what the server sets."""

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Carry over what an update through the main resource may not change (status)."""

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """Carry over what an update through `/status` may not change (spec)."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Rules between fields, at creation and after every change."""
        return []

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Rules on the change itself: immutable fields."""
        return []

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """All rules for a change, where they are not simply those on the new object and those on the change."""
        return self.validate(new) + self.validate_update(new, old)

    def warnings(self, new: Obj, old: Obj | None) -> list[str]:
        """What who writes `new` is told although it is valid; `old` None at creation. Nothing is changed."""
        return []

    def prepare_delete(self, obj: Obj, now: str) -> None:
        """What the first request to delete does to an object beside marking it (a finalizer of the kind's own). `now`
        is RFC 3339."""


Row = Callable[[Obj, float], list[Any]]
"""The cells of one object, in the order of the kind's columns, given the current time (seconds since the epoch)."""


@record
class Printer:
    """How a kind is printed. `row` None: its name and age."""

    columns: tuple[Column, ...] = ()
    row: Row | None = None


class Conversion(Protocol):
    """Between what the store holds and one served version of it. Objects passed in are private and may be changed and
    given back; they come back in the same order, with name, namespace and uid as they were."""

    @property
    def stores(self) -> bool:
        """Whether this version is the one that is written to the store."""
        ...

    def is_current(self, revision: int) -> bool:
        """Whether what was written at this revision of the store can be shown as it stands."""
        ...

    async def to_served(self, objs: list[Obj]) -> list[Obj]:
        """Stored objects, of whatever version, as this version shows them. Raises StatusError (a webhook failed)."""
        ...

    async def to_stored(self, objs: list[Obj]) -> list[Obj]:
        """Objects of this version as they are stored. Raises StatusError (a webhook failed)."""
        ...


@record
class ScalePaths:
    """Where a custom resource keeps what `/scale` shows, as paths of keys; `selector` () when it has none."""

    replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] = ()


@record
class Kind:
    """One served kind at one version."""

    resource: Resource
    singular: str
    definition: str
    """Name of its schema in the definitions, e.g. "io.k8s.api.core.v1.Pod"."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: frozenset[str] = frozenset()
    """Of "status", "scale", and those with code of their own ("log", "exec", "binding", "eviction", ...)."""
    printer: Printer | None = None
    """None: the built-in one for a built-in kind, name and age for a custom resource."""
    selectable: tuple[str, ...] = ()
    """Field selectors beside metadata.name and metadata.namespace, as dotted paths ("spec.nodeName")."""
    strategy: Strategy = field(default_factory=Strategy)
    name_rule: names.NameRule = names.subdomain
    """What `metadata.name` may look like; returns the complaint or ""."""
    storage_group: str | None = None
    """Where another group's objects are shown under this one (events.k8s.io shows core events): that group."""
    conversion: Conversion | None = None
    """None: objects are shown as their stored bytes stand."""
    schema: Callable[[], Obj] | None = None
    """A custom resource's OpenAPI v3 schema (`openAPIV3Schema`), decoded when asked for; None for built-in kinds."""
    prune: Callable[[Obj], list[str]] | None = None
    """For a custom resource: drop what its schema does not know from an object; returns the paths of what was dropped.
    Raises BadRequest where metadata is malformed."""
    list_kind: str = ""
    """The kind of its lists where that is not the kind's name and "List"."""
    deprecation: str = ""
    """What who uses this version is told in a `Warning:` header."""
    revision: int = 0
    """Another number for every change of a custom resource's definition: what is published of it changes with it."""
    elsewhere: bool = False
    """Whether another server has it (an APIService with a service): all that is known of it is how it is called."""
    scale: ScalePaths | None = None
    """None: `spec.replicas`, `status.replicas` and the label selector `spec.selector`, as built-in kinds have them."""
    stored_as: str = field(init=False, repr=False, compare=False)
    """The store's name for its objects: versions share it, and a kind shown for another group uses that."""

    def __post_init__(self) -> None:
        """It is asked for in every request."""
        group = self.resource.group if self.storage_group is None else self.storage_group
        plural = self.resource.plural
        object.__setattr__(self, "stored_as", f"{plural}.{group}" if group else plural)

    @property
    def listed_as(self) -> str:
        """The kind of its lists."""
        return self.list_kind or f"{self.resource.kind}List"
