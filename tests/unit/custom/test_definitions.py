"""What a definition may say; names and conditions; versions; JSONPath."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.api.custom.names import decide_names
from skerry.engine.schema.custom.columns import cell
from skerry.engine.schema.custom.definition_rules import check_definition
from skerry.engine.schema.custom.jsonpath import JsonPath
from skerry.engine.schema.custom.nested import keys_of
from skerry.engine.schema.custom.versions import by_preference
from skerry.engine.schema.custom.warnings import finalizer_warnings
from skerry.engine.schema.kinds.apiextensions.definition import DefinitionStrategy
from skerry.kube.objects import Obj
from tests.support.definitions import definition, version


def complaints(obj: Obj, old: Obj | None = None) -> list[str]:
    strategy = DefinitionStrategy()
    strategy.default(obj)
    if old is None:
        strategy.prepare_create(obj)
    else:
        strategy.prepare_update(obj, old)
    return [f"{cause.field}: {cause.message}" for cause in check_definition(obj, old)]


def spec_with(schema: Obj) -> Obj:
    return definition(version("v1", {"spec": schema}))


def test_a_good_definition_passes() -> None:
    assert complaints(definition()) == []


def _without_storage() -> Obj:
    return definition(version("v1", storage=False))


def _misnamed() -> Obj:
    return {**definition(), "metadata": {"name": "gadgets.example.com"}}


def _with_alternative() -> Obj:
    obj = definition()
    obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["anyOf"] = [{"properties": {"a": {"minimum": 1}}}]
    return obj


def _without_schema() -> Obj:
    return definition({"name": "v1", "served": True, "storage": True})


SCHEMA = "spec.validation.openAPIV3Schema"
SPEC = f"{SCHEMA}.properties[spec]"


@pytest.mark.parametrize(
    ("obj", "complaint"),
    [
        (_misnamed(), 'metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural+"."+spec.group'),
        (_without_schema(), "spec.versions[0].schema.openAPIV3Schema: Required value"),
        (
            definition(scope="Global"),
            'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
        ),
        (
            definition(preserveUnknownFields=True),
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
            "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ),
        (
            spec_with({"properties": {}}),
            f"{SPEC}.type: Required value: must not be empty for specified object fields",
        ),
        (spec_with({"type": "array"}), f"{SPEC}.items: Required value: must be specified"),
        (
            spec_with({"type": "string", "default": 1}),
            f'{SPEC}.default: Invalid value: "integer":  in body must be of type string: "integer"',
        ),
        (
            spec_with({"type": "object", "properties": {}, "default": {"x": 1}}),
            f'{SPEC}.default: Invalid value: {{"x":1}}: must not have unknown fields',
        ),
        (
            _with_alternative(),
            f"{SCHEMA}.properties[a]: Required value: because it is defined in {SCHEMA}.anyOf[0].properties[a]",
        ),
        (
            spec_with({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"}),
            f"{SPEC}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            spec_with({"type": "string", "pattern": "["}),
            f'{SPEC}.pattern: Invalid value: "[": must be a valid regular expression, but isn\'t: missing ]: [',
        ),
        (
            spec_with({"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
            f"{SPEC}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes "
            "quadratic",
        ),
        (
            definition(version(), conversion={"strategy": "Webhook"}),
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        ),
    ],
)
def test_complaints(obj: Obj, complaint: str) -> None:
    assert complaint in complaints(obj)


def test_exactly_one_version_is_stored() -> None:
    [complaint] = [each for each in complaints(_without_storage()) if each.startswith("spec.versions:")]
    assert complaint.endswith("must have exactly one version marked as storage version")


def test_versions_that_differ_are_checked_each_at_its_place() -> None:
    bad = version("v2", {"spec": {"type": "oops"}}, storage=False)
    assert any(
        each.startswith("spec.versions[1].schema.openAPIV3Schema") for each in complaints(definition(version(), bad))
    )


def test_groups_of_kubernetes_need_a_word() -> None:
    obj = definition(group="x.k8s.io")
    obj["metadata"]["name"] = "widgets.x.k8s.io"
    [complaint] = complaints(obj)
    assert complaint.startswith(
        "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must"
    )
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    assert complaints(obj) == []


def test_what_is_established_keeps_kind_and_scope() -> None:
    old = definition()
    complaints(old)
    old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    new = definition(kind="Gadget", scope="Cluster")
    new["metadata"]["generation"] = 1
    assert [each.partition(":")[0] for each in complaints(new, old)] == ["spec.scope", "spec.names.kind"]


def test_a_version_once_stored_may_not_go() -> None:
    old = definition(version("v1"))
    complaints(old)
    new = definition(version("v2"))
    assert any("v1 was previously a storage version" in each for each in complaints(new, old))


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"rule": "self.nope > 1"}, "compilation failed"),
        ({"rule": "self.a"}, "must evaluate to a bool"),
        ({"rule": ""}, "rule is not specified"),
        ({"rule": "self.a > 1", "reason": "Because"}, "Unsupported value"),
        ({"rule": "self.a > 1", "fieldPath": ".nope"}, "must be a valid path"),
        ({"rule": "self.a > 1", "messageExpression": "1"}, "must evaluate to a string"),
        ({"rule": "self.a > 1", "optionalOldSelf": True}, "may not be set if oldSelf is not used"),
    ],
)
def test_rules_must_make_sense(rule: Obj, complaint: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "x-kubernetes-validations": [rule]}
    assert any(complaint in each for each in complaints(spec_with(schema)))


def test_transitions_need_values_that_belong_together() -> None:
    item = {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}
    found = complaints(spec_with({"type": "array", "items": item}))
    assert any("oldSelf cannot be used on the uncorrelatable portion of the schema" in each for each in found)


def test_the_first_to_ask_has_a_name() -> None:
    obj = definition()
    DefinitionStrategy().default(obj)
    names = decide_names(obj, [{"plural": "gadgets", "singular": "gadget", "kind": "Widget", "listKind": "GadgetList"}])
    [named, established] = names.conditions
    assert named == ("NamesAccepted", "False", "KindConflict", '"Widget" is already in use')
    assert established[1] == "False"
    assert names.accepted == {"plural": "widgets", "singular": "widget", "listKind": "WidgetList"}
    assert decide_names(obj, []).established


def test_the_order_of_versions() -> None:
    given = ["v1beta1", "foo", "v10", "v2", "v1alpha2", "v11beta2", "bar", "v1"]
    ordered = [each["name"] for each in by_preference([{"name": name} for name in given])]
    assert ordered == ["v10", "v2", "v1", "v11beta2", "v1beta1", "v1alpha2", "bar", "foo"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.replicas", [3]),
        (".metadata.labels.example\\.com/team", ["x"]),
        (".metadata.labels['example.com/team']", ["x"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[0].type", ["Synced"]),
        (".status.conditions[*].type", ["Synced", "Ready"]),
        (".status.missing.deeper", []),
        (".status.conditions[-1:].type", ["Ready"]),
        ("..type", ["Synced", "Ready"]),
    ],
)
def test_jsonpath(path: str, found: list[Any]) -> None:
    obj = {
        "metadata": {"labels": {"example.com/team": "x"}},
        "spec": {"replicas": 3},
        "status": {"conditions": [{"type": "Synced", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    assert JsonPath(path).find(obj) == found


def test_keys_of_simple_paths() -> None:
    assert keys_of(".spec.a\\.b") == ("spec", "a.b")


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("integer", 3.0, 3), ("integer", "3", None), ("number", 3, 3.0), ("boolean", True, True), ("string", 3, "3"),
        ("string", {"a": 1}, '{"a":1}'), ("date", "1970-01-01T00:00:00Z", "100s"), ("date", "soon", "<invalid>"),
    ],
)  # fmt: skip
def test_cells(kind: str, value: Any, shown: Any) -> None:
    assert cell(kind, value, 100.0) == shown


def test_what_is_probably_not_meant_is_told() -> None:
    strategy = DefinitionStrategy()
    old = definition(version("v1", {"a": {"type": "string", "format": "colour"}}))
    assert strategy.warnings(old, None) == ['unrecognized format "colour"']
    new = definition(
        version("v1", {"a": {"type": "string", "format": "colour"}, "b": {"type": "integer", "format": "x"}})
    )
    assert strategy.warnings(new, old) == ['unrecognized format "x"']


def test_finalizers_without_a_path_are_warned_of() -> None:
    obj = {"metadata": {"finalizers": ["example.com/hold", "hold.example.com"]}}
    [warning] = finalizer_warnings(obj, None)
    assert warning.startswith('metadata.finalizers: "hold.example.com": prefer a domain-qualified finalizer name')
    assert finalizer_warnings(obj, obj) == []
