"""Which claims may grow."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.claim_resize import claim_resize
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS
from tests.unit.admission.attributes import attributes


def claim(size: str, of: str = "grows", phase: str = "Bound") -> Obj:
    spec = {"storageClassName": of, "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": "c", "namespace": "default"}, "spec": spec, "status": {"phase": phase}}


async def chain() -> Chain:
    store = MemoryStore()
    for name, allowed in (("grows", True), ("fixed", False)):
        value = orjson.dumps({"metadata": {"name": name}, "allowVolumeExpansion": allowed})
        await store.create(Key("storageclasses.storage.k8s.io", "", name), lambda _, value=value: value)  # type: ignore[misc]
    return Chain((claim_resize(store),))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ({}, ""),
        ({"of": "fixed"}, "the storageclass that provisions the pvc must support resize"),
        ({"of": "gone"}, "only dynamically provisioned pvc can be resized"),
        ({"of": ""}, "only dynamically provisioned pvc can be resized"),
        ({"phase": "Pending"}, "only bound persistent volume claims can be expanded"),
    ],
)
async def test_only_bound_claims_of_classes_that_allow_it_grow(kind: dict[str, Any], why: str) -> None:
    admitted = await chain()
    for size in ("1Gi", "1024Mi"):
        await admitted.admit(attributes(PERSISTENT_VOLUME_CLAIMS, claim(size, **kind), claim("1Gi", **kind)))
    growing = attributes(PERSISTENT_VOLUME_CLAIMS, claim("2Gi", **kind), claim("1Gi", **kind))
    if not why:
        await admitted.admit(growing)
        return
    with pytest.raises(Forbidden, match=f'persistentvolumeclaims "c" is forbidden: .*{why}'):
        await admitted.admit(growing)
