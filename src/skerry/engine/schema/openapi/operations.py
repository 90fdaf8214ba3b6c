"""The paths of a kind: one operation per verb, with parameters, bodies and the extensions Kubernetes' clients read.

kubectl asks here whether a kind's PATCH knows `dryRun` and `fieldValidation` before it uses them, and sends strategic
merge patches where they are among what PATCH consumes.
"""

from __future__ import annotations

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.openapi.custom import NEEDED, definition_name, list_name
from skerry.engine.schema.openapi.schemas import Dialect
from skerry.engine.schema.patch import patch_types
from skerry.kube.objects import Obj
from skerry.kube.records import record

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_JSON = "application/json"
_LIST = {
    "allowWatchBookmarks": "boolean", "continue": "string", "fieldSelector": "string", "labelSelector": "string",
    "limit": "integer", "resourceVersion": "string", "resourceVersionMatch": "string", "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer", "watch": "boolean",
}  # fmt: skip
_WRITE = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string"}
_DELETE = {
    "dryRun": "string", "gracePeriodSeconds": "integer", "orphanDependents": "boolean", "propagationPolicy": "string",
}  # fmt: skip
_DESCRIPTIONS = {
    "allowWatchBookmarks": "Whether a watch is sent bookmarks: events with nothing but the resourceVersion reached.",
    "continue": "Where the list before, cut off by its limit, says to go on. Good for some minutes, then 410.",
    "fieldSelector": "Restricts the list of returned objects to those with these values in their fields.",
    "labelSelector": "Restricts the list of returned objects to those with these labels.",
    "limit": "The most objects to return; if there are more, `metadata.continue` of the answer leads to them.",
    "resourceVersion": "The state to read: not older than this, or exactly this, as resourceVersionMatch says.",
    "resourceVersionMatch": "How resourceVersion counts for lists: `NotOlderThan` or `Exact`.",
    "sendInitialEvents": "Whether a watch begins with an event for each object there is, and a bookmark after them.",
    "timeoutSeconds": "How long a list or a watch may take, whatever else happens.",
    "watch": "Watch for changes to the described resources: a stream of events instead of a list.",
    "dryRun": "`All`: everything is done but storing it.",
    "fieldManager": "Whose the fields are that this request changes. Required for server-side apply.",
    "fieldValidation": "What to do about unknown and duplicate fields: `Ignore`, `Warn` or `Strict`.",
    "force": "Whether an apply takes fields over that others manage. For apply only.",
    "gracePeriodSeconds": "Seconds before the object is deleted; 0 for at once, by default what its kind says.",
    "orphanDependents": "Use propagationPolicy. Whether objects that this one owns stay.",
    "propagationPolicy": "What becomes of objects that this one owns: `Orphan`, `Background` or `Foreground`.",
    "pretty": "Whether the answer is indented.",
}
"""What the parameters of queries are for."""


@record
class Action:
    """An HTTP method on a path: `x-kubernetes-action`, query parameters, whether the body is the object itself."""

    method: str
    name: str
    query: dict[str, str]
    body: str = ""
    """"object", "patch", "options" or "" for none."""
    answer: str = "object"
    """"object", "list" or "status"."""
    code: str = "200"


_COLLECTION = {
    "list": Action("get", "list", _LIST, answer="list"),
    "create": Action("post", "post", _WRITE, "object", code="201"),
    "deletecollection": Action("delete", "deletecollection", {**_LIST, **_DELETE}, "options", "status"),
}
_ITEM = {
    "get": Action("get", "get", {}),
    "update": Action("put", "put", _WRITE, "object"),
    "patch": Action("patch", "patch", {**_WRITE, "force": "boolean"}, "patch"),
    "delete": Action("delete", "delete", _DELETE, "options", "status"),
}
_WHOLE = ("status", "scale", "approval")
"""Subresources that are read, replaced and patched like objects; the others have protocols of their own."""
SCALE = "io.k8s.api.autoscaling.v1.Scale"


def definitions_of(kind: Kind) -> list[str]:
    """The definitions a kind's paths refer to."""
    found = [f"{META}.{name}" for name in ("DeleteOptions", "Status", "Patch", "WatchEvent", "APIResourceList")]
    if kind.definition:
        found.append(kind.definition)
    if kind.definition and "list" in kind.verbs:
        found.append(f"{kind.definition}List")
    if kind.schema is not None:
        found += NEEDED
    return [*found, SCALE] if "scale" in kind.subresources else found


def paths_of(kind: Kind, dialect: Dialect) -> dict[str, Obj]:
    """Path to path item."""
    resource = kind.resource
    collection = resource.path("{namespace}" if resource.namespaced else None)
    paths: dict[str, Obj] = {}
    if resource.namespaced and "list" in kind.verbs:
        paths[resource.path()] = _Path(kind, dialect, resource.path()).item({"list": _COLLECTION["list"]})
    paths[collection] = _Path(kind, dialect, collection).item(_served(_COLLECTION, kind))
    paths[f"{collection}/{{name}}"] = _Path(kind, dialect, f"{collection}/{{name}}").item(_served(_ITEM, kind))
    for subresource in _WHOLE:
        if subresource in kind.subresources:
            path = f"{collection}/{{name}}/{subresource}"
            actions = {verb: _ITEM[verb] for verb in ("get", "update", "patch")}
            paths[path] = _Path(kind, dialect, path, subresource).item(actions)
    return {path: item for path, item in paths.items() if len(item) > 1}


def _served(actions: dict[str, Action], kind: Kind) -> dict[str, Action]:
    return {verb: action for verb, action in actions.items() if verb in kind.verbs}


@record
class _Path:
    kind: Kind
    dialect: Dialect
    path: str
    subresource: str = ""

    def item(self, actions: dict[str, Action]) -> Obj:
        names = [name for name in ("name", "namespace") if f"{{{name}}}" in self.path]
        item: Obj = {"parameters": [self._parameter(name, "string", "path") for name in names]}
        item["parameters"].append(self._parameter("pretty", "string", "query"))
        for action in actions.values():
            item[action.method] = self._operation(action)
        return item

    def _operation(self, action: Action) -> Obj:
        resource = self.kind.resource
        operation: Obj = {
            "operationId": self._operation_id(action),
            "tags": [f"{resource.group.partition('.')[0] or 'core'}_{resource.version}"],
            "parameters": [self._parameter(name, kind, "query") for name, kind in action.query.items()],
            "responses": {action.code: self._answer(action)},
            "x-kubernetes-action": action.name,
            "x-kubernetes-group-version-kind": self._gvk(),
        }
        self._add_body(operation, action)
        if not self.dialect.v3:
            operation["consumes"] = patch_types(self.kind) if action.body == "patch" else ["*/*"]
            operation["produces"] = [_JSON]
            operation["schemes"] = ["https"]
        return operation

    def _operation_id(self, action: Action) -> str:
        resource = self.kind.resource
        group = "".join(part.capitalize() for part in (resource.group.partition(".")[0] or "core").split("-"))
        words = {"get": "read", "put": "replace", "post": "create", "deletecollection": "deleteCollection"}
        scope = "Namespaced" if "{namespace}" in self.path else ""
        end = "" if scope or not resource.namespaced else "ForAllNamespaces"
        verb = words.get(action.name, action.name)
        return f"{verb}{group}{resource.version.capitalize()}{scope}{resource.kind}{self.subresource.capitalize()}{end}"

    def _gvk(self) -> Obj:
        if self.subresource == "scale":
            return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        resource = self.kind.resource
        return {"group": resource.group, "version": resource.version, "kind": resource.kind}

    def _parameter(self, name: str, kind: str, place: str) -> Obj:
        parameter: Obj = {"name": name, "in": place}
        if place == "path":
            parameter["required"] = True
        else:
            parameter["description"] = _DESCRIPTIONS[name]
        parameter.update({"schema": {"type": kind, "uniqueItems": True}} if self.dialect.v3 else {"type": kind})
        return parameter

    def _schema(self, what: str) -> Obj:
        if what == "options":
            return self.dialect.reference(f"{META}.DeleteOptions")
        if what in ("status", "patch"):
            return self.dialect.reference(f"{META}.{what.capitalize()}")
        if self.subresource == "scale":
            return self.dialect.reference(SCALE)
        if not self.kind.definition and self.kind.schema is None:
            return {"type": "object"}
        return self.dialect.reference(list_name(self.kind) if what == "list" else definition_name(self.kind))

    def _answer(self, action: Action) -> Obj:
        schema = self._schema(action.answer)
        description = "Created" if action.code == "201" else "OK"
        if self.dialect.v3:
            return {"description": description, "content": {_JSON: {"schema": schema}}}
        return {"description": description, "schema": schema}

    def _add_body(self, operation: Obj, action: Action) -> None:
        if not action.body:
            return
        schema = self._schema(action.body)
        if self.dialect.v3:
            types = patch_types(self.kind) if action.body == "patch" else ["*/*"]
            operation["requestBody"] = {"content": {media_type: {"schema": schema} for media_type in types}}
        else:
            required = action.body != "options"
            operation["parameters"].append({"name": "body", "in": "body", "required": required, "schema": schema})
