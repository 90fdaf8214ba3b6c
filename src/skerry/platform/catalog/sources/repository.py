"""A chart repository over HTTP: an index.yaml, and archives wherever it says."""

from __future__ import annotations

import hashlib

from skerry.platform.catalog.sources.fetching import Fetcher, Question, basic, same_host
from skerry.platform.catalog.sources.index import offered_in
from skerry.platform.catalog.sources.registry import fetch_archive
from skerry.platform.catalog.sources.source import Listing
from skerry.platform.catalog.types import LARGEST_ARCHIVE, CatalogSpec

LARGEST_INDEX = 50 << 20  # bytes


class Repository:
    """One."""

    is_ours = False

    def __init__(self, spec: CatalogSpec, fetcher: Fetcher) -> None:
        self._charts, self._fetcher = spec.charts, fetcher
        self._index = f"{spec.url.rstrip('/')}/index.yaml"

    async def read(self, known: str) -> Listing | None:
        """As `Source` has it."""
        login = basic(self._fetcher.login, self._index)
        data = await self._fetcher.get(Question(self._index, LARGEST_INDEX, login, unpack=True))
        revision = hashlib.sha256(data).hexdigest()
        if revision == known:
            return None
        charts, skipped = await offered_in(data, self._index, self._charts)
        return Listing(revision, charts, skipped)

    async def archive(self, chart: str, version: str, url: str) -> bytes:
        """As `Source` has it. Who we are is said to the repository's own host only."""
        if url.startswith("oci://"):
            return await fetch_archive(self._fetcher.anonymous(), url)
        login = basic(self._fetcher.login, url) if same_host(url, self._index) else {}
        return await self._fetcher.get(Question(url, LARGEST_ARCHIVE, login))
