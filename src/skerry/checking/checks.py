"""Which checks are made, and how far they may go. Whoever asks for a check says so by a `Checks`."""

from __future__ import annotations

from skerry.kube.records import record

NAMES = ("schema", "deprecated", "policy", "secrets", "quota", "images", "apply")
"""All there are, in the order of findings."""
WITHOUT_CLUSTER = frozenset(NAMES) - {"quota", "apply"}


@record
class Checks:
    """What to look at. The defaults ask the cluster and nobody else."""

    names: frozenset[str] = frozenset(NAMES)
    registries: bool = False
    """Whether registries are asked for images that nodes do not have. Never for somebody else's objects: their
    images name the servers that are asked."""
    images: frozenset[str] | None = None
    """What nodes have, where who applies the objects may not read nodes himself."""


EVERYTHING = Checks()
"""Everything but registries."""
