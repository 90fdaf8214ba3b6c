"""What a request does, in the words of access control: so that it can be asked again whether somebody may. Pure.

Source: apiserver `pkg/endpoints/request/requestinfo.go`.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from skerry.kube.objects import Obj

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_OF_NAMESPACES = ("status", "finalize")
"""What follows the name of a namespace and is no resource in it."""
_BY_NAME = "metadata.name="


def attributes_of(method: str, target: str) -> Obj:
    """`resourceAttributes` or `nonResourceAttributes` of a SubjectAccessReview, for path and query of a request."""
    split = urlsplit(target)
    parts = [unquote(part) for part in split.path.split("/") if part]
    resource = _of_resource(parts)
    if resource is None:
        return {"nonResourceAttributes": {"path": unquote(split.path), "verb": method.lower()}}
    return {"resourceAttributes": _with_verb(resource, method, parse_qs(split.query))}


def is_watch(attributes: Obj) -> bool:
    """Whether its answer is events without end."""
    verb: str = attributes.get("resourceAttributes", {}).get("verb", "")
    return verb == "watch"


def _of_resource(parts: list[str]) -> Obj | None:
    match parts:
        case ["api", version, *rest] if rest:
            found: Obj = {"group": "", "version": version}
        case ["apis", group, version, *rest] if rest:
            found = {"group": group, "version": version}
        case _:
            return None
    if rest[0] == "watch" and len(rest) > 1:  # the old way to watch
        rest = rest[1:]
        found["verb"] = "watch"
    if len(rest) > 1 and rest[0] == "namespaces":
        found["namespace"] = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    names = zip(("resource", "name", "subresource"), rest, strict=False)
    return {**found, **dict(names)}


def _with_verb(resource: Obj, method: str, query: dict[str, list[str]]) -> Obj:
    if "verb" in resource:
        return resource
    verb = _VERBS.get(method, method.lower())
    if "name" in resource:
        return {**resource, "verb": verb}
    if verb == "get":
        verb = "watch" if query.get("watch", ["false"])[0].lower() not in ("false", "0") else "list"
        return {**resource, "verb": verb, **_named(query)}
    return {**resource, "verb": "deletecollection" if verb == "delete" else verb}


def _named(query: dict[str, list[str]]) -> Obj:
    """Who asks for all objects of one name asks for that object."""
    for field in query.get("fieldSelector", [""])[0].split(","):
        if field.startswith(_BY_NAME):
            return {"name": field.removeprefix(_BY_NAME)}
    return {}
