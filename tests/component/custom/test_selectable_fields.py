"""Field selectors of custom resources, at versions that a webhook converts between: each selects by its own fields.

The steps are those of Kubernetes' CustomResourceFieldSelectors test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from skerry.kube.client import Selection, WatchEvent
from skerry.kube.objects import Resource, name_of
from tests.component.custom.test_conversion_webhook import NEW_SPEC, NEWER, OLD_SPEC, conversion, convert
from tests.support.api import RunningApi
from tests.support.definitions import WIDGETS, define, definition, version, widget
from tests.support.raw_api import RawApi
from tests.support.webhook_server import webhook_server

HOST, HOST_PORT, OLD = (Selection(field_selector=text) for text in (
    "spec.host=host1", "spec.host=host1,spec.port=80", "spec.hostPort=host1:80",
))  # fmt: skip


async def _seen(events: AsyncIterator[WatchEvent], number: int) -> list[tuple[str, str]]:
    """The next events but bookmarks, as (type, name)."""
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(60):
        while len(found) < number:
            event = await anext(events)
            if event.type != "BOOKMARK":
                found.append((event.type, name_of(event.object)))
    return found


async def test_lists_watches_and_deletions_by_fields(api: RunningApi) -> None:
    fields = [{"jsonPath": ".spec.host"}, {"jsonPath": ".spec.port"}]
    versions = (
        version("v1", OLD_SPEC, selectableFields=[{"jsonPath": ".spec.hostPort"}]),
        version("v2", NEW_SPEC, storage=False, selectableFields=fields),
    )
    client = api.client
    async with webhook_server(convert) as hook:
        await define(client, definition(*versions, conversion=conversion(hook)))
        since = (await client.list(NEWER)).resource_version

        async def names(resource: Resource, selection: Selection) -> list[str]:
            return [name_of(each) for each in (await client.list(resource, "default", selection)).items]

        async with (
            client.watch(NEWER, "default", HOST, resource_version=since) as by_host,
            client.watch(NEWER, "default", HOST_PORT, resource_version=since) as by_both,
            client.watch(WIDGETS, "default", OLD, resource_version=since) as by_old,
        ):
            for name, host, port in (("a", "host1", "80"), ("b", "host1", "8080"), ("c", "host2", "80")):
                await client.create(NEWER, widget(name, "example.com/v2", spec={"host": host, "port": port}))
            assert await names(NEWER, HOST) == ["a", "b"]
            assert await names(NEWER, HOST_PORT) == ["a"]
            assert await names(WIDGETS, OLD) == ["a"]
            assert await names(WIDGETS, Selection(field_selector="spec.hostPort=host1:8080")) == ["b"]
            raw = RawApi(api.kubeconfig)
            path = "/apis/example.com/v2/namespaces/default/widgets?fieldSelector=spec.host%3Dhost1%2Cspec.port%3D80"
            code, _ = await asyncio.to_thread(raw.call, "DELETE", path)
            raw.close()
            assert code == 200
            await client.patch(NEWER, "b", {"spec": {"host": "host2"}}, "default")
            assert await names(NEWER, HOST) == await names(NEWER, HOST_PORT) == []
            both = [("ADDED", "a"), ("DELETED", "a")]
            assert await _seen(by_host, 4) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a"), ("DELETED", "b")]
            assert await _seen(by_both, 2) == both
            assert await _seen(by_old, 2) == both
