"""Defaults and bounds of LimitRanges, with Kubernetes' words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.limit_ranger import limit_ranger
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.quota.limit_ranges import set_defaults
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from tests.unit.admission.attributes import attributes


def pod(*resources: Obj, **spec: Any) -> Obj:
    containers = [{"name": f"c{index}", "resources": each} for index, each in enumerate(resources)]
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": containers, **spec}}


async def admit(limit: Obj, on: Attributes) -> None:
    store = MemoryStore()
    value = orjson.dumps({"metadata": {"name": "l"}, "spec": {"limits": [limit]}})
    await store.create(Key("limitranges", "default", "l"), lambda _: value)
    await Chain((limit_ranger(store),)).admit(on)


def test_defaults_are_filled_in_and_told() -> None:
    given = pod({"requests": {"cpu": "1"}}, {}, initContainers=[{"name": "i"}])
    set_defaults(given, {"default": {"memory": "2Gi", "cpu": "2"}, "defaultRequest": {"cpu": "500m"}})
    first, second = given["spec"]["containers"]
    assert first["resources"] == {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert second["resources"]["requests"] == {"cpu": "500m"}
    assert given["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory limit for container c0; "
        "cpu request for container c1; cpu, memory limit for container c1; cpu request for init container i; "
        "cpu, memory limit for init container i"
    }


def test_what_is_there_stays() -> None:
    given = pod({"requests": {"cpu": "1"}})
    set_defaults(given, {"defaultRequest": {"cpu": "500m"}})
    assert "annotations" not in given["metadata"]


CPU = {"requests": {"cpu": "1"}, "limits": {"cpu": "4"}}


@pytest.mark.parametrize(
    ("limit", "resources", "why"),
    [
        ({"min": {"cpu": "2"}}, CPU, "minimum cpu usage per Container is 2, but request is 1"),
        ({"min": {"memory": "1Mi"}}, CPU, "minimum memory usage per Container is 1Mi.  No request is specified"),
        ({"max": {"cpu": "3"}}, CPU, "maximum cpu usage per Container is 3, but limit is 4"),
        ({"max": {"cpu": "3"}}, {}, "maximum cpu usage per Container is 3.  No limit is specified"),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            CPU,
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {},
            "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
        ),
        (
            {"type": "Pod", "max": {"cpu": "7"}, "min": {"memory": "1Mi"}},
            CPU,
            "[minimum memory usage per Pod is 1Mi.  No request is specified, maximum cpu usage per Pod is 7, but limit "
            "is 8]",
        ),
    ],
)
async def test_bounds(limit: Obj, resources: Obj, why: str) -> None:
    twice = pod(resources, resources)
    with pytest.raises(Forbidden) as refusal:
        await admit({"type": "Container", **limit}, attributes(PODS, twice))
    assert refusal.value.message == f'pods "p" is forbidden: {why}'
    await admit({"type": "Container", **limit}, attributes(PODS, twice, twice))  # an update changes no resources


async def test_claims() -> None:
    limit = {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}, "min": {"storage": "1Mi"}}

    def claim(size: str) -> Obj:
        return {"metadata": {"name": "c"}, "spec": {"resources": {"requests": {"storage": size}}}}

    await admit(limit, attributes(PERSISTENT_VOLUME_CLAIMS, claim("1Gi")))
    with pytest.raises(Forbidden, match="maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"):
        await admit(limit, attributes(PERSISTENT_VOLUME_CLAIMS, claim("2Gi"), claim("1Gi")))
