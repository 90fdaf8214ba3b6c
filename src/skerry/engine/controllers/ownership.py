"""Which objects belong to a controller object: by controlling owner reference, taken over and let go by selector.

Source: Kubernetes `pkg/controller/controller_ref_manager.go`. Used for the pods of every workload controller, the
ReplicaSets of a Deployment and the revisions of sets. `claim` decides; `Claimer` acts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import (
    Obj,
    Resource,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from skerry.kube.records import record
from skerry.kube.selectors import selector_of

log = logging.getLogger(__name__)

INDEX = "controller"


def index_controllers(informer: Informer) -> None:
    """Have the informer find objects by the uid of their controller, and orphans by namespace."""
    informer.add_index(INDEX, _controller_value)


def controlled_by(informer: Informer, uid: str) -> Sequence[Obj]:
    """Objects whose controlling owner reference has this uid."""
    return informer.by_index(INDEX, uid)


def orphans_in(informer: Informer, namespace: str) -> Sequence[Obj]:
    """Objects of a namespace that no controller owns."""
    return informer.by_index(INDEX, f"none in {namespace}")


def _controller_value(obj: Obj) -> Iterable[str]:
    reference = controller_of(obj)
    return (reference["uid"],) if reference else (f"none in {namespace_of(obj)}",)


Matches = Callable[[Mapping[str, str]], bool]
Selects = Callable[[Obj], bool]
"""Whether an object is one that an owner wants."""


def matcher(label_selector: Obj) -> Matches:
    """Whether labels meet a `LabelSelector`; the usual one, labels only, is a comparison of dictionaries."""
    if label_selector.get("matchExpressions"):
        return selector_of(label_selector).matches
    wanted = (label_selector.get("matchLabels") or {}).items()
    return lambda labels: wanted <= labels.items()


def by_selector(owner: Obj) -> Selects:
    """What `spec.selector`, a `LabelSelector`, selects."""
    matches = matcher(owner["spec"].get("selector") or {})
    return lambda obj: matches(labels_of(obj))


def by_plain_selector(owner: Obj) -> Selects:
    """What `spec.selector`, a plain map of labels, selects; an empty one selects nothing."""
    wanted = (owner["spec"].get("selector") or {}).items()
    return lambda obj: bool(wanted) and wanted <= labels_of(obj).items()


@record
class Claim:
    """What is owned, what is to be taken over, and what is to be let go."""

    owned: list[Obj]
    adopt: list[Obj]
    release: list[Obj]


def claim(owner: Obj, selects: Selects, controlled: Iterable[Obj], orphans: Iterable[Obj]) -> Claim:
    """Sort objects by whether they are wanted; an owner on its way out neither adopts nor releases."""
    owned: list[Obj] = []
    release: list[Obj] = []
    for obj in controlled:
        (owned if selects(obj) else release).append(obj)
    if is_deleting(owner):
        return Claim(owned, [], [])
    adopt = [obj for obj in orphans if not is_deleting(obj) and selects(obj)]
    return Claim(owned, adopt, release)


class Claimer:
    """Carries claims out for owners of one kind over objects of another."""

    def __init__(
        self,
        client: Client,
        owners: Resource,
        owned: Informer,
        selects: Callable[[Obj], Selects] = by_selector,
        finalizer: str = "",
    ) -> None:
        """`finalizer`: one that what is taken over gets and what is let go loses."""
        self._client = client
        self._finalizer = finalizer
        self._selects = selects
        self._owners = owners
        self._informer = owned

    async def claimed(self, owner: Obj) -> list[Obj]:
        """What belongs to `owner` after adoptions and releases are done."""
        controlled = controlled_by(self._informer, uid_of(owner))
        orphans = orphans_in(self._informer, namespace_of(owner))
        decided = claim(owner, self._selects(owner), controlled, orphans)
        if not decided.adopt and not decided.release:
            return decided.owned
        await asyncio.gather(*(self._release(owner, obj) for obj in decided.release))
        return [*decided.owned, *await self._adopt_all(owner, decided.adopt)]

    async def _adopt_all(self, owner: Obj, objs: list[Obj]) -> list[Obj]:
        if not objs or not await self._still_there(owner):
            return []
        adopted = await asyncio.gather(*(self._adopt(owner, obj) for obj in objs))
        return [obj for obj in adopted if obj is not None]

    async def _still_there(self, owner: Obj) -> bool:
        """Ask the API, not the cache: an owner deleted meanwhile must not gain dependents."""
        try:
            fresh = await self._client.get(self._owners, name_of(owner), namespace_of(owner))
        except NotFound:
            return False
        return uid_of(fresh) == uid_of(owner) and not is_deleting(fresh)

    async def _adopt(self, owner: Obj, obj: Obj) -> Obj | None:
        references = [*(obj["metadata"].get("ownerReferences") or ()), owner_reference(owner, self._owners)]
        return await self._set(obj, references, self._finalizers(obj, wanted=True))

    async def _release(self, owner: Obj, obj: Obj) -> None:
        references = obj["metadata"].get("ownerReferences") or ()
        kept = [ref for ref in references if ref["uid"] != uid_of(owner)]
        await self._set(obj, kept, self._finalizers(obj, wanted=False))

    def _finalizers(self, obj: Obj, *, wanted: bool) -> Obj:
        """The part of a patch that puts the finalizer on or takes it off; {} where there is nothing to do."""
        finalizers = obj["metadata"].get("finalizers") or []
        if not self._finalizer or (self._finalizer in finalizers) == wanted:
            return {}
        others = [name for name in finalizers if name != self._finalizer]
        return {"finalizers": [*others, self._finalizer] if wanted else others}

    async def _set(self, obj: Obj, references: list[Obj], more: Obj) -> Obj | None:
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"], "uid": uid_of(obj)}
        patch = {"metadata": {**metadata, "ownerReferences": references, **more}}
        try:
            return await self._client.patch(self._informer.resource, name_of(obj), patch, namespace_of(obj))
        except NotFound:
            return None
