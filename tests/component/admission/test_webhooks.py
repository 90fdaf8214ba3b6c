"""Admission webhooks against a real HTTPS server: what they are sent, what they may do, what becomes of bad ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.errors import Forbidden, InternalError, Invalid, StatusError
from tests.component.admission.configurations import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    MUTATING,
    NAMESPACES,
    VALIDATING,
    config_map,
    configuration,
    hook,
    rule,
)
from tests.support.api import RunningApi, running_api
from tests.support.kubectl import Kubectl
from tests.support.waiting import LIMIT
from tests.support.webhook import Answer, allowing, patching, running_webhook


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api() as running:
        yield running


def denying(**status: Any) -> Answer:
    return allowing(allowed=False, **({"status": status} if status else {}))


async def test_a_webhook_is_sent_the_request_and_may_let_it_pass(api: RunningApi) -> None:
    async with running_webhook(allowing(warnings=["mind the gap"])) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook)))
        await api.client.create(CONFIG_MAPS, config_map(data={"k": "v"}), "default")
        await api.client.delete(CONFIG_MAPS, "x", "default")
    created, deleted = webhook.reviews
    assert (created["apiVersion"], created["kind"], created["timeout"]) == (
        "admission.k8s.io/v1",
        "AdmissionReview",
        "10s",
    )
    request = created["request"]
    assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (request["name"], request["namespace"], request["operation"]) == ("x", "default", "CREATE")
    assert request["userInfo"]["username"] == "test"
    assert request["object"]["data"] == {"k": "v"}
    assert request["oldObject"] is None
    assert request["dryRun"] is False
    assert request["options"]["kind"] == "CreateOptions"
    assert deleted["request"]["operation"] == "DELETE"
    assert deleted["request"]["object"] is None
    assert deleted["request"]["oldObject"]["data"] == {"k": "v"}


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        ({}, 'admission webhook "a.example.com" denied the request without explanation', 400),
        ({"message": "no way"}, 'admission webhook "a.example.com" denied the request: no way', 400),
        ({"reason": "Forbidden", "code": 403}, 'admission webhook "a.example.com" denied the request: Forbidden', 403),
        ({"message": "odd", "code": 200}, 'admission webhook "a.example.com" denied the request: odd', 400),
    ],
)
async def test_a_webhook_refuses_in_its_own_words(
    api: RunningApi, status: dict[str, Any], message: str, code: int
) -> None:
    async with running_webhook(denying(**status)) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook)))
        with pytest.raises(StatusError) as refused:
            await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert refused.value.message == message
    assert refused.value.code == code


async def test_webhooks_change_the_object_in_order_of_configuration(api: RunningApi) -> None:
    first = patching({"op": "add", "path": "/data", "value": {"by": "first"}})
    second = patching({"op": "replace", "path": "/data/by", "value": "second"})
    async with running_webhook(first) as one, running_webhook(second) as two:
        await api.client.create(MUTATING, configuration(hook(two), name="b"))
        await api.client.create(MUTATING, configuration(hook(one), name="a"))
        made = await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert made["data"] == {"by": "second"}
    assert two.reviews[0]["request"]["object"]["data"] == {"by": "first"}


async def test_defaults_are_filled_in_after_a_patch(api: RunningApi) -> None:
    container = {"name": "side", "image": "busybox"}
    patch = patching({"op": "add", "path": "/spec/template/spec/containers/-", "value": container})
    async with running_webhook(patch) as webhook:
        await api.client.create(MUTATING, configuration(hook(webhook, rules=[rule("deployments", "apps")])))
        made = await api.client.create(DEPLOYMENTS, deployment(), "default")
    assert made["spec"]["template"]["spec"]["containers"][1]["terminationMessagePath"] == "/dev/termination-log"


def deployment() -> dict[str, Any]:
    labels = {"app": "x"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
    return {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": labels}, "template": pod}}


async def test_who_asks_for_it_is_called_again_after_a_change(api: RunningApi) -> None:
    change = patching({"op": "add", "path": "/data/late", "value": "yes"})
    async with running_webhook(allowing()) as watching, running_webhook(change) as changing:
        again = hook(watching, "again.example.com", reinvocationPolicy="IfNeeded")
        await api.client.create(MUTATING, configuration(again, hook(changing, "change.example.com")))
        await api.client.create(CONFIG_MAPS, config_map(data={"k": "v"}), "default")
        assert [len(watching.reviews), len(changing.reviews)] == [2, 1]
        assert watching.reviews[1]["request"]["object"]["data"] == {"k": "v", "late": "yes"}
        await api.client.create(CONFIG_MAPS, config_map("y", {"late": "yes"}), "default")
    assert [len(watching.reviews), len(changing.reviews)] == [3, 2]


async def test_a_webhook_that_is_down(api: RunningApi) -> None:
    closed = hook("https://127.0.0.1:1/review")
    await api.client.create(VALIDATING, configuration(closed))
    with pytest.raises(InternalError) as failed:
        await api.client.create(CONFIG_MAPS, config_map(), "default")
    start = (
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:1/review?timeout=10s": '
    )
    assert failed.value.message.startswith(start)
    await api.client.delete(VALIDATING, "hooks")
    await api.client.create(VALIDATING, configuration({**closed, "failurePolicy": "Ignore"}))
    await api.client.create(CONFIG_MAPS, config_map(), "default")


async def test_a_webhook_whose_certificate_is_not_trusted(api: RunningApi) -> None:
    async with running_webhook(allowing()) as webhook, running_webhook(allowing()) as other:
        wrong = {"url": webhook.url, "caBundle": other.bundle}
        await api.client.create(VALIDATING, configuration(hook(webhook, clientConfig=wrong)))
        with pytest.raises(InternalError, match="certificate"):
            await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert webhook.reviews == []


async def test_a_slow_webhook_is_given_up_on(api: RunningApi) -> None:
    async def late(request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(1000)
        return {"allowed": True}

    async with running_webhook(late) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook, timeoutSeconds=1)))
        began = time.monotonic()
        with pytest.raises(InternalError, match=r"\?timeout=1s\": context deadline exceeded"):
            await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert time.monotonic() - began < LIMIT


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "failed to call webhook: "),
        (b"<html>", "failed to call webhook: "),
        (b"[1]", "failed to call webhook: "),
        (
            b"{}",
            "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview",
        ),
        (
            b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
            "received invalid webhook response: webhook response was absent",
        ),
        ({"uid": "other"}, 'received invalid webhook response: expected response.uid="'),
        ({"allowed": "yes"}, "received invalid webhook response: response.allowed is of the wrong type"),
        ({"patch": "e30="}, "webhook returned response.patch but not response.patchType"),
        ({"patch": "e30=", "patchType": "Merge"}, 'invalid response.patchType of "Merge"'),
        ({"patch": "!", "patchType": "JSONPatch"}, "response.patch is no JSON patch"),
        ({"patch": "e30=", "patchType": "JSONPatch"}, "response.patch is of the wrong type"),
    ],
)
async def test_a_webhook_that_lies(api: RunningApi, answer: dict[str, Any] | bytes, message: str) -> None:
    async def lie(request: dict[str, Any]) -> dict[str, Any] | bytes:
        return answer if isinstance(answer, bytes) else {"allowed": True, **answer}

    async with running_webhook(lie) as webhook:
        await api.client.create(MUTATING, configuration(hook(webhook)))
        with pytest.raises(InternalError) as failed:
            await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert failed.value.message.startswith('Internal error occurred: failed calling webhook "a.example.com": ')
    assert message in failed.value.message


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([{"op": "remove", "path": "/nope"}], "nope"),
        ([{"op": "add", "path": "/data", "value": [1]}], "cannot be handled"),
        ([{"op": "replace", "path": "", "value": 3}], "cannot unmarshal"),
        ([{"op": "replace", "path": "/metadata/namespace", "value": "kube-system"}], "namespace"),
        (["what"], "sequence of operations"),
    ],
)
async def test_a_patch_that_does_not_fit(api: RunningApi, operations: list[Any], message: str) -> None:
    async with running_webhook(patching(*operations)) as webhook:
        await api.client.create(MUTATING, configuration(hook(webhook)))
        with pytest.raises(InternalError, match=message):
            await api.client.create(CONFIG_MAPS, config_map(), "default")
        await api.client.delete(MUTATING, "hooks")
    await api.client.create(CONFIG_MAPS, config_map(), "default")


async def test_a_validating_webhook_may_not_patch(api: RunningApi) -> None:
    async with running_webhook(patching({"op": "add", "path": "/data", "value": {}})) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook)))
        with pytest.raises(InternalError, match=r"validating webhook may not return response\.patch"):
            await api.client.create(CONFIG_MAPS, config_map(), "default")


async def test_selectors_and_conditions_choose(api: RunningApi) -> None:
    await api.client.create(NAMESPACES, {"metadata": {"name": "checked", "labels": {"check": "yes"}}})
    async with running_webhook(denying(message="no")) as webhook:
        chosen = hook(
            webhook,
            namespaceSelector={"matchLabels": {"check": "yes"}},
            objectSelector={"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]},
            matchConditions=[
                {"name": "not-system", "expression": "!request.userInfo.username.startsWith('system:')"},
                {"name": "by-name", "expression": "object.metadata.name != 'excepted'"},
                {"name": "allowed", "expression": "authorizer.requestResource.check('create').allowed()"},
            ],
        )
        await api.client.create(VALIDATING, configuration(chosen))
        await api.client.create(CONFIG_MAPS, config_map(), "default")
        await api.client.create(CONFIG_MAPS, config_map(labels={"free": "yes"}), "checked")
        await api.client.create(CONFIG_MAPS, config_map("excepted"), "checked")
        system = api.server.client("system:somebody", "system:masters")
        await system.create(CONFIG_MAPS, config_map("by-system"), "checked")
        assert webhook.reviews == []
        with pytest.raises(StatusError, match="denied the request: no"):
            await api.client.create(CONFIG_MAPS, config_map("y"), "checked")


async def test_a_condition_that_fails_counts_by_the_failure_policy(api: RunningApi) -> None:
    conditions = [{"name": "bad", "expression": "object.nope == 1"}]
    async with running_webhook(denying()) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook, matchConditions=conditions)))
        with pytest.raises(Forbidden, match=r"expression 'object\.nope == 1' resulted in error: no such key: nope"):
            await api.client.create(CONFIG_MAPS, config_map(), "default")
        ignoring = hook(webhook, matchConditions=conditions, failurePolicy="Ignore")
        await api.client.delete(VALIDATING, "hooks")
        await api.client.create(VALIDATING, configuration(ignoring))
        await api.client.create(CONFIG_MAPS, config_map(), "default")
    assert webhook.reviews == []


async def test_webhooks_have_no_say_in_their_own_configuration(api: RunningApi) -> None:
    everything = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
    await api.client.create(VALIDATING, configuration(hook("https://127.0.0.1:1/", rules=[everything])))
    with pytest.raises(InternalError):
        await api.client.create(NAMESPACES, {"metadata": {"name": "n"}})
    await api.client.delete(VALIDATING, "hooks")
    await api.client.create(NAMESPACES, {"metadata": {"name": "n"}})


async def test_a_dry_run_reaches_the_webhook_and_stores_nothing(api: RunningApi, tmp_path: Path) -> None:
    kubectl = Kubectl(api.kubeconfig, tmp_path)
    async with running_webhook(allowing(warnings=["mind the gap"])) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook, sideEffects="NoneOnDryRun")))
        done = await kubectl("create", "configmap", "x", "--dry-run=server")
    assert "Warning: mind the gap" in done.err
    assert webhook.reviews[0]["request"]["dryRun"] is True
    assert webhook.reviews[0]["request"]["options"]["dryRun"] == ["All"]
    assert (await kubectl.attempt("get", "configmap", "x")).code == 1


async def test_what_kubectl_prints(api: RunningApi, tmp_path: Path) -> None:
    kubectl = Kubectl(api.kubeconfig, tmp_path)
    async with running_webhook(denying(message="no", code=403, reason="Forbidden")) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook)))
        denied = await kubectl.attempt("create", "configmap", "x")
    said = 'error: failed to create configmap: admission webhook "a.example.com" denied the request: no\n'
    assert denied.err == said


async def test_other_versions_of_an_object_are_the_same_object(api: RunningApi) -> None:
    events = {"operations": ["CREATE"], "apiGroups": ["events.k8s.io"], "apiVersions": ["v1"], "resources": ["events"]}
    core = VALIDATING.__class__("", "v1", "events", "Event")
    event = {
        "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
        "reason": "R", "message": "m", "type": "Normal",
    }  # fmt: skip
    async with running_webhook(allowing()) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook, rules=[events])))
        await api.client.create(core, event, "default")
        request = webhook.reviews[0]["request"]
        assert request["kind"] == {"group": "events.k8s.io", "version": "v1", "kind": "Event"}
        assert request["requestKind"] == {"group": "", "version": "v1", "kind": "Event"}
        assert request["object"]["apiVersion"] == "events.k8s.io/v1"
        exact = configuration(hook(webhook, rules=[events], matchPolicy="Exact"))
        await api.client.delete(VALIDATING, "hooks")
        await api.client.create(VALIDATING, exact)
        await api.client.create(core, {**event, "metadata": {"name": "f"}}, "default")
    assert len(webhook.reviews) == 1


async def test_validating_webhooks_are_asked_at_once(api: RunningApi) -> None:
    together = asyncio.Barrier(2)

    async def both(request: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT), together:
            return {"allowed": True}

    async with running_webhook(both) as webhook:
        await api.client.create(VALIDATING, configuration(hook(webhook), hook(webhook, "b.example.com")))
        await api.client.create(CONFIG_MAPS, config_map(), "default")


async def test_a_service_that_is_not_there(api: RunningApi) -> None:
    service = {"service": {"name": "hook", "namespace": "default", "path": "/x"}}
    await api.client.create(VALIDATING, configuration(hook("", clientConfig=service)))
    with pytest.raises(InternalError, match=r'failed to call webhook: .*service "hook" not found'):
        await api.client.create(CONFIG_MAPS, config_map(), "default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "short"}, "webhooks[0].name: Invalid value: \"short\": should be a domain with at least three"),
        ({"sideEffects": "Some"}, 'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
        ({"timeoutSeconds": 31}, "timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30"),
        ({"admissionReviewVersions": ["v9"]}, "must include at least one of v1, v1beta1"),
        ({"clientConfig": {"url": "http://x/"}}, "'https' is the only allowed URL scheme; desired format: https://host[/"),
        ({"clientConfig": {}}, "webhooks[0].clientConfig: Required value: exactly one of url or service is required"),
        ({"rules": [rule("* pods")]}, "if '*' is present, must not specify other resources without subresources"),
        ({"matchConditions": [{"name": "a", "expression": "object."}]}, "compilation failed: ERROR: <input>:1:"),
        ({"matchConditions": [{"name": "a", "expression": "1"}]}, 'Invalid value: "1": must evaluate to bool'),
        ({"matchConditions": [{"name": "a", "expression": "request.nope == 1"}]}, "undefined field 'nope'"),
        ({"matchConditions": [{"name": "a", "expression": "params.x == 1"}]}, "undeclared reference to 'params'"),
        ({"failurePolicy": "Maybe"}, 'Unsupported value: "Maybe": supported values: "Fail", "Ignore"'),
    ],
)  # fmt: skip
async def test_what_no_webhook_may_look_like(api: RunningApi, change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        await api.client.create(VALIDATING, configuration({**hook("https://x.example/"), **change}))
    assert message in refused.value.message


async def test_defaults(api: RunningApi) -> None:
    service = {"service": {"name": "hook", "namespace": "default"}}
    made = await api.client.create(MUTATING, configuration(hook("", clientConfig=service)))
    got = made["webhooks"][0]
    assert (got["failurePolicy"], got["matchPolicy"], got["timeoutSeconds"]) == ("Fail", "Equivalent", 10)
    assert (got["reinvocationPolicy"], got["namespaceSelector"], got["objectSelector"]) == ("Never", {}, {})
    assert (got["rules"][0]["scope"], got["clientConfig"]["service"]["port"]) == ("*", 443)
