"""Waits until the node tells of images that were just loaded.

Whoever checks manifests for images asks the Node (`checking.images`), which the engine keeps current within
milliseconds; what is said after `skerry image` has returned is said of what it loaded. Neighbours: `image` loads,
`engine.node.heartbeat` tells.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skerry.cli.api import Api

_MOST_LISTED = 50
"""Nodes list no more images than this, the largest."""
_PATIENCE, _AGAIN_SECONDS = 5.0, 0.02


def wait_until_listed(kubeconfig: Path, names: Iterable[str]) -> None:
    """Until every node does, or cannot. `names`: full ones. They are loaded whatever nodes say: no answer is no
    failure."""
    wanted, deadline = set(names), time.monotonic() + _PATIENCE
    try:
        with Api(kubeconfig) as api:
            while not all(_tells(node, wanted) for node in _nodes(api)) and time.monotonic() < deadline:
                time.sleep(_AGAIN_SECONDS)
    except (OSError, ValueError):
        return


def _nodes(api: Api) -> list[dict[str, Any]]:
    code, text = api.get("/api/v1/nodes")
    return json.loads(text)["items"] if code == 200 else []


def _tells(node: dict[str, Any], wanted: set[str]) -> bool:
    images = (node.get("status") or {}).get("images") or ()
    if len(images) >= _MOST_LISTED:
        return True
    return wanted <= {name for one in images for name in one.get("names") or ()}
