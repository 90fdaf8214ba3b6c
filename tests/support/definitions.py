"""CustomResourceDefinitions for tests, and the wait until they are served."""

from __future__ import annotations

from typing import Any

from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource
from tests.support.waiting import until

CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")
NAME = "widgets.example.com"


def version(name: str = "v1", properties: Obj | None = None, *, storage: bool = True, **more: Any) -> Obj:
    """A served version whose schema has these properties."""
    schema = {"type": "object", "properties": properties or {}}
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def definition(*versions: Obj, plural: str = "widgets", kind: str = "Widget", **spec: Any) -> Obj:
    """A namespaced definition in example.com."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def widget(name: str, api_version: str = "example.com/v1", **fields: Any) -> Obj:
    """An instance in the namespace default."""
    return {"apiVersion": api_version, "kind": "Widget", "metadata": {"name": name, "namespace": "default"}, **fields}


def condition(obj: Obj, kind: str) -> Obj:
    """A condition of a definition, {} when it is not there."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    found: Obj = next((each for each in conditions if each["type"] == kind), {})
    return found


async def has_condition(client: Client, name: str, kind: str, status: str = "True") -> Obj:
    """Wait until a condition has a status; the definition then."""

    async def holds() -> Obj | None:
        obj = await client.get(CRDS, name)
        return obj if condition(obj, kind).get("status") == status else None

    return await until(holds, f"{kind} of {name}")


async def define(client: Client, obj: Obj) -> Obj:
    """Create a definition and wait until it is served."""
    await client.create(CRDS, obj)
    return await has_condition(client, obj["metadata"]["name"], "Established")
