"""All guards, for the capability."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.platform.base.admission import Hook
from skerry.platform.base.capability import Context
from skerry.platform.projects.guarding.addresses import AddressGuard
from skerry.platform.projects.guarding.namespaces import NamespaceGuard
from skerry.platform.projects.guarding.objects import ObjectGuard
from skerry.platform.projects.guarding.placement import Placement
from skerry.platform.projects.guarding.projects import project_hook


def hooks(context: Context) -> Sequence[Hook]:
    """Of every concern."""
    return [
        *NamespaceGuard(context).hooks(),
        project_hook(),
        *ObjectGuard(context).hooks(),
        *AddressGuard(context).hooks(),
        *Placement(context).hooks(),
    ]
