"""Puts the definitions into a cluster, once: what was deleted stays deleted, what somebody else made stays theirs.

What was put there is noted in the ConfigMap `kube-system/skerry-definitions` (name: digest), so that a new release can
bring its definitions up to date. `is_ours` is how controllers ask whose a definition is.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import orjson

from skerry.engine.definitions.notation import BUNDLED, Definition, custom_resource_definition
from skerry.kube.client import Client
from skerry.kube.definitions import until_served
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS

NAMESPACE, NAME = "kube-system", "skerry-definitions"
_ESTABLISH_SECONDS = 30.0


async def install(client: Client, definitions: Sequence[Definition]) -> None:
    """Create what was never there, update ours that changed; returns when the new ones are served. Raises StatusError,
    TimeoutError."""
    noted = await _noted(client)
    wanted = {one.name: _marked(one) for one in definitions}
    digests = {name: _digest_of(one) for name, one in wanted.items()}
    changed = {name: one for name, one in wanted.items() if noted.get(name) != digests[name]}
    if not changed:
        return
    new = await asyncio.gather(*(_put(client, one, is_new=name not in noted) for name, one in changed.items()))
    await until_served(client, [name for name, is_new in zip(changed, new, strict=True) if is_new], _ESTABLISH_SECONDS)
    await _note(client, {**noted, **digests})


def is_ours(definition: Obj | None) -> bool:
    """Whether a CustomResourceDefinition is one that came with the engine."""
    return definition is not None and bool(_digest_of(definition))


def _marked(one: Definition) -> Obj:
    made = custom_resource_definition(one)
    digest = hashlib.sha256(orjson.dumps(made, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    annotations = {**(made["metadata"].get("annotations") or {}), BUNDLED: digest}
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


def _digest_of(definition: Obj) -> str:
    return str((definition["metadata"].get("annotations") or {}).get(BUNDLED, ""))


async def _put(client: Client, wanted: Obj, *, is_new: bool) -> bool:
    """Whether it was created."""
    name = wanted["metadata"]["name"]
    try:
        current = await client.get(CUSTOM_RESOURCE_DEFINITIONS, name)
    except NotFound:
        if not is_new:
            return False  # somebody deleted it, and meant it
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, wanted)
        return True
    if is_ours(current) and _digest_of(current) != _digest_of(wanted):
        annotations = {**current["metadata"]["annotations"], **wanted["metadata"]["annotations"]}
        metadata = {**current["metadata"], "annotations": annotations}
        await client.update(CUSTOM_RESOURCE_DEFINITIONS, {**current, "metadata": metadata, "spec": wanted["spec"]})
    return False


async def _noted(client: Client) -> dict[str, str]:
    try:
        return dict((await client.get(CONFIG_MAPS, NAME, NAMESPACE)).get("data") or {})
    except NotFound:
        return {}


async def _note(client: Client, data: dict[str, str]) -> None:
    metadata = {"name": NAME, "namespace": NAMESPACE}
    try:
        await client.create(CONFIG_MAPS, {"metadata": metadata, "data": data}, NAMESPACE)
    except AlreadyExists:
        current = await client.get(CONFIG_MAPS, NAME, NAMESPACE)
        await client.update(CONFIG_MAPS, {**current, "data": data})
