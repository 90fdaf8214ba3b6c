"""Kubernetes' `test/e2e/apimachinery/webhook.go`, with a server on the loopback address for the one they run in a pod.

What webhooks are sent, and what becomes of those that lie, is in `tests/component/admission`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from skerry.testing.cluster import Cluster
from tests.component.admission.configurations import hook, rule
from tests.component.conformance.definitions import ANYTHING, CRDS, random_definition
from tests.component.conformance.e2e_client import JSON_PATCH, STRATEGIC_PATCH, E2eClient
from tests.component.conformance.objects import pod
from tests.support.program import program_path
from tests.support.webhook import Webhook, running_webhook

ROOT = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
UNWANTED = {"webhook-e2e-test": "webhook-disallow"}
SAID = "the custom resource contains unwanted data"


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Where webhooks answer while a test waits for the API."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


@pytest.fixture
def serving(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Webhook]]:
    """A webhook that answers as a function says."""
    with contextlib.ExitStack() as stack:

        def serve(answer: Callable[[Any], Any]) -> Webhook:
            async def answered(request: Any) -> Any:
                return answer(request)

            running = running_webhook(answered)
            webhook = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
            stack.callback(lambda: asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result())
            return webhook

        yield serve


def data_of(request: Any) -> Any:
    return ((request["object"] or request["oldObject"]).get("data")) or {}


def denying(request: Any) -> Any:
    """What is not to be made, nor to be deleted."""
    value = data_of(request).get("webhook-e2e-test")
    if request["operation"] == "DELETE":
        text = "the custom resource cannot be deleted because it contains unwanted key and value"
        return {"allowed": value != "webhook-nondeletable", "status": {"message": text}}
    return {"allowed": value != "webhook-disallow", "status": {"message": SAID}}


def changing(request: Any) -> Any:
    """One stage after the other."""
    data, patches = data_of(request), []
    if data.get("mutation-start") == "yes":
        patches.append({"op": "add", "path": "/data/mutation-stage-1", "value": "yes"})
    if data.get("mutation-stage-1") == "yes":
        patches.append({"op": "add", "path": "/data/mutation-stage-2", "value": "yes"})
    return patched(*patches)


def patched(*patches: Any) -> Any:
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patches).encode()).decode()}


def scoped(webhook: Webhook | str, ns: str, *rules: Any, **more: Any) -> Any:
    """For this namespace only, as in a cluster that others use."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": ns}}
    return hook(webhook, namespaceSelector=selector, rules=list(rules) or [rule()], **more)


@contextlib.contextmanager
def registered(api: E2eClient, kind: int, name: str, *hooks: Any) -> Iterator[str]:
    path = f"{ROOT}/{KINDS[kind]}"
    api.create(path, {"metadata": {"name": name}, "webhooks": list(hooks)})
    yield f"{path}/{name}"
    api.delete(f"{path}/{name}")


def refused(api: E2eClient, ns: str) -> bool:
    body = {"metadata": {"generateName": "c-"}, "data": UNWANTED}
    answer = api.call("POST", f"/api/v1/namespaces/{ns}/configmaps", body)
    assert answer.code == 201 or "denied" in answer.body["message"], answer
    return answer.code != 201


def mutated(api: E2eClient, ns: str, name: str = "", start: str = "yes") -> Any:
    metadata = {"name": name} if name else {"generateName": "c-"}
    body = {"metadata": metadata, "data": {"mutation-start": start}}
    return api.create(f"/api/v1/namespaces/{ns}/configmaps", body)["data"]


@pytest.mark.parametrize("kind", [0, 1])
def test_lists_of_webhooks(api: E2eClient, ns: str, unique: str, kind: int, serving: Callable[..., Webhook]) -> None:
    webhook = serving(changing if kind else denying)
    labels = {"e2e-list-test-uuid": unique}
    path, chosen = f"{ROOT}/{KINDS[kind]}", f"labelSelector=e2e-list-test-uuid={unique}"
    for number in range(10):
        metadata = {"name": f"{unique}-{number}", "labels": labels}
        api.create(path, {"metadata": metadata, "webhooks": [scoped(webhook, ns)]})
    assert len(api.items(f"{path}?{chosen}")) == 10
    applies = (lambda: "mutation-stage-1" in mutated(api, ns)) if kind else (lambda: refused(api, ns))
    assert applies()
    api.delete(f"{path}?{chosen}")
    assert not api.items(f"{path}?{chosen}")
    assert not applies()


@pytest.mark.parametrize("kind", [0, 1])
def test_updates_and_patches_of_webhooks(
    api: E2eClient, ns: str, unique: str, kind: int, serving: Callable[..., Webhook]
) -> None:
    with registered(api, kind, unique, scoped(serving(changing if kind else denying), ns)) as path:
        applies = (lambda: "mutation-stage-1" in mutated(api, ns)) if kind else (lambda: refused(api, ns))
        assert applies()
        api.change(path, lambda now: now["webhooks"][0]["rules"][0].update(operations=["UPDATE"]))
        assert not applies()
        operation = {"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}
        api.patch(path, [operation], JSON_PATCH)
        assert applies()


def test_pods_and_config_maps_are_denied(api: E2eClient, ns: str, unique: str, serving: Callable[..., Webhook]) -> None:
    """When they are made, when they are changed, and not where the webhook does not look."""
    said = {"label": "the pod contains unwanted label", "name": "the pod contains unwanted container name"}

    def answer(request: Any) -> Any:
        if request["kind"]["kind"] != "Pod":
            return denying(request)
        made, found = request["object"], []
        if made["metadata"].get("labels", {}).get("webhook-e2e-test") == "webhook-disallow":
            found.append(said["label"])
        if any("webhook-disallow" in container["name"] for container in made["spec"]["containers"]):
            found.append(said["name"])
        return {"allowed": not found, "status": {"message": "; ".join(found)}}

    webhook, marker = serving(answer), {"key": unique, "operator": "In", "values": ["true"]}
    skipped = {"key": "skip-webhook-admission", "operator": "NotIn", "values": ["yes"]}
    selector = {"matchExpressions": [marker, skipped]}
    hooks = [
        hook(webhook, "pods.example.com", namespaceSelector=selector, rules=[rule("pods")]),
        hook(webhook, "maps.example.com", namespaceSelector=selector, rules=[rule(operations=["CREATE", "UPDATE"])]),
    ]
    api.change(f"/api/v1/namespaces/{ns}", lambda now: now["metadata"]["labels"].update({unique: "true"}))
    maps = f"/api/v1/namespaces/{ns}/configmaps"
    with registered(api, 0, unique, *hooks):
        bad = pod("disallowed-pod", UNWANTED)
        bad["spec"]["containers"][0]["name"] = "webhook-disallow"
        denied = api.call("POST", f"/api/v1/namespaces/{ns}/pods", bad)
        assert [text for text in said.values() if text not in denied.body["message"]] == []
        assert refused(api, ns)
        api.create(maps, {"metadata": {"name": "allowed-configmap"}, "data": {"admit": "this"}})
        now = api.get(f"{maps}/allowed-configmap")
        assert "denied" in api.call("PUT", f"{maps}/allowed-configmap", {**now, "data": UNWANTED}).body["message"]
        patched_so = api.call("PATCH", f"{maps}/allowed-configmap", {"data": UNWANTED}, STRATEGIC_PATCH)
        assert "denied" in patched_so.body["message"]
        labels = {unique: "true", "skip-webhook-admission": "yes"}
        api.create("/api/v1/namespaces", {"metadata": {"name": f"{unique}-exempted", "labels": labels}})
        assert not refused(api, f"{unique}-exempted")
        api.delete(f"/api/v1/namespaces/{unique}-exempted")


def test_attaching_to_a_pod_is_denied(
    api: E2eClient, ns: str, unique: str, running: Cluster, serving: Callable[..., Webhook]
) -> None:
    text = "attaching to pod 'to-be-attached-pod' is not allowed"
    webhook = serving(lambda request: {"allowed": False, "status": {"message": text}})
    api.create(f"/api/v1/namespaces/{ns}/pods", pod("to-be-attached-pod"))
    api.until(f"/api/v1/namespaces/{ns}/pods/to-be-attached-pod", lambda now: now["status"]["phase"] == "Running")
    connects = {**rule("pods/attach"), "operations": ["CONNECT"]}
    with registered(api, 0, unique, scoped(webhook, ns, connects)):
        words = ["attach", f"--namespace={ns}", "to-be-attached-pod", "-i", "-c=web"]
        command = [program_path("kubectl"), "--kubeconfig", str(running.kubeconfig), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60
        )
    assert done.returncode != 0
    assert text in done.stderr


def test_custom_resources_are_denied(api: E2eClient, ns: str, unique: str, serving: Callable[..., Webhook]) -> None:
    definition = random_definition(api, ANYTHING, ("v1",), namespaced=True)
    path = definition.path_in(ns)
    body = {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": {"name": "cr-instance-1"}}
    with registered(api, 0, unique, scoped(serving(denying), ns, rule(definition.plural, definition.group))):
        answer = api.call("POST", path, {**body, "data": UNWANTED})
        assert SAID in answer.body["message"]
        nondeletable = {"webhook-e2e-test": "webhook-nondeletable"}
        made = api.create(path, {**body, "data": nondeletable})
        answer = api.call("PUT", f"{path}/cr-instance-1", {**made, "data": UNWANTED})
        assert SAID in answer.body["message"]
        answer = api.call("DELETE", f"{path}/cr-instance-1")
        assert "the custom resource cannot be deleted because it contains unwanted key" in answer.body["message"]
        api.change(f"{path}/cr-instance-1", lambda now: now.update(data={"webhook-e2e-test": "webhook-allow"}))
        api.delete(f"{path}/cr-instance-1")
    api.delete(definition.own_path)


STAGED = {
    "type": "object",
    "properties": {"mutation-start": {"type": "string"}, "mutation-stage-1": {"type": "string"}},
}


@pytest.mark.parametrize("pruned", [False, True])
def test_custom_resources_are_mutated(
    api: E2eClient, ns: str, unique: str, pruned: bool, serving: Callable[..., Webhook]
) -> None:
    schema = {"type": "object", "properties": {"data": STAGED}} if pruned else ANYTHING
    definition = random_definition(api, schema, ("v1",), namespaced=True)
    webhook, own = serving(changing), rule(definition.plural, definition.group)
    body = {
        "apiVersion": definition.api_version,
        "kind": definition.kind,
        "metadata": {"name": "cr-instance-1"},
        "data": {"mutation-start": "yes"},
    }
    with registered(api, 1, unique, scoped(webhook, ns, own), scoped(webhook, ns, own, name="b.example.com")):
        data = api.create(definition.path_in(ns), body)["data"]
    expected = {"mutation-start": "yes", "mutation-stage-1": "yes"}
    assert data == (expected if pruned else {**expected, "mutation-stage-2": "yes"})
    api.delete(definition.own_path)


def test_custom_resources_are_mutated_when_another_version_is_stored(
    api: E2eClient, ns: str, unique: str, serving: Callable[..., Webhook]
) -> None:
    definition = random_definition(api, ANYTHING, ("v1", "v2"), namespaced=True)
    webhook, own = serving(changing), {**rule(definition.plural, definition.group), "apiVersions": ["v1", "v2"]}
    body = {
        "apiVersion": definition.api_version,
        "kind": definition.kind,
        "metadata": {"name": "cr-instance-1"},
        "data": {"mutation-start": "yes"},
    }
    with registered(api, 1, unique, scoped(webhook, ns, own), scoped(webhook, ns, own, name="b.example.com")):
        api.create(definition.path_in(ns), body)
        versions = [
            {"name": name, "storage": name == "v2", "served": True, "schema": {"openAPIV3Schema": ANYTHING}}
            for name in ("v1", "v2")
        ]
        changed = api.patch(definition.own_path, {"spec": {"versions": versions}}, STRATEGIC_PATCH)
        assert [one["storage"] for one in changed["spec"]["versions"]] == [False, True]
        add = [{"op": "add", "path": "/dummy", "value": "test"}]
        now = api.patch(f"{definition.path_in(ns, 'v2')}/cr-instance-1", add, JSON_PATCH)
    assert now["dummy"] == "test"
    assert now["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    api.delete(definition.own_path)


def test_definitions_are_denied(api: E2eClient, unique: str, serving: Callable[..., Webhook]) -> None:
    webhook = serving(lambda request: {"allowed": False, "status": {"message": "the crd contains unwanted label"}})
    own = {**rule("customresourcedefinitions", "apiextensions.k8s.io"), "apiVersions": ["*"]}
    chosen = hook(webhook, rules=[own], objectSelector={"matchLabels": {unique: "true"}})
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": ANYTHING}}
    names = {"plural": f"e{unique}s", "singular": f"e{unique}", "kind": f"E{unique}", "listKind": f"E{unique}List"}
    spec = {"group": "unwanted.example.com", "names": names, "scope": "Cluster", "versions": [version]}
    metadata = {"name": f"{names['plural']}.unwanted.example.com", "labels": {unique: "true"}}
    with registered(api, 0, unique, chosen):
        answer = api.call("POST", CRDS, {"metadata": metadata, "spec": spec})
    assert "the crd contains unwanted label" in answer.body["message"]


def test_pods_are_mutated_before_defaults(
    api: E2eClient, ns: str, unique: str, serving: Callable[..., Webhook]
) -> None:
    added = [{"name": "webhook-added-init-container", "image": "example", "resources": {}}]
    webhook = serving(lambda request: patched({"op": "add", "path": "/spec/initContainers", "value": added}))
    with registered(api, 1, unique, scoped(webhook, ns, {**rule("pods"), "operations": ["CREATE"]})):
        made = api.create(f"/api/v1/namespaces/{ns}/pods", pod("webhook-to-be-mutated"))
    (init,) = made["spec"]["initContainers"]
    assert (init["name"], init["terminationMessagePolicy"]) == ("webhook-added-init-container", "File")


def test_webhook_configurations_are_neither_mutated_nor_kept(
    api: E2eClient, unique: str, serving: Callable[..., Webhook]
) -> None:
    label = patched({"op": "add", "path": "/metadata/labels", "value": {"added": "yes"}})
    everything = {**rule(" ".join(KINDS), "admissionregistration.k8s.io"), "apiVersions": ["*"]}
    denies = hook(serving(lambda request: {"allowed": False}), rules=[{**everything, "operations": ["DELETE"]}])
    adds = hook(serving(lambda request: label), rules=[{**everything, "operations": ["CREATE"]}])
    dummy = {
        "name": "dummy.k8s.io",
        "rules": [{**rule("invalid"), "operations": ["CREATE"]}],
        "clientConfig": {"service": {"namespace": "default", "name": "e2e-test-webhook", "path": "", "port": 8443}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1", "v1beta1"],
        "failurePolicy": "Ignore",
    }
    with registered(api, 0, f"{unique}-denies", denies), registered(api, 1, f"{unique}-adds", adds):
        for kind in KINDS:
            made = api.create(f"{ROOT}/{kind}", {"metadata": {"name": f"{unique}-dummy"}, "webhooks": [dummy]})
            assert "labels" not in made["metadata"]
            api.delete(f"{ROOT}/{kind}/{unique}-dummy")


def test_a_webhook_that_cannot_be_called_fails_closed(api: E2eClient, ns: str, unique: str) -> None:
    client = {"service": {"namespace": ns, "name": "e2e-test-webhook", "path": "/configmaps", "port": 8443}}
    with registered(api, 0, unique, scoped("", ns, clientConfig=client, failurePolicy="Fail")):
        answer = api.call("POST", f"/api/v1/namespaces/{ns}/configmaps", {"metadata": {"name": "foo"}})
    assert (answer.code, answer.body["reason"]) == (500, "InternalError")


def test_match_conditions(api: E2eClient, ns: str, unique: str, serving: Callable[..., Webhook]) -> None:
    """Stored, changed, refused when they do not compile; and everything is mutated but what is called skip-me."""
    first = {"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}
    second = {"name": "expression-2", "expression": "object.metadata.namespace == 'staging'"}
    for kind in (0, 1):
        with registered(api, kind, unique, scoped("https://x.example/", ns, matchConditions=[first])) as path:
            assert api.get(path)["webhooks"][0]["matchConditions"] == [first]
            api.change(path, lambda now: now["webhooks"][0].update(matchConditions=[first, second]))
            assert api.get(path)["webhooks"][0]["matchConditions"] == [first, second]
        bad = scoped("https://x.example/", ns, matchConditions=[{**first, "expression": "... [] bad expression"}])
        answer = api.call("POST", f"{ROOT}/{KINDS[kind]}", {"metadata": {"name": unique}, "webhooks": [bad]})
        assert answer.code == 422
        assert "compilation failed" in answer.body["message"]
    skip = {"name": "skip-me", "expression": "object.metadata.name != 'skip-me'"}
    with registered(api, 1, unique, scoped(serving(changing), ns, matchConditions=[skip])):
        assert mutated(api, ns, "skip-me") == {"mutation-start": "yes"}
        assert mutated(api, ns, "mutate-me")["mutation-stage-1"] == "yes"


def test_slow_webhooks(api: E2eClient, ns: str, unique: str, loop: asyncio.AbstractEventLoop) -> None:
    async def late(request: Any) -> Any:
        await asyncio.sleep(3)
        return {"allowed": True}

    running = running_webhook(late)
    webhook = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
    body = {"metadata": {"generateName": "c-"}}
    for timeout, policy, code in ((1, "Fail", 500), (1, "Ignore", 201), (None, "Fail", 201)):
        more = {"timeoutSeconds": timeout} if timeout else {}
        with registered(api, 0, unique, scoped(webhook, ns, failurePolicy=policy, **more)) as path:
            assert api.get(path)["webhooks"][0]["timeoutSeconds"] == (timeout or 10)
            answer = api.call("POST", f"/api/v1/namespaces/{ns}/configmaps", body)
        assert answer.code == code, answer
        if code == 500:
            assert "webhook" in answer.body["message"]
            assert "deadline" in answer.body["message"]
    asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result()


def test_webhooks_are_in_discovery_documents(api: E2eClient) -> None:
    group = next(one for one in api.get("/apis")["groups"] if one["name"] == "admissionregistration.k8s.io")
    assert "v1" in [one["version"] for one in group["versions"]]
    assert "v1" in [one["version"] for one in api.get("/apis/admissionregistration.k8s.io")["versions"]]
    assert set(KINDS) <= {one["name"] for one in api.get(ROOT)["resources"]}
