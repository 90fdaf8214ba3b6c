"""The OpenAPI documents of what is served: v2 in one piece, v3 per group and version with an index.

Built when asked for, from the kinds in a registry and the raw definitions; kept compressed until the registry changes.
Source of the form: kube-openapi and `api/openapi-spec` of Kubernetes. Neighbours: `schemas`, `operations`.
"""

from skerry.engine.schema.openapi.documents import UnknownDocument, v2, v3, v3_index

__all__ = ["UnknownDocument", "v2", "v3", "v3_index"]
"""`v2(registry)` and `v3(registry, "apis/apps/v1")` give encoded JSON, `v3_index(registry)` an object."""
