"""Custom resource definitions as the e2e fixtures make them: random names, known to the API before they are used."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from tests.component.conformance.e2e_client import E2eClient

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@dataclass(frozen=True)
class Definition:
    """One that is established."""

    group: str
    plural: str
    kind: str
    version: str

    @property
    def api_version(self) -> str:
        """Of its objects."""
        return f"{self.group}/{self.version}"

    @property
    def path(self) -> str:
        """Of its objects, cluster-scoped or of all namespaces."""
        return f"/apis/{self.group}/{self.version}/{self.plural}"

    def path_in(self, ns: str, version: str = "") -> str:
        """Of its objects in a namespace."""
        return f"/apis/{self.group}/{version or self.version}/namespaces/{ns}/{self.plural}"

    @property
    def own_path(self) -> str:
        """Of the definition."""
        return f"{CRDS}/{self.plural}.{self.group}"


def random_definition(
    api: E2eClient,
    schema: Any = None,
    versions: tuple[str, ...] = ("v1beta1", "v1beta2", "v0"),
    namespaced: bool = False,
    group: str = "",
    **particulars: Any,
) -> Definition:
    """Make one and wait until objects of it can be listed and it says so. The first version is stored."""
    word = f"noxu{uuid.uuid4().hex[:5]}"
    group = group or f"{word}.example.com"
    names = {"plural": f"{word}s", "singular": word, "kind": f"WishIHad{word}", "listKind": f"{word}List"}
    spec = {
        "group": group,
        "names": names,
        "scope": "Namespaced" if namespaced else "Cluster",
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": index == 0,
                "schema": {"openAPIV3Schema": schema or ANYTHING},
                "subresources": {"status": {}},
            }
            for index, version in enumerate(versions)
        ],
        **particulars,
    }
    api.create(CRDS, {"metadata": {"name": f"{word}s.{group}"}, "spec": spec})
    found = Definition(group, f"{word}s", f"WishIHad{word}", versions[0])
    api.until(found.path, lambda listed: True)
    api.until(found.own_path, _is_established)
    return found


def _is_established(definition: Any) -> bool:
    return any(one["type"] == "Established" and one["status"] == "True" for one in definition["status"]["conditions"])
