"""Which kinds a cluster serves, by its discovery documents."""

from __future__ import annotations

from typing import Any, cast

import orjson

from skerry.kube.errors import ServiceUnavailable
from skerry.kube.objects import Obj
from skerry.kube.served import served_in_namespaces

_GROUPS = {
    "notification.example.org": ("v1", "v1beta3"),
    "away.example.org": ("v1",),
}
_KINDS = {
    "/api/v1": ("secrets",),
    "/apis/notification.example.org/v1": ("receivers",),
    "/apis/notification.example.org/v1beta3": ("receivers", "alerts"),
}


class Discovery:
    """A cluster with a group whose preferred version lacks a kind, and one that does not answer."""

    async def get_raw(self, path: str) -> bytes:
        if path == "/apis":
            return orjson.dumps({"groups": [_group(name, *versions) for name, versions in _GROUPS.items()]})
        if path not in _KINDS:
            raise ServiceUnavailable("no endpoint")
        listed = [{"name": one, "kind": one.title(), "namespaced": True, "verbs": ["list"]} for one in _KINDS[path]]
        return orjson.dumps({"resources": listed})


def _group(name: str, *versions: str) -> Obj:
    listed = [{"version": one} for one in reversed(versions)]
    return {"name": name, "preferredVersion": {"version": versions[0]}, "versions": listed}


async def test_each_kind_once_also_those_that_the_preferred_version_lacks() -> None:
    served = await served_in_namespaces(cast("Any", Discovery()))
    assert {(one.group_resource, one.version) for one in served.resources} == {
        ("secrets", "v1"),
        ("receivers.notification.example.org", "v1"),
        ("alerts.notification.example.org", "v1beta3"),
    }
    assert len(served.resources) == 3
    assert served.silent == ("away.example.org",)
