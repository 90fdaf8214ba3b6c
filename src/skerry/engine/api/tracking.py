"""Who writes: the manager's name from the request, and the hook that keeps `managedFields` at every write.

Neighbours: `engine.schema.managed` (what is written into them), `writing` (when), `verbs.apply`. Source:
`apiserver/pkg/endpoints/handlers` (managerOrUserAgent).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from skerry.engine.api.backend import Backend
from skerry.engine.api.metadata import same
from skerry.engine.api.options import WriteOptions
from skerry.engine.api.request import Request
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.elements import MalformedSet
from skerry.engine.schema.managed.managers import LONGEST_NAME, given, listed, stored
from skerry.engine.schema.managed.resets import Reset, reset_fields
from skerry.engine.schema.managed.types import Fields
from skerry.engine.schema.managed.typing import type_of
from skerry.engine.schema.managed.updates import Write, track_update
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj

_LONGEST_AGENT = 1024
"""Bytes of a User-Agent that are looked at."""

_MALFORMED = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating "
    "admission controller; please fix your requests"
)
_MOST_KNOWN = 1000
_known: dict[tuple[Callable[[], Obj] | str, str], tuple[Kind, Fields, Reset]] = {}
"""What writes to a kind need, by its schema and the subresource."""

Track: TypeAlias = Callable[[Obj, Obj], None]
"""Brings the managedFields of the new object (the first) up to date, given the old one."""


def write_of(backend: Backend, request: Request, options: WriteOptions, body: Kind | None = None) -> Write:
    """What managedFields say about this request. `body`: its kind where that is not the target's (Scale)."""
    kind, subresource = body or request.what.kind, request.what.subresource
    place = (kind.schema or kind.definition, subresource)
    known = _known.get(place)
    if known is None or known[0] is not kind:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        known = _known[place] = (kind, type_of(kind), reset_fields(kind, subresource))
    name = options.field_manager or agent_name(request.headers.get(b"user-agent", b"")[:_LONGEST_AGENT])
    return Write(name, kind.resource.api_version, subresource, known[1], known[2], rfc3339(backend.clock.now()))


def tracker(backend: Backend, request: Request, options: WriteOptions) -> Track:
    """The hook for an update or a patch that is no apply."""
    write = write_of(backend, request, options)
    return lambda new, old: track_update(new, old, write)


def undo_malformed(obj: Obj, before: list[Obj] | None, warnings: list[str]) -> None:
    """Put managedFields back that a mutating webhook has broken. Source: `fieldmanager/admission.go`."""
    metadata = obj["metadata"]
    if metadata.get("managedFields") == before:
        return
    try:
        given(metadata.get("managedFields") or [])
    except MalformedSet as error:
        metadata["managedFields"] = before
        warnings.append(f"{_MALFORMED}: {error}")


def keep_times(new: Obj, old: Obj) -> None:
    """Give the new managedFields the times they had, where these are all that differ in the whole object: a write that
    was normalised away changed nothing. Source: `fieldmanager/equality.go`."""
    given, had = new["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if given is had or not given or not had or given == had:
        return
    new["metadata"]["managedFields"] = had
    if not same(new, old) or _timeless(given) != _timeless(had):
        new["metadata"]["managedFields"] = given


def _timeless(entries: list[Obj]) -> list[Obj]:
    return listed({manager: {**entry, "time": None} for manager, entry in stored(entries).items()})


def program_of(user: str) -> str:
    """The program behind one of the system's users: what its User-Agent would begin with."""
    if user.startswith("system:node:"):
        return "kubelet"
    if user.startswith("system:serviceaccount:kube-system:"):
        return "kube-controller-manager"  # in which all controllers run
    return {"system:apiserver": "kube-apiserver"}.get(user, user.rpartition(":")[2])


@lru_cache(maxsize=256)
def agent_name(agent: bytes) -> str:
    """The manager's name for a client that gave none: the User-Agent up to the first slash, what can be printed."""
    text = agent.decode("utf-8", "replace").partition("/")[0]
    name = "".join(char for char in text if char.isprintable())
    return name.encode()[:LONGEST_NAME].decode(errors="ignore") if len(name) > LONGEST_NAME // 4 else name
