"""Paths to targets: what part of the API a URL names, and the verb its method means there.

Source: Kubernetes' `apiserver/pkg/endpoints/request/requestinfo.go`. Paths are split before they are unescaped, so an
escaped slash stays in its segment, where no name may have one. Empty segments match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_to_bytes

from skerry.engine.api.options import is_watch
from skerry.engine.api.refusals import method_not_allowed, no_such_path
from skerry.engine.api.request import NO_QUERY, Target
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import Registry
from skerry.kube.durations import parse_duration
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Resource

LONGEST_PATH = 4096
_NAMESPACE_SUBRESOURCES = ("status", "finalize")
_ONE = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_MANY = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_PROXY = re.compile(rb"^(/api/v1/(?:namespaces/[^/]+/(?:pods|services)|nodes)/[^/]+/proxy)(?:/.*)?$", re.DOTALL)
_PROXIED = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
            "OPTIONS": "options"}  # fmt: skip
_OLD_WATCH = re.compile(rb"^(/api/v1|/apis/[^/]+/[^/]+)/watch(/.+)$", re.DOTALL)
_OLD_PREFIXES = ("watch", "proxy")
"""First segments with which paths of long ago said their verb."""
_REMOTE = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_LONG_RUNNING = ("attach", "exec", "log", "portforward", "proxy")
_SUB = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def segments_of(raw_path: bytes) -> list[str]:
    """The path's segments, unescaped. Raises BadRequest for what is no UTF-8 or no possible segment."""
    if len(raw_path) > LONGEST_PATH:
        raise BadRequest(f"the path is longer than {LONGEST_PATH} bytes")
    if b"%" not in raw_path:
        try:
            parts = raw_path.decode("ascii").split("/")[1:]
        except UnicodeDecodeError:
            raise BadRequest("the path must be escaped") from None
    else:
        parts = [_unescaped(part) for part in raw_path.split(b"/")[1:]]
    if parts and not parts[-1]:
        parts.pop()  # one slash at the end is harmless
    for part in parts:
        if part in (".", ".."):
            raise BadRequest(f"invalid resource name \"{part}\": [may not be '{part}']")
    return parts


def _unescaped(part: bytes) -> str:
    try:
        text = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise BadRequest("the path is not valid UTF-8") from None
    for illegal in ("/", "%"):
        if illegal in text:
            raise BadRequest(f"invalid resource name {text!r}: [may not contain '{illegal}']")
    if not text.isprintable():
        raise BadRequest(f"invalid resource name {text!r}")
    return text


def query_of(raw: bytes) -> Mapping[str, str]:
    """The first value of every parameter. Raises BadRequest for what is no UTF-8."""
    if not raw:
        return NO_QUERY
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise BadRequest("the query is not valid") from error
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return query


def check_timeout(text: str, target: Target | None) -> None:
    """What the client calls a timeout must be one; how long it is does not matter: nothing that is waited for takes as
    long. Raises BadRequest. What is proxied or streamed has parameters of its own."""
    if target is not None and target.subresource in _LONG_RUNNING:
        return
    try:
        parse_duration(text)
    except ValueError:
        raise BadRequest(f"invalid timeout specified in the request URL - {text[:64]!r}") from None


def of_today(method: str, raw_path: bytes, raw_query: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request. The path of a watch may say so itself, as it did before there was `?watch=1`
    (deprecated since Kubernetes 1.11, served to this day, and used by Ruby's kubeclient)."""
    if method != "GET" or (match := _OLD_WATCH.match(raw_path)) is None:
        return raw_path, raw_query
    return match.group(1) + match.group(2), b"watch=1" + (b"&" + raw_query if raw_query else b"")


def before_proxied(raw_path: bytes) -> bytes:
    """The path up to and with `/proxy`, when what follows belongs to a pod, service or node and is not ours to read."""
    match = _PROXY.match(raw_path)
    return match.group(1) if match else raw_path


def proxied_part(path: str) -> tuple[str, str]:
    """A request's path cut after `/proxy`: ours, and the backend's ("" or beginning with a slash)."""
    ours = before_proxied(path.encode("latin-1")).decode("latin-1")
    return ours, path[len(ours) :]


def target_of(registry: Registry, segments: list[str]) -> Target | None:
    """What a path names; None when it is no resource's path. Raises NotFound for a resource nobody serves."""
    if len(segments) < 3 or segments[0] not in ("api", "apis"):
        return None
    if segments[0] == "api":
        group, version, rest = "", segments[1], segments[2:]
    elif len(segments) > 3:
        group, version, rest = segments[1], segments[2], segments[3:]
    else:
        return None
    if registry.is_elsewhere(group, version):
        return _elsewhere(group, version, rest)
    if not all(rest):
        raise no_such_path()
    if rest[0] == "namespaces" and len(rest) > 2 and not (group == "" and rest[2] in _NAMESPACE_SUBRESOURCES):
        return _named(_kind(registry, group, version, rest[2]), rest[1], rest[3:], in_namespace=True)
    return _named(_kind(registry, group, version, rest[0]), "", rest[1:], in_namespace=False)


def _kind(registry: Registry, group: str, version: str, plural: str) -> Kind:
    kind = registry.kind(group, version, plural)
    if kind is None:
        raise no_such_path()
    return kind


def _named(kind: Kind, namespace: str, rest: list[str], *, in_namespace: bool) -> Target:
    """The target after the resource's name. A namespaced object without its namespace has no path, nor vice versa."""
    if len(rest) > 2 or (in_namespace and not kind.resource.namespaced):
        raise no_such_path()
    if rest and kind.resource.namespaced and not in_namespace:
        raise no_such_path()
    return Target(kind, namespace, *rest)


def _elsewhere(group: str, version: str, rest: list[str]) -> Target:
    """What a path names at another server, as far as authorisation needs to know: which resources there are, and what
    they are called below that, is for that server to say."""
    namespace = ""
    if rest[0] in _OLD_PREFIXES:
        raise no_such_path()
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    resource = Resource(group, version, rest[0], kind="", namespaced=bool(namespace))
    kind = Kind(resource, singular="", definition="", verbs=(), elsewhere=True)
    return Target(kind, namespace, *rest[1:3])


def verb_for(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The verb of a method on a target. Raises MethodNotAllowed."""
    if target.kind.elsewhere:
        return _verb_elsewhere(method, target, query)
    if target.subresource == "proxy":
        verb = _PROXIED.get(method)
    elif target.subresource:
        verb = _SUB.get(method)
    elif target.name:
        verb = _ONE.get(method)
    else:
        verb = _MANY.get(method)
    if verb is None:
        raise method_not_allowed(target)
    if verb == "create" and not target.name and target.kind.resource.namespaced and not target.namespace:
        raise method_not_allowed(target)
    if verb in ("list", "get") and query and not target.subresource and is_watch(query):
        return "watch"
    return verb


def _verb_elsewhere(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The verb as RequestInfo has it, whatever the other server makes of the request."""
    verb = _REMOTE.get(method, "")
    if target.name:
        return verb
    if verb == "get":
        return "watch" if is_watch(query) else "list"
    return "deletecollection" if verb == "delete" else verb
