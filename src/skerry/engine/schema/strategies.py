"""The strategies most kinds share: who may write spec and status, and when `metadata.generation` rises.

Source of the behaviour: the `strategy.go` of each kind in `pkg/registry`. Neighbours: `contract`, `kinds`.
"""

from __future__ import annotations

from skerry.engine.schema.contract import Strategy
from skerry.kube.objects import Obj


class SpecStrategy(Strategy):
    """A kind with a spec whose changes are counted in `metadata.generation`, and perhaps a status."""

    counted: tuple[str, ...] = ("spec",)
    """What a change of raises the generation."""
    has_status = True

    def prepare_create(self, obj: Obj) -> None:
        """Status is not the creator's to set; the first generation is 1."""
        if self.has_status:
            obj.pop("status", None)
            self.initial_status(obj)
        if self.counted:
            obj["metadata"]["generation"] = 1

    def initial_status(self, obj: Obj) -> None:
        """Set `status` of a new object where Kubernetes shows one from the start."""

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Keep the status; raise the generation when what is counted changed."""
        if self.has_status:
            _carry(new, old, "status")
        self.count(new, old)

    def count(self, new: Obj, old: Obj) -> None:
        """Set `metadata.generation` of `new`."""
        generation = old["metadata"].get("generation")
        if self.counted and any(new.get(part) != old.get(part) for part in self.counted):
            generation = (generation or 0) + 1
        if generation is None:
            new["metadata"].pop("generation", None)
        else:
            new["metadata"]["generation"] = generation

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """Keep everything but the status (and the metadata a status writer may set)."""
        for part in (set(new) | set(old)) - {"metadata", "status", "kind", "apiVersion"}:
            _carry(new, old, part)
        metadata, before = new["metadata"], old["metadata"]
        for part in ("labels", "ownerReferences", "deletionTimestamp", "generation"):
            _carry(metadata, before, part)


class UncountedStrategy(SpecStrategy):
    """A kind with spec and status but no generation (Namespace, Node, Service, PersistentVolume ...)."""

    counted = ()


class CountedStrategy(SpecStrategy):
    """A kind with a counted spec and no status (NetworkPolicy, PriorityClass ...)."""

    has_status = False


def _carry(new: Obj, old: Obj, part: str) -> None:
    if part in old:
        new[part] = old[part]
    else:
        new.pop(part, None)


def set_default(obj: Obj, key: str, value: object) -> None:
    """Set a field that is missing; unlike `setdefault`, reads as what Kubernetes' SetDefaults_* do."""
    if obj.get(key) is None:
        obj[key] = value
