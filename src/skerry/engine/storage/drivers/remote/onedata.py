"""Spaces of Onedata (EGI DataHub): `onedata.storage.skerry.dev`, refused by name.

Its client, `oneclient`, is in no distribution and was never tried with Skerry: each call says so, instead of failing
somewhere else. docs/resources/storageclass-remote.md says what works today.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from skerry.engine.storage.contract import Ability, Driver, Publishing, Staging, StorageError, Volume, VolumeRequest
from skerry.engine.storage.drivers import programs


class OnedataDriver(Driver):
    """Refuses volumes; lets go of what there may be."""

    name: str = "onedata.storage.skerry.dev"
    abilities = frozenset({Ability.PROVISION, Ability.STAGE})

    async def create(self, request: VolumeRequest) -> Volume:
        """Raises StorageError FAILED_PRECONDITION."""
        raise _refusal()

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Raises StorageError FAILED_PRECONDITION."""
        raise _refusal()

    async def stage(self, staging: Staging) -> None:
        """Raises StorageError FAILED_PRECONDITION."""
        raise _refusal()

    async def publish(self, publishing: Publishing) -> None:
        """Raises StorageError FAILED_PRECONDITION."""
        raise _refusal()

    async def unstage(self, handle: str, path: Path) -> None:
        """There is nothing to take back."""

    async def unpublish(self, handle: str, target: Path) -> None:
        """There is nothing to take back."""


def _refusal() -> StorageError:
    if programs.find("oneclient") is None:
        return StorageError("FAILED_PRECONDITION", "onedata: oneclient is not installed on this machine")
    return StorageError(
        "FAILED_PRECONDITION", "onedata: mounting with oneclient is not supported yet: use webdav or s3"
    )
