"""`/scale`: the number of replicas of anything that has one, as an `autoscaling/v1` Scale.

Source: Kubernetes' `pkg/registry/apps/*/storage` (ScaleREST). Pure conversions first, then the verbs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson

from skerry.engine.api.backend import Backend, find
from skerry.engine.api.bodies import read_bytes, read_object
from skerry.engine.api.converting import served
from skerry.engine.api.metadata import check_address
from skerry.engine.api.options import WriteOptions, apply_options, patch_options, write_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.subresources.scale_managers import hand_back, managed_scale, scale_tracker
from skerry.engine.api.tracking import Track, write_of
from skerry.engine.api.verbs.apply import application, read_config
from skerry.engine.api.writing import Change, View, change, refuse
from skerry.engine.schema import codec
from skerry.engine.schema.bodies import SCALE
from skerry.engine.schema.codec import media_type
from skerry.engine.schema.contract import ScalePaths
from skerry.engine.schema.custom.nested import value_at
from skerry.engine.schema.patch import APPLY_PATCH, apply_patch
from skerry.engine.store.contract import Entry
from skerry.kube.errors import Cause, InternalError
from skerry.kube.objects import Obj

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Obj, paths: ScalePaths | None = None) -> Obj:
    """The Scale of an object; `paths`: where a custom resource keeps what it shows."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if paths is None:
        replicas, current, selector = spec.get("replicas", 0), status.get("replicas", 0), spec.get("selector")
        text = selector_text(selector)
    else:
        replicas, current = value_at(obj, paths.replicas) or 0, value_at(obj, paths.status_replicas) or 0
        text = str(value_at(obj, paths.selector) or "") if paths.selector else ""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in _METADATA if name in obj["metadata"]},
        "spec": {"replicas": replicas},
        "status": {"replicas": current, "selector": text} if text else {"replicas": current},
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


def scaled(obj: Obj, scale: Obj, paths: ScalePaths | None = None) -> Obj:
    """`obj` (private) with the replicas, uid and resourceVersion a Scale asks for. Raises Invalid."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        refuse(SCALE, scale, [Cause("FieldValueInvalid", why, "spec.replicas")])
    *way, last = ("spec", "replicas") if paths is None else paths.replicas
    part = obj
    for key in way:
        part = part.setdefault(key, {})
    part[last] = replicas
    for name in ("uid", "resourceVersion"):
        if scale["metadata"].get(name):
            obj["metadata"][name] = scale["metadata"][name]
    return obj


async def get_scale(backend: Backend, request: Request) -> Response:
    """The Scale of what is named. Raises NotFound."""
    kind = request.what.kind
    obj = (await served(kind, find(backend, request.what))).shared()
    if kind.scale is not None and value_at(obj, kind.scale.replicas) is None:
        raise InternalError(f'the spec replicas field ".{".".join(kind.scale.replicas)}" does not exist')
    return Computed(scale_of(obj, kind.scale), kind=SCALE)


async def update_scale(backend: Backend, request: Request) -> Response:
    """Set the replicas. Raises NotFound, Conflict, Invalid."""
    options = write_options(request.query, "UpdateOptions")
    scale = await read_object(request, SCALE, options.field_validation)
    check_address(scale, _scale_target(request))
    view = _view(request)
    track = scale_tracker(backend, request, options, view.show)
    return await _change(backend, request, lambda entry: view.apply(entry.decode(), scale), options, track)


async def patch_scale(backend: Backend, request: Request) -> Response:
    """Patch the Scale as if it were an object. Raises NotFound, Conflict, Invalid, UnsupportedMediaType."""
    if media_type(request.content_type) == APPLY_PATCH:
        return await _apply_scale(backend, request)
    options = patch_options(request.query)
    body = orjson.dumps(request.handed) if request.handed is not None else await read_bytes(request)

    view = _view(request)

    def wanted(entry: Entry) -> Obj:
        patched = apply_patch(SCALE, media_type(request.content_type), view.show(entry.decode()), body)
        scale, request.warnings[:] = codec.check(SCALE, patched, options.field_validation)
        check_address(scale, _scale_target(request))
        return view.apply(entry.decode(), scale)

    track = scale_tracker(backend, request, options, view.show)
    return await _change(backend, request, wanted, options, track)


async def _apply_scale(backend: Backend, request: Request) -> Response:
    """Apply a Scale. Raises ApplyConflict, NotFound, Conflict, BadRequest, Invalid."""
    kind, options = request.what.kind, apply_options(request.query)
    config = await read_config(request, options)
    check_address(config, _scale_target(request))
    applied = application(config, _scale_target(request), write_of(backend, request, options, SCALE), options)

    view = _view(request)

    def wanted(entry: Entry) -> Obj:
        obj = entry.decode()
        scale, _ = codec.check(SCALE, applied.onto(managed_scale(kind, obj, view.show(obj))), "Ignore")
        hand_back(kind, obj, entry.shared(), scale)
        return view.apply(obj, scale)

    return await _change(backend, request, wanted, options)


async def _change(
    backend: Backend,
    request: Request,
    wanted: Callable[[Entry], Obj],
    options: WriteOptions,
    track: Track | None = None,
) -> Response:
    view = _view(request)
    what = Change(wanted, request.what.kind.strategy.prepare_update, options, track, view=view)
    changed = await change(backend, request, what)
    shown = view.show(changed.obj if isinstance(changed, Computed) else changed.entry.shared())
    return Computed(shown, kind=SCALE)


def _view(request: Request) -> View:
    """How objects of a kind show and take a Scale."""
    paths = request.what.kind.scale
    return View(partial(scale_of, paths=paths), partial(scaled, paths=paths))


def _scale_target(request: Request) -> Target:
    target = request.what
    return Target(SCALE, target.namespace, target.name)
