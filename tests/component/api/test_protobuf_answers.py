"""Answers in protobuf, for clients that take nothing else: objects, lists, watches, failures of every kind."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from skerry.engine.api.protobuf.decode import MAGIC, decode
from skerry.engine.api.protobuf.wire import fields
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import RunningApi, running_api
from tests.support.raw_api import RawApi
from tests.support.samples import SAMPLES, sample

PROTOBUF = "application/vnd.kubernetes.protobuf"
MAPS = "/api/v1/namespaces/default/configmaps"
KINDS = [kind for kind in builtin().kinds() if kind.resource.group_resource in SAMPLES and "create" in kind.verbs]


class Client:
    """Requests whose answers are bytes, one connection each."""

    def __init__(self, api: RunningApi) -> None:
        self._raw = RawApi(api.kubeconfig)

    def get(self, path: str, accept: str = PROTOBUF) -> tuple[int, str, bytes]:
        """(code, content type, body)."""
        connection = self._raw.open()
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        found = answer.status, answer.headers["Content-Type"], answer.read()
        connection.close()
        return found


def _meaning(value: Any) -> Any:
    """A value without what Go's types leave out of protobuf or JSON alike."""
    if isinstance(value, dict):
        shown = {key: _meaning(item) for key, item in value.items()}
        return {key: item for key, item in shown.items() if item not in (None, "", 0, False, {}, [])}
    return [_meaning(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.resource.group_resource}-{kind.resource.version}")
async def test_every_kind_says_the_same_as_in_json(kind: Kind) -> None:
    async with running_api() as api:
        path = kind.resource.path("default" if kind.resource.namespaced else None)
        obj = {**sample(kind.resource.group_resource), "apiVersion": kind.resource.api_version}
        if kind.conversion is None:
            made = await api.client.create(kind.resource, obj, "default" if kind.resource.namespaced else "")
            path = f"{path}/{made['metadata']['name']}"
        code, media, body = await asyncio.to_thread(Client(api).get, path)
        assert (code, media) == (200, PROTOBUF)
        assert body.startswith(MAGIC)
        if kind.conversion is None:
            version = decode(body)["metadata"]["resourceVersion"]
            json = orjson.loads((await asyncio.to_thread(Client(api).get, path, "application/json"))[2])
            while json["metadata"]["resourceVersion"] != version:  # somebody wrote in between
                body = (await asyncio.to_thread(Client(api).get, path))[2]
                version = decode(body)["metadata"]["resourceVersion"]
                json = orjson.loads((await asyncio.to_thread(Client(api).get, path, "application/json"))[2])
            assert _meaning(decode(body)) == _meaning(json)


async def test_lists_and_failures() -> None:
    async with running_api() as api:
        for name in ("a", "b"):
            await api.client.create(CONFIG_MAPS, {"metadata": {"name": name}, "data": {"k": name}}, "default")
        client = Client(api)
        code, media, body = await asyncio.to_thread(client.get, f"{MAPS}?limit=1")
        assert (code, media) == (200, PROTOBUF)
        unknown = dict(fields(body[len(MAGIC) :]))
        assert unknown[1] == b"\n\x02v1\x12\rConfigMapList"
        listed = list(fields(unknown[2]))  # type: ignore[arg-type]
        assert [number for number, _ in listed] == [1, 2]
        assert {number for number, _ in fields(listed[0][1])} == {2, 3, 4}  # type: ignore[arg-type]
        code, media, body = await asyncio.to_thread(client.get, f"{MAPS}/none")
        assert (code, media) == (404, "application/json")
        assert (await asyncio.to_thread(client.get, MAPS, "application/cbor"))[0] == 406
        assert (await asyncio.to_thread(client.get, MAPS, f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io"))[0] == 406
        code, media, _ = await asyncio.to_thread(client.get, MAPS, f"{PROTOBUF},application/json")
        assert (code, media) == (200, "application/json")


def _events(api: RunningApi, query: str, number: int) -> list[tuple[str, Any]]:
    """The first events of a watch, as (type, object)."""
    raw = RawApi(api.kubeconfig)
    connection = raw.open()
    connection.request("GET", f"{MAPS}?watch=1&allowWatchBookmarks=true&{query}", headers={"Accept": PROTOBUF})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, f"{PROTOBUF};stream=watch")
    found = []
    for _ in range(number):
        event = dict(fields(answer.read(int.from_bytes(answer.read(4), "big"))))
        content = dict(fields(event[2]))[1]  # type: ignore[arg-type]
        found.append((event[1].decode(), decode(content)))  # type: ignore[union-attr, arg-type]
    connection.close()
    raw.close()
    return found


async def test_watches() -> None:
    async with running_api() as api:
        first = await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}}, "default")
        await api.client.delete(CONFIG_MAPS, "a", "default")
        since = int(first["metadata"]["resourceVersion"]) - 1
        selected = f"fieldSelector=metadata.name%3Da&resourceVersion={since}"
        events = await asyncio.to_thread(_events, api, selected, 2)
        assert [type for type, _ in events] == ["ADDED", "DELETED"]
        assert events[0][1]["data"] == {"k": "v"}
        assert events[0][1]["metadata"]["uid"] == first["metadata"]["uid"]
        initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Da"
        ((type, obj),) = await asyncio.to_thread(_events, api, initial, 1)
        assert type == "BOOKMARK"
        assert obj["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
