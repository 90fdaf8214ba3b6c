"""What a capability brings to the platform, and what it is given. `program.all` lists the capabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

from skerry.kube.clock import Clock
from skerry.kube.controller import Controller
from skerry.kube.events import Recorder
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.base.admission import Hook
from skerry.platform.base.callers import Callers
from skerry.platform.base.kinds import Kind

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_T = TypeVar("_T")

NAMESPACE = "skerry-system"
"""Where the platform keeps what is its own."""
INITIAL = "skerry.dev/initial"
"""Annotation of a shipped object that is the operators' once it is there: made where it is missing, never changed."""
MANAGER = "skerry-platform"
"""Whose the fields are that the platform applies."""


@record
class Settings:
    """What whoever starts the platform decides."""

    host: str = "127.0.0.1"
    """Where admission and web are served."""
    port: int = 0
    url: str = ""
    """How people and the API server reach it; "": by the first name and port."""
    names: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names and addresses by which it may be called: its certificate is for these."""
    beside_node: bool = False
    """Runs on the cluster's one node, outside its pods: it then makes the Service by which pods reach it itself."""
    streams_per_person: int = 200
    """Through the gateway, at once: watches, logs, exec and the like."""
    ca: bytes = b""
    """Whom to trust at `url`, PEM; the platform itself says so to its capabilities."""


@record
class Context:
    """What a capability works with."""

    client: HttpClient
    """Acts as the capability's own service account, with its `rights` and no more."""
    informers: Informers
    """Shared by all, read as the platform; a capability may cache what its `rights` let it read."""
    recorder: Recorder
    clock: Clock
    settings: Settings
    callers: Callers = field(default_factory=Callers)
    """Who requests with the platform's tokens come from; the same for all capabilities."""
    _made: dict[type, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, kind: type[_T], make: Callable[[], _T]) -> _T:
        """What the capability's controllers, hooks and routes share: made by whoever asks first."""
        if kind not in self._made:
            self._made[kind] = make()
        made: _T = self._made[kind]
        return made


@record
class Capability:
    """One folder below `platform/`. The functions are called once, in this order, with the capability's context."""

    name: str
    """A DNS label; its service account is `skerry-system/<name>`."""
    kinds: Sequence[Kind]
    rights: Sequence[Obj]
    """Rules of its ClusterRole, as small as they can be."""
    objects: Callable[[], Sequence[Obj]] = tuple
    """What it ships (built-in tiers, roles for people): applied at every start, fields of others left alone; but see
    `INITIAL`."""
    controllers: Callable[[Context], Sequence[Controller]] = field(default=lambda _: ())
    hooks: Callable[[Context], Sequence[Hook]] = field(default=lambda _: ())
    routes: Callable[[Context], Sequence[BaseRoute]] = field(default=lambda _: ())
    """What it serves to browsers and command lines, below its own prefix `/<name>/`."""
