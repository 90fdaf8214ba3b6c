"""Where drivers find what the engine names by its own paths: below /var/lib/kubelet, as everywhere else.

Both paths lead to the same mounts (`kubelet_directory`); a driver's container has those below /var/lib/kubelet only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skerry.kube.records import record

KUBELET = Path("/var/lib/kubelet")
"""What charts have written down."""


@record
class PathsInDrivers:
    """`pairs`: directories of ours and what drivers call them; () when they have the same names."""

    pairs: Sequence[tuple[Path, Path]] = ()

    def of(self, path: Path) -> str:
        """What a driver is to call it."""
        for ours, theirs in self.pairs:
            if path.is_relative_to(ours):
                return str(theirs / path.relative_to(ours))
        return str(path)
