"""The data of archived volumes as files: read through a pod beside the archive, whole by its checksum or not there."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.projects.kept import Archive, until_pod
from skerry.kube.objects import Obj, name_of

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from skerry.kube.http_client import HttpClient


async def fetch_all(client: HttpClient, archive: Archive, directory: Path) -> list[Path]:
    """A file for each volume, `<namespace>.<claim>.tar.gz`; those that are there and whole are left. Raises
    CommandFailed, StatusError, OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = []
    for claim, kept in archive.data.items():
        target = directory / f"{kept['claim'].replace('/', '.')}.tar.gz"
        if not (target.is_file() and _checksum(target) == kept["sha256"]):
            await _fetch(client, archive, claim, target)
        files.append(target)
    return files


async def _fetch(client: HttpClient, archive: Archive, claim: str, target: Path) -> None:
    from skerry.kube.errors import NotFound
    from skerry.kube.resources import PODS
    from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

    kept = archive.data[claim]
    pod = await client.create(PODS, _giving_pod(archive, claim), ARCHIVES)
    try:
        await until_pod(client, pod, ("Running",), kept["claim"])
        await _pour(client, name_of(pod), kept, target)
    finally:
        with suppress(NotFound):
            await client.delete(PODS, name_of(pod), ARCHIVES)


def _giving_pod(archive: Archive, claim: str) -> Obj:
    from skerry.platform.projects.lifecycle.archiving import copying, programs

    task = copying.Task(programs.GIVE, copying.giving_mounts(claim))
    pod = copying.pod("", {copying.LIFE_LABEL: archive.life}, archive.image, task)
    return {**pod, "metadata": {"generateName": f"{claim}-give-", "labels": pod["metadata"]["labels"]}}


async def _pour(client: HttpClient, pod: str, kept: Obj, target: Path) -> None:
    from skerry.kube.exec import Place, pour
    from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES
    from skerry.platform.projects.lifecycle.archiving.programs import FILE

    part = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    with (
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        _bar(kept) as bar,
    ):
        ended = await pour(
            client, Place(ARCHIVES, pod, "archiver"), ["cat", FILE], _taking(file.write, digest.update, bar.update)
        )
        file.flush()
        os.fsync(file.fileno())
    if ended.code or digest.hexdigest() != kept["sha256"]:
        part.unlink()
        raise CommandFailed(f"{kept['claim']}: {ended.errors.strip() or 'what came is not what was kept'}: try again")
    part.rename(target)


def _bar(kept: Obj) -> ProgressBar[int]:
    return click.progressbar(length=int(kept["bytes"]), label=str(kept["claim"]), file=sys.stderr)


def _taking(
    write: Callable[[bytes], object], digest: Callable[[bytes], None], count: Callable[[int], None]
) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        write(data)
        digest(data)
        count(len(data))

    return take


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
