"""Admission: an Ingress that asks for sign-on is never there without it, not even for a moment."""

from __future__ import annotations

from skerry.kube.objects import Obj, annotations_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.identity.apps.access import ACCESS, ALIAS, ASKS, AUTH_URL, WHO, guarded

_SAID = "object.metadata.annotations"
_ASKS: Obj = {
    "name": "asks",
    "expression": f"has({_SAID}) && ('{ACCESS}' in {_SAID} || "
    f"('{AUTH_URL}' in {_SAID} && {_SAID}['{AUTH_URL}'].contains('{ASKS}')))",
}


def guarding_hook(context: Context) -> Hook:
    """Sets the annotations, and refuses what cannot be guarded."""

    async def judge(review: Review) -> Verdict:
        return judged(review, context.settings.url)

    rule = {
        "apiGroups": ["networking.k8s.io"],
        "apiVersions": ["v1"],
        "resources": ["ingresses"],
        "operations": ["CREATE", "UPDATE"],
        "scope": "Namespaced",
    }
    return Hook(name="identity-apps", judge=judge, rules=[rule], mutating=True, conditions=(_ASKS,))


def judged(review: Review, url: str) -> Verdict:
    """Pure. `url`: the platform's."""
    annotations = annotations_of(review.object)
    wanted = annotations.get(ACCESS, "everyone")
    if wanted not in WHO:
        return _invalid(f"{ACCESS} must be {', '.join(WHO[:-1])} or {WHO[-1]}, not {wanted!r}")
    name = review.object["metadata"].get("name")
    if wanted != "everyone" and not name:
        return _invalid(f"an Ingress with {ACCESS} needs a metadata.name: generateName is not supported")
    if wanted != "everyone" and (why := _unfit(review.object)):
        return _invalid(f"an Ingress with {ACCESS} {why}")
    should = guarded(annotations, name or "", review.namespace, url)
    if should == annotations:
        return ADMITTED
    return Verdict(patch=[{"op": "add", "path": "/metadata/annotations", "value": should}])


def _unfit(ingress: Obj) -> str:
    """Why nobody could come back to it from signing in."""
    spec = ingress["spec"]
    if spec.get("defaultBackend") or not spec.get("rules") or not all(one.get("host") for one in spec["rules"]):
        return "needs a host in each rule and no defaultBackend"
    return f"names all its hosts in rules, none in {ALIAS}" if ALIAS in annotations_of(ingress) else ""


def _invalid(message: str) -> Verdict:
    return Verdict(message, code=422, reason="Invalid")
