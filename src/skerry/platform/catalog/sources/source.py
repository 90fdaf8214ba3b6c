"""The contract between a catalogue and where its charts come from. `sources.all` knows which there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from skerry.kube.records import record
from skerry.platform.catalog.charts.facts import Facts


class SourceFailed(Exception):
    """Upstream cannot be read. `reason`: in CamelCase, for the condition; the text says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@record
class Offered:
    """One version of a chart, as upstream has it."""

    facts: Facts
    url: str = ""
    digest: str = ""
    """sha256 of the archive; "" where upstream does not say before it is fetched."""
    created: datetime | None = None


@record
class Listing:
    """What upstream has, by chart."""

    revision: str
    charts: Mapping[str, Sequence[Offered]]
    skipped: Sequence[str] = ()
    """What could not be used, and why."""
    archives: Mapping[str, bytes] = field(default_factory=dict)
    """By digest: those that were made for the listing anyway."""


class Source(Protocol):
    """One upstream. Everything raises SourceFailed."""

    is_ours: bool
    """Whoever keeps it decides what a version is, also when it changes: directories and repositories of git."""

    async def read(self, known: str) -> Listing | None:
        """Everything; None when it is still at revision `known`."""
        ...

    async def archive(self, chart: str, version: str, url: str) -> bytes:
        """Of one version."""
        ...
