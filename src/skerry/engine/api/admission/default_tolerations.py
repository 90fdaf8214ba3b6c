"""Pods stay five minutes on a node that became not ready or unreachable, unless they say otherwise.

Source: Kubernetes' `plugin/pkg/admission/defaulttolerationseconds`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.kube.objects import Obj

_KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SECONDS = 300


def default_toleration_seconds() -> Plugin:
    """The plug-in."""

    def mutate(attributes: Attributes) -> None:
        add_tolerations(attributes.obj["spec"])

    return Plugin("DefaultTolerationSeconds", mutate=mutate, resources=frozenset({"pods"}), operations=WRITES)


def add_tolerations(spec: Obj) -> None:
    """Add what is missing to a pod spec."""
    tolerations = spec.get("tolerations") or []
    missing = [key for key in _KEYS if not any(_tolerates(each, key) for each in tolerations)]
    if missing:
        spec["tolerations"] = [*tolerations, *map(_toleration, missing)]


def _tolerates(toleration: Obj, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")


def _toleration(key: str) -> Obj:
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS}
