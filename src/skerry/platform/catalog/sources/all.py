"""The types of source there are: the one place that knows them all."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, namespace_of
from skerry.kube.resources import SECRETS
from skerry.platform.base.capability import Context
from skerry.platform.catalog.settings import Allowed, allowed
from skerry.platform.catalog.sources.directory import Directory
from skerry.platform.catalog.sources.reaching import Reach
from skerry.platform.catalog.sources.source import Source, SourceFailed
from skerry.platform.catalog.types import GLOBAL_NAMESPACE, CatalogSpec

if TYPE_CHECKING:
    from skerry.platform.catalog.sources.fetching import Fetcher


async def source_of(context: Context, catalog: Obj, spec: CatalogSpec) -> Source:
    """What a catalogue reads. Raises SourceFailed, StatusError, OSError."""
    settings = await allowed(context.client)
    reach = reach_of(catalog, settings)
    if spec.type == "Directory":
        return Directory(Path(spec.path), settings)
    secret = await secret_of(context.client, spec.secret, namespace_of(catalog))
    if spec.type == "Http":
        from skerry.platform.catalog.sources.repository import Repository

        return Repository(spec, fetcher_of(reach, secret))
    if spec.type == "OCI":
        from skerry.platform.catalog.sources.registry import Registry

        return Registry(spec, fetcher_of(reach, secret))
    if spec.type == "Git":
        from skerry.platform.catalog.sources.git import Git

        return Git(spec, reach, settings, secret)
    raise SourceFailed("NotSupported", f"catalogues of type {spec.type} are not supported")


def reach_of(catalog: Obj, settings: Allowed) -> Reach:
    """Whoever may write everybody's catalogues is an operator."""
    return Reach(namespace_of(catalog) == GLOBAL_NAMESPACE, settings.networks)


def fetcher_of(reach: Reach, secret: dict[str, str]) -> Fetcher:
    """Who asks over HTTP. Raises SourceFailed."""
    from skerry.platform.catalog.sources.fetching import Fetcher, Login

    login = Login(secret.get("username", ""), secret.get("password", ""), secret.get("ca.crt", ""))
    return Fetcher(reach, login)


async def secret_of(client: Client, name: str | None, namespace: str) -> dict[str, str]:
    """The entries of a Secret; {} when none is named. Raises SourceFailed."""
    if not name:
        return {}
    try:
        found = await client.get(SECRETS, name, namespace)
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}
    except NotFound:
        raise SourceFailed("SecretMissing", f"there is no Secret {name} in its namespace") from None
    except (binascii.Error, UnicodeDecodeError):
        raise SourceFailed("BadSecret", f"Secret {name} has entries that are no text") from None
