"""For whom a node may have tokens made: the audiences that its pods name, and those that RBAC gives it.

An audience is named by a projected volume or by a CSI driver whose volume the pod has; "" is the API server itself.
RBAC allows others by the verb `request-serviceaccounts-token-audience` on a resource called like the audience, named
like the service account. Source: `validateNodeServiceAccountAudience` of Kubernetes'
`plugin/pkg/admission/noderestriction`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.refusal import refused
from skerry.engine.api.auth.access import Access, Authorizer
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj

_VERB = "request-serviceaccounts-token-audience"


def check_audience(attributes: Attributes, pod: Obj, store: Store, decide: Authorizer) -> None:
    """Raise Forbidden for a token that is for somebody the pod does not talk to."""
    audiences = (attributes.obj.get("spec") or {}).get("audiences") or [""]
    if len(audiences) > 1:
        raise refused(attributes, "node may only request 0 or 1 audiences")
    wanted, target, user = str(audiences[0]), attributes.target, attributes.user
    if wanted in _audiences(pod, store):
        return
    if decide(Access(_VERB, "", wanted, "", target.namespace, "", user, target.name)).allowed:
        return
    why = f'audience "{wanted}" not found in pod spec volume'
    raise refused(attributes, f"{why}, {user.name} is not authorized to request tokens for this audience")


def _audiences(pod: Obj, store: Store) -> Iterator[str]:
    namespace = pod["metadata"].get("namespace") or ""
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if (token := source.get("serviceAccountToken")) is not None:
                yield token.get("audience") or ""
        if driver := _driver(volume, namespace, store):
            yield from _of_driver(driver, store)


def _driver(volume: Obj, namespace: str, store: Store) -> str:
    """The CSI driver of a volume, of its own or by a claim; "" if it has none."""
    claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
    if not claim:
        return str((volume.get("csi") or {}).get("driver") or "")
    bound = store.get(Key("persistentvolumeclaims", namespace, claim))
    name = (bound.shared().get("spec") or {}).get("volumeName") if bound else None
    entry = store.get(Key("persistentvolumes", "", name)) if name else None
    source = ((entry.shared().get("spec") or {}).get("csi") or {}) if entry else {}
    return str(source.get("driver") or "")


def _of_driver(driver: str, store: Store) -> Iterator[str]:
    entry = store.get(Key("csidrivers.storage.k8s.io", "", driver))
    for request in ((entry.shared().get("spec") or {}).get("tokenRequests") or ()) if entry else ():
        yield request.get("audience") or ""
