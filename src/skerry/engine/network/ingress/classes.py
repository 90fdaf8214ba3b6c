"""Which Ingresses are ours: those of an IngressClass that names our controller. Pure.

The name `nginx`, which most manifests carry, is ours for as long as there is no IngressClass of that name: whoever
installs ingress-nginx makes one, and from then on these Ingresses are theirs. The annotation counts before the field,
as in ingress-nginx (`internal/ingress/controller/store`).
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.kube.objects import Obj, annotations_of

CONTROLLER = "skerry.dev/ingress-controller"
OUR_CLASS = "skerry"
COMMON_CLASS = "nginx"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
DEFAULT_MARK = "ingressclass.kubernetes.io/is-default-class"

ClassOf = Callable[[str], Obj | None]
"""The IngressClass of a name."""


def class_name(ingress: Obj) -> str:
    """The class an Ingress asks for, "" for none."""
    return annotations_of(ingress).get(CLASS_ANNOTATION) or ingress.get("spec", {}).get("ingressClassName") or ""


def is_ours(ingress: Obj, class_of: ClassOf) -> bool:
    """Whether we act on an Ingress. One without any class (made before there was a default) goes to the default."""
    name = class_name(ingress)
    if not name:
        ours = class_of(OUR_CLASS)
        return ours is not None and names_us(ours) and annotations_of(ours).get(DEFAULT_MARK) == "true"
    found = class_of(name)
    return name == COMMON_CLASS if found is None else names_us(found)


def names_us(ingress_class: Obj) -> bool:
    """Whether an IngressClass is for our controller."""
    return bool(ingress_class.get("spec", {}).get("controller") == CONTROLLER)


def default_class() -> Obj:
    """The class that Ingresses without one get."""
    metadata = {"name": OUR_CLASS, "annotations": {DEFAULT_MARK: "true"}}
    return {"metadata": metadata, "spec": {"controller": CONTROLLER}}
