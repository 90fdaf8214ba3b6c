"""The portal's routes on a running platform; `skerry.portal.program` serves them beside those of the capabilities.

Single objects and all writes go through `Viewer.client`, which acts as the person who is signed in; lists are read from
the platform's caches and show what the cluster says the person may see. What RBAC does not allow, the portal cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from skerry.platform.base.capability import Context
from skerry.portal.pages.all import PAGES
from skerry.portal.web.site import Site

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def portal_routes(contexts: Mapping[str, Context]) -> Sequence[BaseRoute]:
    """All of them, below `/portal/`, and the home page. `contexts`: of the platform's capabilities, by name."""
    return Site(contexts, PAGES).routes()
