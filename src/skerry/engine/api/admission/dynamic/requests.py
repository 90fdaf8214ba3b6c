"""A request as webhooks and expressions are told of it: `admission.k8s.io/v1` AdmissionRequest, without the objects.

Source: `apiserver/pkg/admission/plugin/webhook/request/admissionreview.go`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.schema.contract import Kind
from skerry.kube.objects import Obj


def request_object(attributes: Attributes, kind: Kind) -> Obj:
    """What is asked, as the version `kind` of it looks."""
    target = attributes.target
    request: Obj = {
        "kind": _kind(attributes, kind),
        "resource": _resource(kind),
        "requestKind": _kind(attributes, target.kind),
        "requestResource": _resource(target.kind),
        "name": attributes.name,
        "namespace": _namespace(attributes),
        "operation": attributes.operation,
        "userInfo": attributes.user.info(),
        "dryRun": attributes.dry_run,
        "options": attributes.options_object() or None,
    }
    if target.subresource:
        request |= {"subResource": target.subresource, "requestSubResource": target.subresource}
    return {key: value for key, value in request.items() if value not in ("", None)}


def _namespace(attributes: Attributes) -> str:
    """A namespace counts as being in itself."""
    target = attributes.target
    return attributes.name if target.group_resource == "namespaces" else target.namespace


def _kind(attributes: Attributes, kind: Kind) -> Obj:
    """The body's kind: of a subresource its own."""
    resource = kind.resource
    body = attributes.new or attributes.old or {}
    if attributes.target.subresource and body.get("kind"):
        group, _, version = str(body.get("apiVersion", "")).rpartition("/")
        return {"group": group, "version": version, "kind": body["kind"]}
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _resource(kind: Kind) -> Obj:
    resource = kind.resource
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}
