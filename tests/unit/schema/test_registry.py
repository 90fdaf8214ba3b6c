"""The registry and the built-in kinds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import Registry, builtin
from skerry.engine.schema.shapes import shape_of
from skerry.kube import openapi_definitions as definitions
from skerry.kube import resources
from skerry.kube.objects import Resource

KINDS = builtin().kinds()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource.group_resource)
def test_every_kind_has_a_schema_that_knows_it(kind: Kind) -> None:
    (identity,) = definitions.load(kind.definition)["x-kubernetes-group-version-kind"]
    resource = kind.resource
    assert identity == {"group": resource.group, "version": resource.version, "kind": resource.kind}
    assert {"apiVersion", "kind", "metadata"} <= shape_of(kind.definition).fields.keys()
    assert ("status" in shape_of(kind.definition).fields) or "status" not in kind.subresources


def test_what_skerry_itself_uses_is_served() -> None:
    registry = builtin()
    for resource in vars(resources).values():
        if isinstance(resource, Resource):
            kind = registry.kind(resource.group, resource.version, resource.plural)
            assert kind is not None
            assert kind.resource == resource


def test_names_do_not_clash() -> None:
    names = [
        name
        for kind in KINDS
        if kind.conversion is None
        for name in {kind.resource.plural, kind.singular, *kind.short_names}
    ]
    assert len(names) == len(set(names))


def test_discovery_order_and_changes() -> None:
    registry = builtin()
    assert next(iter(registry.versions())) == ""
    kind = Kind(Resource("example.com", "v1", "things", "Thing"), "thing", "")
    before = registry.generation
    registry.add(kind)
    assert registry.kind("example.com", "v1", "things") is kind
    assert registry.versions()["example.com"] == ["v1"]
    assert registry.kinds("example.com") == [kind]
    registry.remove(kind)
    registry.remove(kind)
    assert registry.kind("example.com", "v1", "things") is None
    assert registry.generation == before + 2
    assert Registry().kinds() == []


def test_importing_loads_no_schema_and_nothing_heavy() -> None:
    code = (
        "import sys; from skerry.engine.schema.registry import builtin; builtin();"
        "from skerry.engine.schema import shapes;"
        "heavy = {'kubernetes_validate', 'jsonschema', 'yaml', 'jsonpatch'};"
        "print(len(shapes._compiled), sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "0 []"
