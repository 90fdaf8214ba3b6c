"""SPDY/3.1 as an HTTP upgrade, on the wire: how it is agreed to, what is refused, who waits for whom."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from skerry.engine.api.streams import spdy_session
from skerry.engine.api.streams.spdy import Data, GoAway, Ping, SynReply, SynStream
from skerry.kube.objects import Resource
from tests.component.streams.local_pods import LocalPods, written_until_it_waits
from tests.component.streams.server import serving
from tests.component.streams.spdy_connection import V4, SpdyConnection, upgraded
from tests.component.streams.test_kubectl_port_forward import _shout, listening
from tests.support.api import RunningApi
from tests.support.kubectl import OVER_SPDY, Kubectl
from tests.support.waiting import LIMIT, until

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
VALIDATING = Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
)
POLICY_BINDINGS = Resource(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
    namespaced=False,
)  # fmt: skip


def _exec(*command: str, options: str = "stdout=1&stderr=1") -> str:
    return f"exec?{options}&{urlencode([('command', word) for word in command])}"


def _message(connection: SpdyConnection) -> str:
    return str(json.loads(connection.body)["message"])


@pytest.mark.parametrize("transport", [OVER_SPDY])
async def test_the_clients_environment_makes_it_speak_spdy(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "web", "-v=9", "--", "true")
    assert done.code == 0
    assert "Upgrade: SPDY/3.1" in done.err
    assert "websocket" not in done.err.lower()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_agreement_and_what_is_spoken_after_it(server: RunningApi, method: str) -> None:
    async with upgraded(server, _exec("sh", "-c", "echo hi; exit 9"), method=method) as connection:
        assert connection.code == 101
        assert sorted(connection.headers) == [
            ("connection", "Upgrade"), ("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", V4),
        ]  # fmt: skip
        await connection.open("error", "stdout", "stderr")
        came = await connection.until_the_outcome()
    assert came[3] == b"hi\n"
    assert json.loads(came[1])["details"]["causes"] == [{"reason": "ExitCode", "message": "9"}]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["v9.channel.k8s.io", "v5.channel.k8s.io", V4], "v5.channel.k8s.io"),
        (["v3.channel.k8s.io, v2.channel.k8s.io"], "v3.channel.k8s.io"),
        (["channel.k8s.io"], "channel.k8s.io"),
    ],
)
async def test_the_first_offer_that_we_speak_is_taken(server: RunningApi, offered: list[str], chosen: str) -> None:
    async with upgraded(server, _exec("true"), protocols=offered) as connection:
        assert ("x-stream-protocol-version", chosen) in connection.headers


@pytest.mark.parametrize(
    ("target", "offered", "code", "message"),
    [
        (_exec("true"), [], 400, "unable to upgrade: X-Stream-Protocol-Version is required"),
        (_exec("true"), ["v9.channel.k8s.io"], 403, "client supports [v9.channel.k8s.io], server accepts [v5.channel"),
        ("portforward", [V4], 403, f"client supports [{V4}], server accepts [portforward.k8s.io]"),
        ("attach?stdout=1&container=nope", [V4], 400, "container nope is not valid for pod web"),
        ("exec?stdout=1", [V4], 400, "you must specify at least one command for the container"),
        ("nothing", [V4], 404, "the server could not find the requested resource"),
    ],
)
async def test_refusals_are_answers(
    server: RunningApi, target: str, offered: list[str], code: int, message: str
) -> None:
    async with upgraded(server, target, protocols=offered) as connection:
        assert connection.code == code
        assert message in _message(connection)


async def test_other_versions_are_refused_by_name(server: RunningApi) -> None:
    async with upgraded(server, _exec("true"), upgrade="SPDY/3") as connection:
        assert connection.code == 400
        assert _message(connection) == "SPDY/3 upgrades are not supported, use SPDY/3.1 or WebSocket"


@pytest.mark.parametrize("verbs", [["get"], ["create"], ["get", "create"]])
async def test_it_takes_the_rights_that_a_websocket_takes(server: RunningApi, verbs: list[str]) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": verbs}]
    await server.client.create(ROLES, {"metadata": {"name": "r", "namespace": "default"}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    anna = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "anna"}]
    binding = {"metadata": {"name": "b", "namespace": "default"}, "roleRef": reference, "subjects": anna}
    await server.client.create(ROLE_BINDINGS, binding)
    needed = {"POST": {"create"}, "GET": {"get", "create"}}
    for method, verbs_needed in needed.items():
        asked = [("Impersonate-User", "anna")]
        async with upgraded(server, _exec("true"), method=method, headers=asked) as connection:
            assert connection.code == (101 if verbs_needed <= set(verbs) else 403), method


async def test_admission_is_asked(server: RunningApi) -> None:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CONNECT"], "resources": ["pods/exec"]}]
    validations = [{"expression": "!object.command.exists(word, word == 'secret')", "message": "not this"}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validations": validations}
    await server.client.create(VALIDATING, {"metadata": {"name": "p"}, "spec": spec})
    bound = {"policyName": "p", "validationActions": ["Deny"]}
    await server.client.create(POLICY_BINDINGS, {"metadata": {"name": "b"}, "spec": bound})
    async with upgraded(server, _exec("echo", "secret")) as connection:
        assert connection.code == 422
        assert "not this" in _message(connection)
    async with upgraded(server, _exec("echo", "open")) as connection:
        assert connection.code == 101


async def test_the_audit_log_has_it(pods: LocalPods, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")
    async with serving(pods, settings={"audit_policy": policy}) as server:
        async with upgraded(server, _exec("true")) as connection:
            assert connection.code == 101
        async with upgraded(server, _exec("true"), protocols=["v9"]) as connection:
            assert connection.code == 403
        log = server.server.config.paths.audit_log

        def of_exec() -> list[int]:
            events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
            return [
                event["responseStatus"]["code"]
                for event in events
                if event["stage"] == "ResponseComplete" and event.get("objectRef", {}).get("subresource") == "exec"
            ]

        await until(lambda: of_exec() == [101, 403])


async def test_commands_are_not_logged(server: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with upgraded(server, _exec("echo", "hunter2")) as connection:
        await connection.open("error", "stdout", "stderr")
        assert (await connection.until_the_outcome())[3] == b"hunter2\n"
    assert "hunter2" not in caplog.text


async def test_frames_may_come_with_the_request(server: RunningApi) -> None:
    async with upgraded(server, "portforward", protocols=["portforward.k8s.io"]) as connection:
        assert connection.code == 101
        async with listening(_shout) as port:
            headers = {"port": str(port), "requestID": "0"}
            await connection.send(
                SynStream(1, {"streamType": "error", **headers}, fin=True),
                SynStream(3, {"streamType": "data", **headers}),
                Data(3, b"words\n"),
                Ping(5),
            )
            frames = [await connection.next() for _ in range(6)]
    assert frames[:3] == [SynReply(1), SynReply(3), Ping(5)]
    assert frames[3:] == [Data(3, b"WORDS\n"), Data(3, b"", fin=True), Data(1, b"", fin=True)]


async def test_nonsense_ends_the_connection(server: RunningApi) -> None:
    async with upgraded(server, _exec("true")) as connection:
        connection.writer.write(b"\x80\x02\x00\x01\x00\x00\x00\x00")
        assert [await connection.next(), await connection.next()] == [GoAway(0, 1), None]


async def test_output_waits_for_a_client_that_does_not_read(server: RunningApi, pods: LocalPods) -> None:
    async with upgraded(server, _exec("head", "-c", "100000000", "/dev/zero")) as connection:
        await connection.open("error", "stdout", "stderr")
        (session,) = await until(lambda: pods.sessions)
        assert await written_until_it_waits(session._process) < 100_000_000  # type: ignore[attr-defined]
        came = await connection.until_the_outcome()
    assert len(came[3]) == 100_000_000


async def test_stdin_waits_for_a_process_that_does_not_read(pods: LocalPods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdy_session, "_PING_SECONDS", 0.2)
    async with serving(pods) as server:
        async with upgraded(server, _exec("sleep", "100", options="stdin=1&stdout=1")) as connection:
            await connection.open("error", "stdin", "stdout")
            sent = 0
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    while True:
                        await connection.send(Data(3, b"x" * 32_000))
                        sent += 32_000
            connection.writer.transport.abort()
        assert sent < 20_000_000
        # The server is not reading and cannot see the end: its next pings do.
        process = pods.sessions[0]._process  # type: ignore[attr-defined]
        await until(lambda: process.returncode is not None)


@pytest.mark.parametrize("transport", [OVER_SPDY])
async def test_a_command_that_the_server_ends_is_no_success(kubectl: Kubectl, server: RunningApi) -> None:
    process = await kubectl.start("exec", "web", "--", "sh", "-c", "echo up; exec sleep 1000")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT) == b"up\n"
    await server.server.stop()
    _, err = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 1
    assert b"the stream ended before the command was over" in err


async def test_streams_end_with_the_server(pods: LocalPods) -> None:
    async with serving(pods) as server, upgraded(server, _exec("sleep", "100")) as connection:
        await connection.open("error", "stdout", "stderr")
        await until(lambda: bool(pods.sessions))
        async with asyncio.timeout(LIMIT):
            await server.server.stop()
        assert pods.sessions[0]._process.returncode is not None  # type: ignore[attr-defined]
        assert json.loads((await connection.until_the_outcome())[1])["reason"] == "ServiceUnavailable"
        assert await connection.next() is None
