"""The OpenAPI documents: whole, consistent, and with what kubectl looks for."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from skerry.engine.schema import openapi
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.objects import Resource

REGISTRY = builtin()
CORE: Any = orjson.loads(openapi.v3(REGISTRY, "api/v1"))
POD = "io.k8s.api.core.v1.Pod"


@pytest.mark.parametrize("path", openapi.v3_index(REGISTRY)["paths"])
def test_every_document_is_complete(path: str) -> None:
    body = openapi.v3(REGISTRY, path)
    document = orjson.loads(body)
    wanted = {name.decode() for name in re.findall(rb'"#/components/schemas/([^"]+)"', body)}
    assert wanted <= document["components"]["schemas"].keys()
    assert b'"null"' not in body
    assert document["paths"]
    identifiers = [
        operation["operationId"]
        for item in document["paths"].values() for method, operation in item.items() if method != "parameters"
    ]  # fmt: skip
    assert len(identifiers) == len(set(identifiers))


def test_v2() -> None:
    body = openapi.v2(REGISTRY)
    document = orjson.loads(body)
    wanted = {name.decode() for name in re.findall(rb'"#/definitions/([^"]+)"', body)}
    assert wanted <= document["definitions"].keys()
    assert document["swagger"] == "2.0"
    integer_or_string = document["definitions"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert (integer_or_string["type"], integer_or_string["format"]) == ("string", "int-or-string")
    assert document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] == "string"
    create = document["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]
    assert create["parameters"][-1] == {
        "name": "body", "in": "body", "required": True, "schema": {"$ref": f"#/definitions/{POD}"},
    }  # fmt: skip


def test_paths_say_what_they_do() -> None:
    paths = CORE["paths"]
    assert paths["/api/v1/pods"].keys() == {"parameters", "get"}
    item = paths["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert item.keys() == {"parameters", "get", "put", "patch", "delete"}
    assert {parameter["name"] for parameter in item["parameters"]} == {"name", "namespace", "pretty"}
    patch = item["patch"]
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert {"dryRun", "fieldValidation"} <= {parameter["name"] for parameter in patch["parameters"]}
    listed = paths["/api/v1/namespaces/{namespace}/pods"]["get"]["responses"]["200"]["content"]
    assert listed["application/json"]["schema"]["$ref"].endswith("PodList")
    assert "/api/v1/namespaces/{namespace}/pods/{name}/status" in paths
    assert "{namespace}" not in "".join(path for path in paths if "/nodes" in path)


def test_parameters_of_queries_are_described() -> None:
    document = orjson.loads(openapi.v2(REGISTRY))
    listing = document["paths"]["/api/v1/pods"]["get"]["parameters"]
    told = {parameter["name"]: parameter["description"] for parameter in listing}
    assert "list of returned" in told["labelSelector"]
    assert "Watch for changes to the described resources" in told["watch"]
    assert all(told.values())


def test_definitions_explain_themselves() -> None:
    spec = CORE["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]
    assert spec["type"] == "object"
    assert spec["properties"]["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["properties"]["nodeName"]["type"] == "string"
    security = spec["properties"]["securityContext"]
    assert security["description"]
    assert security["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSecurityContext"}]
    assert CORE["components"]["schemas"][POD]["x-kubernetes-group-version-kind"]


def test_unknown_documents() -> None:
    with pytest.raises(openapi.UnknownDocument):
        openapi.v3(REGISTRY, "apis/nope/v1")


def test_documents_follow_the_registry() -> None:
    registry = builtin()
    before = openapi.v3_index(registry)
    assert openapi.v3(registry, "apis/apps/v1") == openapi.v3(registry, "apis/apps/v1"), "kept"
    registry.add(Kind(Resource("apps", "v1", "things", "Thing"), "thing", ""))
    after = openapi.v3_index(registry)
    changed = [path for path in after["paths"] if after["paths"][path] != before["paths"].get(path)]
    assert changed == ["apis/apps/v1"]
    assert "/apis/apps/v1/namespaces/{namespace}/things" in orjson.loads(openapi.v3(registry, "apis/apps/v1"))["paths"]
