"""Icons of charts: those that are in the entry itself, as pictures and nothing else.

Pages load none from elsewhere, so that nobody there learns who looks.
"""

from __future__ import annotations

import re

from skerry.kube.objects import Obj

_PICTURE = re.compile(r"data:image/(?:svg\+xml|png|jpeg|webp|gif)[;,][^\s\"'<>\\]*")


def picture_of(entry: Obj, largest: int = 100_000) -> str:
    """A data: URL for an `<img>`, which runs no scripts; "" when there is none that may be shown."""
    icon = str(entry["spec"].get("icon") or "")
    return icon if len(icon) <= largest and _PICTURE.fullmatch(icon) else ""
