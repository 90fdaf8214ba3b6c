"""`python -m skerry.portal.program`: the platform with its portal, as `skerry up` starts it."""

from __future__ import annotations

import sys

from skerry.platform.program.__main__ import main
from skerry.portal.portal import portal_routes

if __name__ == "__main__":
    sys.exit(main(portal_routes))
