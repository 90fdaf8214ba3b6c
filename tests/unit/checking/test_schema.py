"""Check "schema": what a structure shows to be wrong, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.checking.facts import Facts
from skerry.checking.schema.schemas import Schema, built_in, served
from skerry.checking.schema.validating import problems
from skerry.kube import openapi_definitions
from tests.unit.checking.objects import deployment, found, objects


def test_what_is_right_is_left_alone() -> None:
    assert found("schema", deployment({"ports": [{"containerPort": 80}], "env": [{"name": "A", "value": None}]})) == []


@pytest.mark.parametrize(
    ("container", "says"),
    [
        (
            {"imagePullPolice": "Always"},
            "imagePullPolice: there is no such field (is imagePullPolicy meant?)",
        ),
        (
            {"env": [{"name": "PORT", "value": 8080}]},
            'env[0].value: a text is wanted, not a whole number (8080) (put it in quotes: "8080")',
        ),
        (
            {"env": [{"name": "DEBUG", "value": True}]},
            'env[0].value: a text is wanted, not true or false (True) (put it in quotes: "true")',
        ),
        (
            {"ports": [{"containerPort": "80"}]},
            "ports[0].containerPort: a whole number is wanted, not a text (write it without quotes)",
        ),
        ({"env": {"A": "b"}}, "env: a list is wanted, not a mapping"),
        ({"env": [{"value": "b"}]}, "env[0].name: it is required"),
        (
            {"resources": {"limits": {"memory": "1 GB"}}},
            "resources.limits[memory]: '1 GB' is not an amount (such as 500m, 2, 512Mi or 1.5Gi)",
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 1.5}}},
            "livenessProbe.httpGet.port: a whole number or a text is wanted, not a number (1.5)",
        ),
        ({"ports": [{"containerPort": 2**40}]}, f"ports[0].containerPort: {2**40} is too large a number"),
    ],
)
def test_what_is_wrong_is_named(container: dict[str, Any], says: str) -> None:
    path = "spec.template.spec.containers[0]"
    assert found("schema", deployment(container)) == [f"Error: Deployment web: {path}.{says}"]


def test_what_every_object_needs() -> None:
    assert found("schema", {"kind": "Pod"}) == [
        "Error: Pod : apiVersion: it is required",
        "Error: Pod : metadata.name: it is required",
    ]
    (bad,) = objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: My_Config}}")
    assert found("schema", bad) == [
        "Error: ConfigMap My_Config: metadata.name: 'My_Config' is no name "
        "(use a-z, 0-9, - and ., a letter or a digit at both ends)"
    ]


def test_kinds_that_there_are_not() -> None:
    (typo, role, old) = objects("""
        {apiVersion: apps/v1, kind: Deploymnt, metadata: {name: a}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "system:a"}}
        ---
        {apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: a}}
    """)
    assert found("schema", typo) == ["Error: Deploymnt a: kind: Kubernetes has no Deploymnt in apps/v1"]
    assert found("schema", role) == []
    assert found("schema", old) == []  # "deprecated" says more
    assert len(found("deprecated", old)) == 1


_DEFINITION = """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: boats.example.org}
    spec:
      group: example.org
      scope: Namespaced
      names: {kind: Boat, plural: boats}
      versions:
        - name: v1
          served: true
          storage: true
          schema:
            openAPIV3Schema:
              type: object
              required: [spec]
              properties:
                spec:
                  type: object
                  properties:
                    sails: {type: integer, minimum: 1, maximum: 9}
                    rig: {type: string, enum: [sloop, ketch]}
                    crew: {type: array, minItems: 1, items: {type: string, maxLength: 5}}
                    free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                    port: {x-kubernetes-int-or-string: true}
"""


def test_kinds_that_are_defined_beside() -> None:
    (definition, right, wrong) = objects(
        _DEFINITION
        + """
    ---
    {apiVersion: example.org/v1, kind: Boat, metadata: {name: a}, spec: {sails: 2, free: {x: 1}, port: 80, rig: ketch}}
    ---
    {apiVersion: example.org/v1, kind: Boat, metadata: {name: b}, spec: {sails: 0, rig: slop, crew: [], keel: 1}}
    """
    )
    assert found("schema", definition, right) == []
    says = "\n".join(found("schema", definition, wrong))
    assert "spec.sails: 0 is less than 1" in says
    assert "spec.rig: 'slop' is not one of sloop, ketch (is sloop meant?)" in says
    assert "spec.crew: 0 entries: at least 1 are needed" in says
    assert "spec.keel: there is no such field" in says


def test_kinds_of_a_cluster() -> None:
    (boat,) = objects("{apiVersion: example.org/v1, kind: Boat, metadata: {name: a}, spec: {sails: x}}")
    of = ("example.org/v1", "Boat")
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"sails": {"type": "integer"}}}},
    }
    mark = {"group": "example.org", "version": "v1", "kind": "Boat"}
    metadata = {"allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}]}
    text = {"type": "string"}
    schema["properties"] |= {"apiVersion": text, "kind": text, "metadata": metadata}  # type: ignore[operator]
    document = {"components": {"schemas": {"Boat": {**schema, "x-kubernetes-group-version-kind": [mark]}}}}
    known = Facts("default", online=True, schemas={of: served(document, *of)})
    assert len(found("schema", boat, facts=known)) == 1
    absent = Facts("default", online=True, schemas={of: served({}, *of)})
    assert found("schema", boat, facts=absent) == [
        "Error: Boat a: kind: the cluster has no Boat in example.org/v1 (is its operator installed?)"
    ]
    assert found("schema", boat)[0].startswith("Info: Boat a: not compared with a schema")


def test_every_kind_of_kubernetes_is_found_by_its_name() -> None:
    """Schemas are looked up by how Kubernetes names them: were it to name one otherwise, we would miss it."""
    for name in openapi_definitions.names():
        for mark in openapi_definitions.load(name).get("x-kubernetes-group-version-kind", ()):
            if name.startswith("io.k8s.apimachinery"):
                continue  # Status, DeleteOptions: nobody applies those
            version = f"{mark['group']}/{mark['version']}" if mark["group"] else mark["version"]
            assert built_in(version, mark["kind"]) is not None, name


def test_definitions_that_recur() -> None:
    schema = built_in("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert schema is not None
    (definition,) = objects(_DEFINITION)
    assert list(problems(schema, definition)) == []
    assert list(problems(Schema({}), definition)) == []
