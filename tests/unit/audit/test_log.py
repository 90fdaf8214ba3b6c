"""Events of real requests, and the file they are in."""

from __future__ import annotations

import json
import stat
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.api.audit.file import AuditFile
from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.server import ApiServer
from skerry.engine.schema.registry import builtin
from skerry.engine.store.memory import MemoryStore
from skerry.kube.resources import SECRETS
from tests.support.api import RunningApi, engine_config
from tests.support.waiting import until
from tests.unit.api.raw_http import send

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, users: ["system:apiserver"]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: Request, verbs: [update, watch, patch]}
- {level: RequestResponse, resources: [{group: "", resources: [configmaps]}], omitStages: [RequestReceived]}
- {level: Metadata, omitStages: [RequestReceived]}
"""
CMS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[RunningApi]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    config = replace(engine_config(tmp_path), audit_policy=policy)
    store = MemoryStore()
    server = ApiServer(config, store, builtin())
    await server.start()
    yield RunningApi(server, store, server.client("test", MASTERS), server.url, config.paths.kubeconfig)
    await server.stop()
    await store.close()


async def written(api: RunningApi) -> list[dict[str, Any]]:
    """All events; the server is stopped, so that none is on its way."""
    await api.server.stop()
    path = api.server.config.paths.audit_log
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_request_with_its_bodies(api: RunningApi) -> None:
    sent = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    await send(api, "POST", f"{CMS}?fieldManager=me", sent, user_agent="tester/1", audit_id="given")
    (event,) = await written(api)
    assert (event["kind"], event["apiVersion"], event["level"]) == ("Event", "audit.k8s.io/v1", "RequestResponse")
    assert (event["stage"], event["verb"], event["auditID"]) == ("ResponseComplete", "create", "given")
    assert event["requestURI"] == f"{CMS}?fieldManager=me"
    assert event["user"]["username"] == "kubernetes-admin"
    assert event["user"]["groups"] == ["system:masters", "system:authenticated"]
    assert event["userAgent"] == "tester/1"
    assert event["sourceIPs"] == ["127.0.0.1"]
    reference = {"resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1"}
    assert event["objectRef"] == reference
    assert event["responseStatus"] == {"metadata": {}, "code": 201}
    assert event["requestObject"] == sent
    assert event["responseObject"]["data"] == {"k": "v"}
    assert event["annotations"]["authorization.k8s.io/decision"] == "allow"
    assert event["requestReceivedTimestamp"] <= event["stageTimestamp"]


async def test_the_content_of_secrets_is_never_kept_as_metadata(api: RunningApi) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    await send(api, "POST", "/api/v1/namespaces/default/secrets", secret)
    await send(api, "GET", "/api/v1/namespaces/default/secrets/s")
    await api.client.get(SECRETS, "s", "default")
    events = await written(api)
    assert [event["stage"] for event in events] == ["RequestReceived", "ResponseComplete"] * 3
    assert "hunter2" not in json.dumps(events)
    assert "aHVudGVyMg==" not in json.dumps(events)
    assert events[-1]["requestURI"] == "/api/v1/namespaces/default/secrets/s"


async def test_refusals_and_who_acts_as_whom(api: RunningApi) -> None:
    await send(api, "GET", CMS, impersonate_user="anna", impersonate_group="team")
    await send(api, "GET", "/metrics", certificate=False)
    refused, anonymous = await written(api)
    assert refused["user"]["username"] == "kubernetes-admin"
    assert refused["impersonatedUser"] == {"username": "anna", "groups": ["team", "system:authenticated"]}
    assert refused["authenticationMetadata"] == {"impersonationConstraint": "impersonate:user-info"}
    assert refused["responseStatus"]["code"] == 403
    assert refused["responseStatus"]["reason"] == "Forbidden"
    assert refused["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert anonymous["user"] == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    assert "objectRef" not in anonymous


async def test_a_watch_has_a_beginning_and_an_end(api: RunningApi) -> None:
    await send(api, "GET", f"{CMS}?watch=1&timeoutSeconds=1")
    events = await written(api)
    assert [event["stage"] for event in events] == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    assert len({event["auditID"] for event in events}) == 1


async def test_a_yaml_body_is_kept_as_json(api: RunningApi) -> None:
    await send(api, "POST", CMS, {"metadata": {"name": "a"}})
    patch = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: w}\n"
    path = f"{CMS}/a?fieldManager=me"
    answer = await send(api, "PATCH", path, patch, content_type="application/apply-patch+yaml")
    assert answer.code == 200
    assert (await written(api))[-1]["requestObject"]["data"] == {"k": "w"}


async def test_requests_alike_have_events_of_their_own(api: RunningApi) -> None:
    for name in ("a", "b"):
        await send(api, "POST", CMS, {"metadata": {"name": name}}, user_agent="one")
    await send(api, "POST", CMS, {"metadata": {"name": "a"}}, user_agent="one")
    await send(api, "GET", f"{CMS}/a?pretty=1", user_agent="two")
    await send(api, "GET", f"{CMS}/a", user_agent="two", x_forwarded_for="10.0.0.1, 10.0.0.2")
    events = await written(api)
    names = [event["objectRef"].get("name") for event in events]
    assert names == ["a", "b", None, "a", "a"]  # of the third nothing was stored
    assert [event["responseStatus"]["code"] for event in events] == [201, 201, 409, 200, 200]
    assert [event["userAgent"] for event in events] == ["one", "one", "one", "two", "two"]
    assert [event["requestURI"] for event in events] == [CMS, CMS, CMS, f"{CMS}/a?pretty=1", f"{CMS}/a"]
    assert events[-1]["sourceIPs"] == ["10.0.0.1", "10.0.0.2", "127.0.0.1"]
    assert all(uuid.UUID(event["auditID"]).version == 4 for event in events)
    assert len({event["auditID"] for event in events}) == len(events)


async def test_what_is_remembered_is_bounded(api: RunningApi) -> None:
    long, log = "x" * 20_000, api.server._audit_log
    assert log is not None
    before = len(log._known)
    await send(api, "GET", f"/{long}", certificate=False)
    await send(api, "GET", f"{CMS}/{long}")
    await send(api, "GET", CMS, user_agent=long)
    assert len(log._known) == before
    for number in range(1100):
        await api.client.list(SECRETS, f"n{number}")
    assert len(log._known) < 1100
    assert (await written(api))[-1]["objectRef"]["namespace"] == "n1099"


async def test_files_are_rotated_and_bounded(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "log" / "audit.log", limit=1000, kept=2)
    for number in range(40):
        file.add(b"%0100d" % number)
        await file.close()
    await file.close()
    names = sorted(path.name for path in file.path.parent.iterdir())
    assert names == ["audit.log", "audit.log.1", "audit.log.2"]
    assert all(path.stat().st_size <= 1000 for path in file.path.parent.iterdir())
    assert file.path.read_text().splitlines()[-1].endswith("39")


async def test_lines_come_out_soon_in_order(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "audit.log")
    for number in range(1000):
        file.add(b"%d" % number)
    await until(file.path.exists)
    await file.close()
    assert file.path.read_text().split() == [str(number) for number in range(1000)]
