"""apiextensions.k8s.io/v1: definitions of custom resources; `engine.api.custom` serves what they define."""

from __future__ import annotations

from skerry.engine.schema.kinds.apiextensions.definition import DefinitionStrategy
from skerry.engine.schema.kinds.declare import STATUS, Group

GROUP = Group("apiextensions.k8s.io", "v1", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions")

KINDS = [
    GROUP.kind(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd",
        "crds",
        namespaced=False,
        categories=("api-extensions",),
        subresources=STATUS,
        strategy=DefinitionStrategy(),
    ),
]
