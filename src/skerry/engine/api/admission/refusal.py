"""The refusal of a plug-in as Kubernetes words it. Source: `apiserver/pkg/admission/errors.go`."""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.kube.errors import Forbidden, forbidden


def refused(attributes: Attributes, why: str) -> Forbidden:
    """403: `pods "web" is forbidden: why`; without a name yet, `generateName` stands for it."""
    metadata = (attributes.new or {}).get("metadata") or {}
    name = attributes.target.name or metadata.get("name") or metadata.get("generateName") or "Unknown"
    return forbidden(attributes.resource, name, why)
