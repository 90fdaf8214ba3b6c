"""Where the charts that come with Skerry are: in the source tree, or where the wheel has put them."""

from __future__ import annotations

import sysconfig
from pathlib import Path

_SOURCE = Path(__file__).parents[4]
_SHARE = "share/skerry/charts"
"""Below the prefix of the installation; pyproject.toml (`shared-data`) puts them there."""


def shipped_charts() -> Path:
    """The directory; it is there unless somebody took it away. A source tree counts more than an installation of it,
    so that what is written there is what is shown."""
    if (_SOURCE / "pyproject.toml").is_file():
        return _SOURCE / "charts"
    return Path(sysconfig.get_path("data")) / _SHARE
