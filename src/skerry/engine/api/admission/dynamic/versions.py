"""Objects of a request in the version a webhook or policy asked for, and back. Source: `admission/conversion.go`."""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.schema.contract import Kind
from skerry.kube.objects import Obj, copy_of


async def converted(obj: Obj, source: Kind, wanted: Kind) -> Obj:
    """A private copy of an object of one version as another shows it. Raises StatusError when conversion fails."""
    private = copy_of(obj)
    if source.resource == wanted.resource:
        return private
    kept = (await source.conversion.to_stored([private]))[0] if source.conversion is not None else private
    shown = (await wanted.conversion.to_served([kept]))[0] if wanted.conversion is not None else kept
    return {**shown, "apiVersion": wanted.resource.api_version, "kind": wanted.resource.kind}


async def seen(attributes: Attributes, kind: Kind) -> tuple[Obj | None, Obj | None]:
    """The new and the old object in the version asked for: the request's own, shared, where that is the same."""
    source = attributes.target.kind
    if kind.resource == source.resource or attributes.target.subresource:
        return attributes.new, attributes.old
    new = None if attributes.new is None else await converted(attributes.new, source, kind)
    return new, None if attributes.old is None else await converted(attributes.old, source, kind)
