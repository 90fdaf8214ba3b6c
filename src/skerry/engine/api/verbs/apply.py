"""Server-side apply: a patch of type `application/apply-patch+yaml`, which creates what is not there.

The merging is in `engine.schema.managed.applying`; here are the request's form and the write. Source:
`apiserver/pkg/endpoints/handlers/patch.go` (applyPatcher), apimachinery `managedfields/internal/structuredmerge.go`.
"""

from __future__ import annotations

from skerry.engine.api import writing
from skerry.engine.api.auth.access import access_of
from skerry.engine.api.auth.authorization import authorise
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_bytes
from skerry.engine.api.inert import warnings_for
from skerry.engine.api.metadata import check_address, wipe
from skerry.engine.api.options import WriteOptions, apply_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response, Stored
from skerry.engine.api.tracking import write_of
from skerry.engine.api.writing import ATTEMPTS, Change, Checks, Prepare
from skerry.engine.schema import codec
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.applying import apply as merged
from skerry.engine.schema.managed.conformance import complaints
from skerry.engine.schema.managed.updates import Write
from skerry.engine.store.contract import Entry
from skerry.kube.errors import AlreadyExists, BadRequest, NotFound, conflict
from skerry.kube.objects import Obj, copy_of
from skerry.kube.records import record


@record
class Application:
    """A request to apply, read and checked."""

    config: Obj
    write: Write
    options: WriteOptions

    def onto(self, live: Obj | None) -> Obj:
        """The object, private, after applying it to `live` (None: not there). Raises ApplyConflict."""
        return copy_of(merged(live, self.config, self.write, force=self.options.force))


async def apply(backend: Backend, request: Request, prepare: Prepare, checks: Checks | None = None) -> Response:
    """Apply what the body says. Raises ApplyConflict, Conflict, BadRequest, Invalid; NotFound for a subresource."""
    options = apply_options(request.query)
    config = await read_config(request, options)
    wanted = application(config, request.what, write_of(backend, request, options), options)
    check_address(config, request.what)
    for _ in range(ATTEMPTS):
        try:
            if request.what.subresource or backend.store.get(request.what.key) is not None:
                return await _update(backend, request, wanted, (prepare, checks))
        except NotFound:
            if request.what.subresource or backend.store.get(request.what.key) is not None:
                raise
        try:
            return await _create(backend, request, wanted)
        except AlreadyExists:
            continue
    raise conflict(request.what.group_resource, request.what.name)


def application(config: Obj, target: Target, write: Write, options: WriteOptions) -> Application:
    """The request, checked against its kind. Raises BadRequest."""
    check_config(config, target.kind, write, target.namespace, target.name)
    return Application(config, write, options)


async def read_config(request: Request, options: WriteOptions) -> Obj:
    """The applied configuration. Warnings go to the request. Raises BadRequest."""
    if isinstance(request.handed, dict):
        resource = request.what.kind.resource
        return {"apiVersion": resource.api_version, "kind": resource.kind, **copy_of(request.handed)}
    body = await read_bytes(request)
    content_type = "application/json" if body[:1] == b"{" else "application/yaml"
    try:
        config, duplicates = codec.parse(body, content_type, find_duplicates=True)
    except BadRequest as error:
        if content_type == "application/yaml":
            raise BadRequest(f"error decoding YAML: {error.message}") from None
        config, duplicates = codec.parse(body, "application/yaml", find_duplicates=True)
    if duplicates and content_type == "application/json":
        _, duplicates = codec.parse(
            body, "application/yaml", find_duplicates=True
        )  # it is YAML as well, told of as such
    if not isinstance(config, dict):
        raise BadRequest("error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}")
    if duplicates and options.field_validation == "Strict":
        errors = "\n  ".join(["yaml: unmarshal errors:", *duplicates])
        raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: {errors}")
    request.warnings.extend(duplicates if options.field_validation == "Warn" else ())
    return config


def check_config(config: Obj, kind: Kind, write: Write, namespace: str, name: str) -> None:
    """Raise BadRequest for another kind or version, for managedFields, and for what the schema does not know."""
    resource = kind.resource
    api_version = str(config.get("apiVersion") or "")
    shown = f"{api_version if '/' in api_version else f'/{api_version}'}, Kind={config.get('kind') or ''}"
    if (api_version, config.get("kind")) != (resource.api_version, resource.kind):
        raise BadRequest(f"invalid object type: {shown}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    if problem := complaints(write.type, config):
        raise BadRequest(f"failed to create typed patch object ({namespace}/{name}; {shown}): {problem}")


async def _update(
    backend: Backend, request: Request, wanted: Application, rules: tuple[Prepare, Checks | None]
) -> Response:
    kind = request.what.kind

    def changed(entry: Entry) -> Obj:
        return codec.check(kind, wanted.onto(entry.shared()), "Ignore")[0]

    return await writing.change(backend, request, Change(changed, rules[0], wanted.options, checks=rules[1]))


async def _create(backend: Backend, request: Request, wanted: Application) -> Response:
    target = request.what
    authorise(request, access_of(request)._replace(verb="create"), backend.authority.decide)
    uid = wanted.config["metadata"].get("uid")
    if uid:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise conflict(target.group_resource, target.name, why)
    obj, _ = codec.check(target.kind, wanted.onto(None), "Ignore")
    wipe(obj["metadata"])
    obj["metadata"].pop("resourceVersion", None)
    target.kind.strategy.default(obj)
    entry = await writing.create(backend, request, obj, wanted.options)
    request.warnings.extend(warnings_for(target.group_resource))
    return Computed(obj, 201, target.kind) if wanted.options.dry_run else Stored(target.kind, entry, 201)
