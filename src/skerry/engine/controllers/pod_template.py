"""From a template to the pod a controller creates. Source: Kubernetes `GetPodFromTemplate` (`controller_utils.go`)."""

from __future__ import annotations

from skerry.kube.objects import Obj, Resource, name_of, namespace_of, owner_reference

_CARRIED = ("labels", "annotations", "finalizers")


def pod_from_template(owner: Obj, owners: Resource, template: Obj | None = None) -> Obj:
    """The pod of a template (None: the owner's own), owned by `owner`. Its spec is shared with the template."""
    template = template if template is not None else owner["spec"]["template"]
    given = template.get("metadata") or {}
    metadata: Obj = {key: given[key] for key in _CARRIED if given.get(key)}
    metadata["generateName"] = f"{name_of(owner)}-"
    metadata["namespace"] = namespace_of(owner)
    metadata["ownerReferences"] = [owner_reference(owner, owners)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
