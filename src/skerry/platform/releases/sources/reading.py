"""The files of a source, read with the project's rights: each key of a ConfigMap; `__` in it stands for `/`."""

from __future__ import annotations

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.types import ReleaseSpec
from skerry.platform.releases.values import LOOK_AGAIN

Files = list[tuple[str, str]]
"""Paths and contents, by path."""


async def files_of(spec: ReleaseSpec, client: Client, namespace: str) -> Files:
    """Raises Unready, StatusError, OSError."""
    check_values(spec)
    name = (spec.source.config_map if spec.source else None) or ""
    try:
        found = await client.get(CONFIG_MAPS, name, namespace) if name else {}
    except NotFound:
        raise Unready("SourceMissing", f"there is no ConfigMap {name}", again=LOOK_AGAIN) from None
    files = sorted((path_of(key), str(text)) for key, text in (found.get("data") or {}).items())
    if not files:
        raise Unready("SourceMissing", f"ConfigMap {name} holds no files", again=LOOK_AGAIN)
    return files


def check_values(spec: ReleaseSpec) -> None:
    """Raises Unready where there are some."""
    if spec.values or spec.values_from:
        raise Unready("ValuesRefused", "spec.values and valuesFrom are for charts: a source has none", phase="Failed")


def path_of(key: str) -> str:
    """Where a key's file is. Raises Unready."""
    path = key.replace("__", "/")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise Unready("SourceRefused", f"{key}: leads out of its directory", phase="Failed")
    return path
