"""`namespaces/finalize`: the namespace controller says it is done by taking its finalizer out of `spec.finalizers`."""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.verbs.update import replace
from skerry.kube.objects import Obj


async def finalize(backend: Backend, request: Request) -> Response:
    """Replace `spec.finalizers`, nothing else. Raises as `update`."""
    return await replace(backend, request, _keep_all_but_finalizers)


def _keep_all_but_finalizers(new: Obj, old: Obj) -> None:
    finalizers = (new.get("spec") or {}).get("finalizers")
    kept = {**old, "metadata": new["metadata"], "spec": {**(old.get("spec") or {})}}
    kept["spec"].pop("finalizers", None)
    if finalizers:
        kept["spec"]["finalizers"] = finalizers
    new.clear()
    new.update(kept)
