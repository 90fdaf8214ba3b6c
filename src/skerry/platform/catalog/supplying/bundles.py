"""What was fetched for a Release, as a ConfigMap beside it: never changed, its Release's own, gone with it."""

from __future__ import annotations

import base64
from contextlib import suppress

from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.catalog.supplying.getting import Got

LABEL = "skerry.dev/fetched"
"""On the ConfigMap; its value says what is in it."""
_DIGITS = 12


async def keep(client: Client, release: Obj, got: Got) -> str:
    """Its name. Harmless twice. Raises StatusError, OSError."""
    wanted, namespace = _config_map(release, got), namespace_of(release)
    try:
        await client.create(CONFIG_MAPS, wanted, namespace)
    except AlreadyExists:
        there = await client.get(CONFIG_MAPS, name_of(wanted), namespace)
        owners = [one.get("uid") for one in there["metadata"].get("ownerReferences") or ()]
        if owners != [uid_of(release)] or there.get("binaryData") != wanted["binaryData"]:  # somebody else put it there
            await client.delete(CONFIG_MAPS, name_of(wanted), namespace)
            await client.create(CONFIG_MAPS, wanted, namespace)
    return name_of(wanted)


async def drop(client: Client, name: str, namespace: str) -> None:
    """Harmless twice. Raises StatusError, OSError."""
    with suppress(NotFound):
        await client.delete(CONFIG_MAPS, name, namespace)


def _config_map(release: Obj, got: Got) -> Obj:
    owner = {
        "apiVersion": release["apiVersion"],
        "kind": release["kind"],
        "name": name_of(release),
        "uid": uid_of(release),
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{name_of(release)}-fetched-{got.digest[:_DIGITS]}",
            "namespace": namespace_of(release),
            "labels": {LABEL: got.name or "files"},
            "annotations": {"skerry.dev/revision": got.revision, "skerry.dev/sha256": got.digest},
            "ownerReferences": [owner],
        },
        "immutable": True,
        "data": dict(got.beside),
        "binaryData": {got.key: base64.b64encode(got.content).decode()},
    }
