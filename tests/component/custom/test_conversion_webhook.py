"""Conversion between versions by a real webhook over HTTPS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from skerry.kube.errors import InternalError
from skerry.kube.objects import Obj, Resource
from tests.support.api import RunningApi
from tests.support.conversion_server import NEW_SPEC, OLD_SPEC, convert
from tests.support.definitions import CRDS, NAME, WIDGETS, define, definition, version, widget
from tests.support.waiting import until
from tests.support.webhook_server import WebhookServer, webhook_server

NEWER = Resource("example.com", "v2", "widgets", "Widget")


@pytest.fixture
async def hook() -> AsyncIterator[WebhookServer]:
    async with webhook_server(convert) as running:
        yield running


def conversion(hook: WebhookServer) -> Obj:
    config = {"url": hook.url, "caBundle": hook.bundle}
    return {"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1"]}}


async def two_versions(api: RunningApi, hook: WebhookServer, stored: str = "v1") -> None:
    versions = (
        version("v1", OLD_SPEC, storage=stored == "v1"),
        version("v2", NEW_SPEC, storage=stored == "v2"),
    )
    await define(api.client, definition(*versions, conversion=conversion(hook)))


async def test_writes_and_reads_at_either_version(api: RunningApi, hook: WebhookServer) -> None:
    await two_versions(api, hook)
    made = await api.client.create(NEWER, widget("a", "example.com/v2", spec={"host": "h"}))
    assert (made["apiVersion"], made["spec"]) == ("example.com/v2", {"host": "h", "port": "80"})
    assert api.store.list(NAME)[0].decode()["spec"] == {"hostPort": "h:80"}
    assert (await api.client.get(WIDGETS, "a", "default"))["spec"] == {"hostPort": "h:80"}
    changed = await api.client.patch(NEWER, "a", {"spec": {"port": "81"}}, "default")
    assert changed["spec"]["port"] == "81"
    assert (await api.client.get(WIDGETS, "a", "default"))["spec"] == {"hostPort": "h:81"}


async def test_a_list_is_converted_in_one_review(api: RunningApi, hook: WebhookServer) -> None:
    await two_versions(api, hook)
    for name in "abc":
        await api.client.create(WIDGETS, widget(name, spec={"hostPort": f"{name}:1"}))
    assert hook.reviews == []
    found = await api.client.list(NEWER, "default")
    assert [each["spec"]["host"] for each in found.items] == ["a", "b", "c"]
    assert len(hook.reviews) == 1


async def test_a_watch_shows_the_version_asked_for(api: RunningApi, hook: WebhookServer) -> None:
    await two_versions(api, hook)
    revision = (await api.client.list(NEWER)).resource_version
    async with api.client.watch(NEWER, resource_version=revision) as events:
        await api.client.create(WIDGETS, widget("a", spec={"hostPort": "h:1"}))
        assert (await anext(events)).object["spec"] == {"host": "h", "port": "1"}


async def test_stored_objects_keep_their_version_until_they_are_written(api: RunningApi, hook: WebhookServer) -> None:
    await two_versions(api, hook)
    made = await api.client.create(WIDGETS, widget("a", spec={"hostPort": "h:1"}))
    versions = [version("v1", OLD_SPEC, storage=False), version("v2", NEW_SPEC)]
    await api.client.patch(CRDS, NAME, {"spec": {"versions": versions}})
    assert api.store.list(NAME)[0].decode()["apiVersion"] == "example.com/v1"

    async def written() -> bool:
        """What is the same is not written again, until the definition is seen to have changed."""
        same = await api.client.update(WIDGETS, made)
        return same["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]

    await until(written)
    assert api.store.list(NAME)[0].decode()["spec"] == {"host": "h", "port": "1"}


@pytest.mark.parametrize(
    ("lie", "complaint"),
    [
        (lambda review: "out of order", "the server answered 500: out of order"),
        (lambda review: {**convert(review), "response": {"uid": "x"}}, "expected response.uid"),
        (
            lambda review: {
                **convert(review),
                "response": {"uid": review["request"]["uid"], "result": {"status": "Failure", "message": "no idea"}},
            },
            "no idea",
        ),
        (lambda review: _renamed(convert(review)), "must have the same name"),
        (lambda review: _emptied(convert(review)), "returned 0 objects, expected 1"),
    ],
)  # fmt: skip
async def test_a_webhook_that_fails_or_lies(api: RunningApi, hook: WebhookServer, lie: Any, complaint: str) -> None:
    await two_versions(api, hook)
    await api.client.create(WIDGETS, widget("a", spec={"hostPort": "h:1"}))
    hook.answer = lie
    with pytest.raises(InternalError, match=f"conversion webhook for example.com/v1, Kind=Widget.*{complaint}"):
        await api.client.get(NEWER, "a", "default")
    assert (await api.client.get(WIDGETS, "a", "default"))["spec"] == {"hostPort": "h:1"}


def _renamed(answer: Obj) -> Obj:
    answer["response"]["convertedObjects"][0]["metadata"]["name"] = "other"
    return answer


def _emptied(answer: Obj) -> Obj:
    answer["response"]["convertedObjects"] = []
    return answer


async def test_a_certificate_of_another_authority_is_not_trusted(api: RunningApi, hook: WebhookServer) -> None:
    async with webhook_server(convert) as other:
        hook.bundle = other.bundle
    await two_versions(api, hook)
    with pytest.raises(InternalError, match="certificate verify failed"):
        await api.client.create(NEWER, widget("a", "example.com/v2", spec={"host": "h"}))
