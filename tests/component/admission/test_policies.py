"""ValidatingAdmissionPolicy and MutatingAdmissionPolicy over a running API, with the words kubectl prints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.errors import Invalid, StatusError
from skerry.kube.objects import Obj
from tests.component.admission.configurations import (
    BINDINGS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    MUTATION_BINDINGS,
    MUTATIONS,
    NAMESPACES,
    POLICIES,
    binding,
    config_map,
    policy,
    rule,
)
from tests.support.api import RunningApi, running_api
from tests.support.kubectl import Kubectl


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api() as running:
        yield running


async def enforce(api: RunningApi, made: Obj, *bindings: Obj) -> None:
    await api.client.create(POLICIES, made)
    for one in bindings or (binding(),):
        await api.client.create(BINDINGS, one)


async def refusal(api: RunningApi, obj: Obj, namespace: str = "default") -> StatusError:
    with pytest.raises(StatusError) as refused:
        await api.client.create(CONFIG_MAPS, obj, namespace)
    return refused.value


DENIED = "ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: "


async def test_what_does_not_hold_is_denied(api: RunningApi) -> None:
    await enforce(api, policy({"expression": "object.data.size() <= 1"}))
    await api.client.create(CONFIG_MAPS, config_map(data={"a": "b"}), "default")
    refused = await refusal(api, config_map("y", {"a": "b", "c": "d"}))
    text = f"{DENIED}failed expression: object.data.size() <= 1"
    assert refused.message == f'configmaps "y" is forbidden: {text}'
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.details["causes"] == [{"message": text}]


async def test_nothing_happens_without_a_binding(api: RunningApi) -> None:
    await api.client.create(POLICIES, policy({"expression": "false"}))
    await api.client.create(CONFIG_MAPS, config_map(), "default")


@pytest.mark.parametrize(
    ("validation", "message", "code"),
    [
        ({"expression": "false", "message": "not today"}, "not today", 422),
        ({"expression": "false", "messageExpression": "'not ' + object.metadata.name"}, "not x", 422),
        ({"expression": "false", "message": "m", "messageExpression": "object.nope"}, "m", 422),
        ({"expression": "false", "message": "m", "messageExpression": "'a\\nb'"}, "m", 422),
        ({"expression": "false", "reason": "Forbidden"}, "failed expression: false", 403),
        ({"expression": "object.nope"}, "expression 'object.nope' resulted in error: no such key: nope", 422),
    ],
)
async def test_messages_and_reasons(api: RunningApi, validation: Obj, message: str, code: int) -> None:
    await enforce(api, policy(validation))
    refused = await refusal(api, config_map())
    assert refused.message == f'configmaps "x" is forbidden: {DENIED}{message}'
    assert refused.code == code


async def test_what_kubectl_prints(api: RunningApi, tmp_path: Path) -> None:
    deployments = [rule("deployments", "apps")]
    await enforce(api, policy({"expression": "object.spec.replicas <= 5"}, rules=deployments))
    kubectl = Kubectl(api.kubeconfig, tmp_path)
    denied = await kubectl.attempt("create", "deployment", "web", "--image=nginx", "--replicas=6")
    assert denied.err == (
        'error: failed to create deployment: deployments.apps "web" is forbidden: '
        f"{DENIED}failed expression: object.spec.replicas <= 5\n"
    )
    await kubectl("create", "deployment", "web", "--image=nginx", "--replicas=5")
    scaled = await kubectl.attempt("patch", "deployment", "web", "-p", '{"spec":{"replicas":7}}')
    assert "denied request: failed expression: object.spec.replicas <= 5" in scaled.err


async def test_warn_and_audit_let_it_pass(api: RunningApi, tmp_path: Path) -> None:
    await enforce(api, policy({"expression": "false", "message": "hm"}), binding("Warn", "Audit"))
    done = await Kubectl(api.kubeconfig, tmp_path)("create", "configmap", "x")
    said = "Warning: Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': hm\n"
    assert done.err == said


async def test_variables_are_composed_and_lazy(api: RunningApi) -> None:
    variables = [
        {"name": "size", "expression": "object.data.size()"},
        {"name": "double", "expression": "variables.size * 2"},
        {"name": "broken", "expression": "object.nope"},
    ]
    made = policy(
        {"expression": "variables.double < 4"}, {"expression": "true || variables.broken"}, variables=variables
    )
    await enforce(api, made)
    await api.client.create(CONFIG_MAPS, config_map(data={"a": "b"}), "default")
    assert (
        "failed expression: variables.double < 4" in (await refusal(api, config_map("y", {"a": "b", "c": "d"}))).message
    )


async def test_what_expressions_see(api: RunningApi) -> None:
    await api.client.create(NAMESPACES, {"metadata": {"name": "n", "labels": {"env": "prod"}}})
    expressions = [
        "request.operation != 'UPDATE' || oldObject.data != object.data",
        "request.operation != 'CREATE' || oldObject == null",
        "request.namespace == 'n' && request.kind.kind == 'ConfigMap' && request.userInfo.username == 'test'",
        "namespaceObject.metadata.labels.env == 'prod'",
        "authorizer.group('apps').resource('deployments').namespace('n').check('create').allowed()",
        "!authorizer.serviceAccount('n', 'default').group('').resource('secrets').check('get').allowed()",
    ]
    await enforce(api, policy(*({"expression": text} for text in expressions)))
    await api.client.create(CONFIG_MAPS, config_map(namespace="n"), "n")
    await api.client.patch(CONFIG_MAPS, "x", {"data": {"k": "v"}}, "n")
    with pytest.raises(Invalid, match=r"oldObject\.data != object\.data"):
        await api.client.patch(CONFIG_MAPS, "x", {"metadata": {"labels": {"a": "b"}}}, "n")


async def test_failure_policy_ignore_covers_errors_not_refusals(api: RunningApi) -> None:
    conditions = [{"name": "c", "expression": "object.data.size() > 0"}]
    made = policy({"expression": "object.nope"}, {"expression": "object.data.size() < 2"}, failurePolicy="Ignore")
    made["spec"]["matchConditions"] = conditions
    await enforce(api, made)
    await api.client.create(CONFIG_MAPS, config_map(data={"a": "b"}), "default")
    assert "object.data.size() < 2" in (await refusal(api, config_map("y", {"a": "b", "c": "d"}))).message


YES = {"expression": "true"}
PARAMS = {"apiVersion": "v1", "kind": "ConfigMap"}


async def test_parameters_by_name_and_by_selector(api: RunningApi) -> None:
    made = policy({"expression": "object.metadata.name.startsWith(params.data.prefix)"}, paramKind=PARAMS)
    made["spec"]["matchConstraints"]["objectSelector"] = {"matchLabels": {"checked": "yes"}}
    reference = {"name": "p", "namespace": "default", "parameterNotFoundAction": "Deny"}
    await enforce(api, made, binding(paramRef=reference))
    checked = {"labels": {"checked": "yes"}}
    why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
    assert why in (await refusal(api, config_map("a-x", **checked))).message
    await api.client.create(CONFIG_MAPS, config_map("p", {"prefix": "a-"}, labels={"param": "yes"}), "default")
    await api.client.create(CONFIG_MAPS, config_map("a-x", **checked), "default")
    assert "failed expression" in (await refusal(api, config_map("b-x", **checked))).message
    await api.client.delete(BINDINGS, "binding")
    selecting = {"selector": {"matchLabels": {"param": "yes"}}, "parameterNotFoundAction": "Allow"}
    await api.client.create(BINDINGS, binding(paramRef=selecting))
    assert "failed expression" in (await refusal(api, config_map("b-x", **checked))).message
    await api.client.create(NAMESPACES, {"metadata": {"name": "other"}})
    await api.client.create(CONFIG_MAPS, config_map("b-x", **checked), "other")


async def test_a_param_kind_nobody_serves(api: RunningApi) -> None:
    made = policy({"expression": "params == null"}, paramKind={"apiVersion": "x.example/v1", "kind": "Rule"})
    await enforce(api, made, binding(paramRef={"name": "p", "parameterNotFoundAction": "Allow"}))
    why = "failed to configure policy: failed to find resource referenced by paramKind: 'x.example/v1, Kind=Rule'"
    assert why in (await refusal(api, config_map())).message


async def test_bindings_narrow_down(api: RunningApi) -> None:
    await api.client.create(NAMESPACES, {"metadata": {"name": "n", "labels": {"env": "test"}}})
    narrow = binding(matchResources={"namespaceSelector": {"matchLabels": {"env": "test"}}})
    made = policy({"expression": "false"})
    made["spec"]["matchConstraints"]["excludeResourceRules"] = [rule(resourceNames=["free"])]
    await enforce(api, made, narrow)
    await api.client.create(CONFIG_MAPS, config_map(), "default")
    await api.client.create(CONFIG_MAPS, config_map("free"), "n")
    assert "failed expression" in (await refusal(api, config_map(), "n")).message


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (policy({"expression": "object.x >"}), "compilation failed: ERROR: <input>:1:11: Syntax error"),
        (policy({"expression": "1"}), 'spec.validations[0].expression: Invalid value: "1": must evaluate to bool'),
        (policy({"expression": "params.x"}), "undeclared reference to 'params'"),
        (policy({"expression": "true", "messageExpression": "1"}), "must evaluate to string"),
        (policy({"expression": "true", "message": "a\nb"}), "message must not contain line breaks"),
        (policy({"expression": "true", "reason": "Odd"}), "spec.validations[0].reason: Unsupported value"),
        (policy(), "validations or auditAnnotations must contain at least one item"),
        (policy(YES, variables=[{"name": "a", "expression": "variables.b"}]), "undefined field 'b'"),
        (policy(YES, variables=[{"name": "a b", "expression": "1"}]), "name is not a valid CEL identifier"),
        (policy(YES, auditAnnotations=[{"key": "k", "valueExpression": "1"}]), "must evaluate to one of [string null]"),
    ],
)  # fmt: skip
async def test_what_no_policy_may_look_like(api: RunningApi, made: Obj, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        await api.client.create(POLICIES, made)
    assert message in refused.value.message.replace('\\"', '"')


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (binding("Deny", "Warn"), "must not contain both Deny and Warn"),
        (binding("Refuse"), 'spec.validationActions[0]: Unsupported value: "Refuse"'),
        (binding(to=""), "spec.policyName: Required value"),
        (binding(paramRef={"parameterNotFoundAction": "Deny"}), "one of name or selector must be specified"),
        (binding(paramRef={"name": "x"}), "spec.paramRef.parameterNotFoundAction: Required value"),
    ],
)
async def test_what_no_binding_may_look_like(api: RunningApi, made: Obj, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        await api.client.create(BINDINGS, made)
    assert message in refused.value.message


async def test_type_checking_tells_of_expressions_that_cannot_hold(api: RunningApi) -> None:
    validations = [{"expression": "object.spec.replicas > '1'"}, {"expression": "object.spec.replicas > 1"}]
    made = await api.client.create(POLICIES, policy(*validations, rules=[rule("deployments", "apps")]))
    assert made["status"]["observedGeneration"] == 1
    (warning,) = made["status"]["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"] == (
        "apps/v1, Kind=Deployment: ERROR: <input>:1:22: "
        "found no matching overload for '_>_' applied to '(int, string)'\n"
        " | object.spec.replicas > '1'\n | .....................^"
    )
    fixed = {"spec": {"validations": validations[1:]}}
    changed = await api.client.patch(POLICIES, "policy", fixed)
    assert changed["status"] == {"observedGeneration": 2, "typeChecking": {}}


def mutation(expression: str, kind: str = "ApplyConfiguration", rules: list[Obj] | None = None, **spec: Any) -> Obj:
    key = "applyConfiguration" if kind == "ApplyConfiguration" else "jsonPatch"
    return {
        "metadata": {"name": "m"},
        "spec": {
            "matchConstraints": {"resourceRules": rules or [rule()]}, "reinvocationPolicy": "Never",
            "mutations": [{"patchType": kind, key: {"expression": expression}}], **spec,
        },
    }  # fmt: skip


async def mutate(api: RunningApi, made: Obj) -> None:
    await api.client.create(MUTATIONS, made)
    await api.client.create(MUTATION_BINDINGS, {"metadata": {"name": "b"}, "spec": {"policyName": "m"}})


async def test_an_apply_configuration_is_merged_by_the_schema(api: RunningApi) -> None:
    containers = 'Object.spec.template.spec.containers{name: "side", image: "busybox:" + request.namespace}'
    pod_spec = f"Object.spec.template.spec{{containers: [{containers}]}}"
    spec = f"Object.spec{{template: Object.spec.template{{spec: {pod_spec}}}}}"
    await mutate(api, mutation(f"Object{{spec: {spec}}}", rules=[rule("deployments", "apps")]))
    labels = {"app": "x"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    obj = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": labels}, "template": pod}}
    made = await api.client.create(DEPLOYMENTS, obj, "default")
    images = {one["name"]: one["image"] for one in made["spec"]["template"]["spec"]["containers"]}
    assert images == {"c": "nginx", "side": "busybox:default"}


async def test_a_json_patch_is_applied(api: RunningApi) -> None:
    path = '"/metadata/annotations/" + jsonpatch.escapeKey("a/b")'
    source = f'[JSONPatch{{op: "add", path: {path}, value: object.metadata.name}}]'
    condition = [{"name": "annotated", "expression": "has(object.metadata.annotations)"}]
    await mutate(api, mutation(source, "JSONPatch", matchConditions=condition))
    made = await api.client.create(CONFIG_MAPS, config_map(annotations={"k": "v"}), "default")
    assert made["metadata"]["annotations"] == {"k": "v", "a/b": "x"}
    without = await api.client.create(CONFIG_MAPS, config_map("y"), "default")
    assert "annotations" not in without["metadata"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            mutation('[JSONPatch{op: "remove", path: "/nope"}]', "JSONPatch"),
            "policy 'm' with binding 'b' denied request: ",
        ),
        (mutation('Object{kind: "Secret"}'), "apiVersion and kind may not be changed by a mutation"),
        (mutation("Object{data: object.nope}"), "resulted in error: no such key: nope"),
    ],
)
async def test_mutations_that_fail(api: RunningApi, made: Obj, message: str) -> None:
    await mutate(api, made)
    assert message in (await refusal(api, config_map())).message
    await api.client.delete(MUTATIONS, "m")
    await api.client.create(MUTATIONS, {**made, "spec": {**made["spec"], "failurePolicy": "Ignore"}})
    await api.client.create(CONFIG_MAPS, config_map(), "default")


async def test_mutations_that_do_not_compile(api: RunningApi) -> None:
    with pytest.raises(Invalid, match="must evaluate to Object"):
        await api.client.create(MUTATIONS, mutation("1"))
    with pytest.raises(Invalid, match="compilation failed: ERROR: <input>:1:"):
        await api.client.create(MUTATIONS, mutation("Object{data: }"))
