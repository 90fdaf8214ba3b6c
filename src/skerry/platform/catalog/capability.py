"""What this capability brings: kinds, rights, shipped objects, refreshing, keeping, supplying, the chart repository."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.platform.base.access import MAY_ASK
from skerry.platform.base.capability import Capability, Context
from skerry.platform.catalog.keeping.controller import KeepingController
from skerry.platform.catalog.refreshing import RefreshController
from skerry.platform.catalog.serving.routes import repository_routes
from skerry.platform.catalog.shipped import shipped
from skerry.platform.catalog.supplying.controller import SupplyController
from skerry.platform.catalog.types import CATALOG, CATALOG_ENTRY

_READ = ["get", "list", "watch"]


def _controllers(context: Context) -> Sequence[Controller]:
    return [RefreshController(context), KeepingController(context), SupplyController(context)]


CATALOG_CAPABILITY = Capability(
    name="catalog",
    kinds=(CATALOG, CATALOG_ENTRY),
    rights=(
        {"apiGroups": ["skerry.dev"], "resources": ["catalogs", "catalogentries", "releases"], "verbs": _READ},
        {"apiGroups": ["skerry.dev"], "resources": ["catalogentries"], "verbs": ["create", "update", "delete"]},
        {
            "apiGroups": ["skerry.dev"],
            "resources": ["catalogs/status", "catalogentries/status", "releases/status"],
            "verbs": ["update", "patch"],
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": _READ},
        # Archives are in the namespaces of their catalogues and Releases, and so are the Secrets that these name.
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": [*_READ, "create", "update", "delete"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        MAY_ASK,
    ),
    objects=shipped,
    controllers=_controllers,
    routes=repository_routes,
)
