"""`/scale`: the number of replicas of anything that has one, as an `autoscaling/v1` Scale.

Source: Kubernetes' `pkg/registry/apps/*/storage` (ScaleREST). Pure conversions first, then the verbs.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_bytes, read_object
from skerry.engine.api.converting import served
from skerry.engine.api.metadata import check_address
from skerry.engine.api.options import WriteOptions, apply_options, patch_options, write_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.subresources.scale_managers import hand_back, managed_scale, scale_tracker
from skerry.engine.api.tracking import Track, write_of
from skerry.engine.api.verbs.apply import application, read_config
from skerry.engine.api.verbs.get import find
from skerry.engine.api.writing import Change, View, change, refuse
from skerry.engine.schema import codec
from skerry.engine.schema.bodies import SCALE
from skerry.engine.schema.codec import media_type
from skerry.engine.schema.patch import APPLY_PATCH, apply_patch
from skerry.engine.store.contract import Entry
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Obj) -> Obj:
    """The Scale of an object."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    shown: Obj = {"replicas": status.get("replicas", 0)}
    if selector := selector_text(spec.get("selector")):
        shown["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in _METADATA if name in obj["metadata"]},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": shown,
    }


def selector_text(selector: Obj | None) -> str:
    """A LabelSelector (or a plain map, as ReplicationControllers have) as a query string has it."""
    selector = selector or {}
    labels = selector.get("matchLabels") or {}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        labels = selector
    terms = [f"{key}={value}" for key, value in sorted(labels.items())]
    for expression in selector.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        values = ",".join(sorted(expression.get("values") or ()))
        terms.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator, f"{key} {operator.lower()} ({values})"))
    return ",".join(terms)


def scaled(obj: Obj, scale: Obj) -> Obj:
    """`obj` (private) with the replicas, uid and resourceVersion a Scale asks for. Raises Invalid."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        refuse(SCALE, scale, [Cause("FieldValueInvalid", why, "spec.replicas")])
    obj.setdefault("spec", {})["replicas"] = replicas
    for name in ("uid", "resourceVersion"):
        if scale["metadata"].get(name):
            obj["metadata"][name] = scale["metadata"][name]
    return obj


async def get_scale(backend: Backend, request: Request) -> Response:
    """The Scale of what is named. Raises NotFound."""
    entry = await served(request.what.kind, find(backend, request.what))
    return Computed(scale_of(entry.shared()))


async def update_scale(backend: Backend, request: Request) -> Response:
    """Set the replicas. Raises NotFound, Conflict, Invalid."""
    options = write_options(request.query, "UpdateOptions")
    scale = await read_object(request, SCALE, options.field_validation)
    check_address(scale, _scale_target(request))
    track = scale_tracker(backend, request, options, scale_of)
    return await _change(backend, request, lambda entry: scaled(entry.decode(), scale), options, track)


async def patch_scale(backend: Backend, request: Request) -> Response:
    """Patch the Scale as if it were an object. Raises NotFound, Conflict, Invalid, UnsupportedMediaType."""
    if media_type(request.content_type) == APPLY_PATCH:
        return await _apply_scale(backend, request)
    options = patch_options(request.query)
    body = orjson.dumps(request.handed) if request.handed is not None else await read_bytes(request)

    def wanted(entry: Entry) -> Obj:
        patched = apply_patch(SCALE, media_type(request.content_type), scale_of(entry.decode()), body)
        scale, request.warnings[:] = codec.check(SCALE, patched, options.field_validation)
        check_address(scale, _scale_target(request))
        return scaled(entry.decode(), scale)

    track = scale_tracker(backend, request, options, scale_of)
    return await _change(backend, request, wanted, options, track)


async def _apply_scale(backend: Backend, request: Request) -> Response:
    """Apply a Scale. Raises ApplyConflict, NotFound, Conflict, BadRequest, Invalid."""
    kind, options = request.what.kind, apply_options(request.query)
    config = await read_config(request, options)
    check_address(config, _scale_target(request))
    applied = application(config, _scale_target(request), write_of(backend, request, options, SCALE), options)

    def wanted(entry: Entry) -> Obj:
        obj = entry.decode()
        scale, _ = codec.check(SCALE, applied.onto(managed_scale(kind, obj, scale_of(obj))), "Ignore")
        hand_back(kind, obj, entry.shared(), scale)
        return scaled(obj, scale)

    return await _change(backend, request, wanted, options)


async def _change(
    backend: Backend,
    request: Request,
    wanted: Callable[[Entry], Obj],
    options: WriteOptions,
    track: Track | None = None,
) -> Response:
    prepare = request.what.kind.strategy.prepare_update
    what = Change(wanted, prepare, options, track, view=View(scale_of, scaled))
    changed = await change(backend, request, what)
    return Computed(scale_of(changed.obj if isinstance(changed, Computed) else changed.entry.shared()))


def _scale_target(request: Request) -> Target:
    target = request.what
    return Target(SCALE, target.namespace, target.name)
