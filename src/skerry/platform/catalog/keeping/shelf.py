"""Archives that were just read and are wanted next: held for a moment, so that they are not fetched twice."""

from __future__ import annotations

from collections.abc import Mapping

_MOST = 16 << 20  # bytes


class Shelf:
    """By digest. What has been waiting for longest goes when there is no room."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._size = 0

    def put(self, archives: Mapping[str, bytes]) -> None:
        """Hold these."""
        for digest, archive in archives.items():
            self.take(digest)
            self._held[digest] = archive
            self._size += len(archive)
        while self._size > _MOST:
            self.take(next(iter(self._held)))

    def take(self, digest: str) -> bytes | None:
        """It, when it is here; it is not any more then."""
        archive = self._held.pop(digest, None)
        self._size -= len(archive) if archive is not None else 0
        return archive
