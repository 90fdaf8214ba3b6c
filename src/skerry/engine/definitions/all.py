"""Every definition that comes with the engine."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.definitions import acme, certmanager, domains, metallb, snapshots, storage_pools
from skerry.engine.definitions.notation import Definition

ALL: Sequence[Definition] = (
    *acme.DEFINITIONS,
    *certmanager.DEFINITIONS,
    *domains.DEFINITIONS,
    *metallb.DEFINITIONS,
    *storage_pools.DEFINITIONS,
    *snapshots.DEFINITIONS,
)
