"""Tokens in volumes: when they are renewed, what happens when they cannot be, and who may read the files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skerry.engine.node.errors import VolumeError
from skerry.engine.node.spec.downward import NodeFacts, PodFacts
from skerry.engine.node.volumes.projection import Known, payload_of
from skerry.engine.node.volumes.tokens import PodTokens, WantedToken, renewal_of, wanted_tokens
from skerry.kube.clock import rfc3339
from skerry.kube.errors import ServiceUnavailable
from skerry.kube.objects import Obj
from tests.unit.node.views import container, pod

SOURCE = {"path": "token", "expirationSeconds": 3607}
VOLUME = {"name": "api", "projected": {"sources": [{"serviceAccountToken": SOURCE}]}}
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Api:
    """Answers TokenRequests as long as it is up."""

    def __init__(self) -> None:
        self.time = NOW
        self.up = True
        self.asked: list[Obj] = []

    def now(self) -> datetime:
        return self.time

    async def create(self, _resource: Any, obj: Obj, namespace: str, subresource: str) -> Obj:
        assert subresource == "token"
        assert namespace == "default"
        if not self.up:
            raise ServiceUnavailable("not now")
        self.asked.append(obj)
        expires = rfc3339(self.time + timedelta(seconds=obj["spec"]["expirationSeconds"]))
        return {**obj, "status": {"token": f"t{len(self.asked)}", "expirationTimestamp": expires}}


def tokens_of(api: Api) -> PodTokens:
    return PodTokens(api, api)  # type: ignore[arg-type]


POD = pod(volumes=[VOLUME], serviceAccountName="app")
WANTED = WantedToken("", 3607)


async def test_a_token_is_asked_for_once_and_bound_to_the_pod() -> None:
    api = Api()
    tokens = tokens_of(api)
    assert [await tokens.of(POD), await tokens.of(POD)] == [{WANTED: "t1"}, {WANTED: "t1"}]
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "u1"}
    spec = {"expirationSeconds": 3607, "boundObjectRef": bound}
    assert api.asked == [{"metadata": {"name": "app"}, "spec": spec}]


async def test_renewed_when_a_fifth_of_its_life_is_left() -> None:
    api = Api()
    tokens = tokens_of(api)
    await tokens.of(POD)
    renewal = tokens.renewal("u1")
    assert renewal is not None
    assert timedelta(seconds=3607 * 0.8 - 10) <= renewal - NOW <= timedelta(seconds=3607 * 0.8)
    api.time = renewal - timedelta(seconds=1)
    assert (await tokens.of(POD))[WANTED] == "t1"
    api.time = renewal
    assert (await tokens.of(POD))[WANTED] == "t2"
    tokens.forget("u1")
    assert tokens.renewal("u1") is None


def test_no_token_is_used_longer_than_a_day() -> None:
    assert renewal_of(7 * 86400, NOW + timedelta(days=7), 0) == NOW + timedelta(days=1)


async def test_what_cannot_be_renewed_is_kept_and_tried_again_later() -> None:
    api = Api()
    tokens = tokens_of(api)
    api.up = False
    with pytest.raises(VolumeError, match="failed to fetch token: not now"):
        await tokens.of(POD)
    api.up = True
    await tokens.of(POD)
    api.time, api.up = NOW + timedelta(hours=2), False
    assert (await tokens.of(POD))[WANTED] == "t1"
    again = tokens.renewal("u1")
    assert again is not None
    assert again > api.time
    api.time, api.up = again, True
    assert (await tokens.of(POD))[WANTED] == "t2"


async def test_one_from_before_the_clock_was_set_back_is_not_valid_yet_and_replaced_at_once() -> None:
    api = Api()
    tokens = tokens_of(api)
    await tokens.of(POD)
    api.time = NOW - timedelta(hours=7)
    assert tokens.renewal("u1") == api.time
    assert (await tokens.of(POD))[WANTED] == "t2"
    assert (await tokens.of(POD))[WANTED] == "t2"


def test_pods_without_tokens_want_none() -> None:
    assert list(wanted_tokens(pod(volumes=[{"name": "x", "emptyDir": {}}]))) == []


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, (0o644, None)),
        ({"runAsUser": 1000}, (0o600, 1000)),
        ({"fsGroup": 2000}, (0o640, None)),
        ({"runAsUser": 1000, "fsGroup": 2000}, (0o640, 1000)),
    ],
)
def test_who_may_read_it(context: Obj, expected: tuple[int, int | None]) -> None:
    owner = pod(volumes=[VOLUME], securityContext=context)
    file = payload_of(VOLUME, Known(PodFacts(owner, NodeFacts("n", ("1.2.3.4",), {})), {}, {WANTED: "t"}))["token"]
    assert (file.data, (file.mode, file.user)) == (b"t", expected)


def test_containers_of_different_users_share_a_readable_file() -> None:
    containers = [{**container(str(user)), "securityContext": {"runAsUser": user}} for user in (1, 2)]
    owner = pod(*containers, volumes=[VOLUME])
    file = payload_of(VOLUME, Known(PodFacts(owner, NodeFacts("n", ("1.2.3.4",), {})), {}, {WANTED: "t"}))["token"]
    assert (file.mode, file.user) == (0o644, None)
