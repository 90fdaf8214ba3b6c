"""What one Ingress asks for, read once: hosts, paths, backends, certificates, settings. Pure.

Source of the meaning of paths: https://kubernetes.io/docs/concepts/services-networking/ingress/ ; of
regular expressions and rewriting, ingress-nginx.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import re2

from skerry.engine.network.ingress.annotations import Problem, read
from skerry.engine.network.ingress.settings import Settings
from skerry.kube.objects import Obj, key_of, namespace_of, uid_of

PathKind = Literal["Exact", "Prefix", "Regex"]


@dataclass(frozen=True, slots=True)
class Target:
    """The Service an Ingress names, in its own namespace."""

    namespace: str
    service: str
    port: int | str
    """Its number, or its name."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path of a host."""

    kind: PathKind
    path: str
    """For Prefix without the slash at its end: "" is everything."""
    target: Target


@dataclass(frozen=True, slots=True)
class Wanted:
    """One Ingress."""

    key: str
    """namespace/name."""
    uid: str
    namespace: str
    age: tuple[str, str]
    """Orders Ingresses: the oldest first."""
    settings: Settings
    paths: dict[str, tuple[Path, ...]]
    """By host; "" for hosts that no Ingress names. Aliases are among the hosts."""
    default: Target | None
    """For what no path of its hosts matches."""
    certificates: dict[str, str]
    """The name of the Secret ("" for none) by host of `spec.tls`."""
    problems: tuple[Problem, ...] = field(default=())


def wanted(ingress: Obj) -> Wanted:
    """Read an Ingress. What cannot be served is left out and among the problems."""
    spec = ingress.get("spec", {})
    settings, problems = read(ingress)
    namespace = namespace_of(ingress)
    reading = _Reading(namespace, settings, problems)
    paths = reading.hosts(spec)
    for alias in settings.aliases:
        first = next(iter(paths.values()), ())
        paths.setdefault(alias.lower(), first)
    return Wanted(
        key=key_of(ingress),
        uid=uid_of(ingress),
        namespace=namespace,
        age=(str(ingress["metadata"].get("creationTimestamp", "")), uid_of(ingress)),
        settings=settings,
        paths=paths,
        default=reading.target(spec.get("defaultBackend"), "spec.defaultBackend"),
        certificates=_certificates(spec),
        problems=tuple(problems),
    )


class _Reading:
    """One reading of one Ingress: collects problems as it goes."""

    def __init__(self, namespace: str, settings: Settings, problems: list[Problem]) -> None:
        self._namespace = namespace
        self._is_regex = settings.use_regex or bool(settings.rewrite_target)
        self._problems = problems

    def hosts(self, spec: Obj) -> dict[str, tuple[Path, ...]]:
        """The paths of each host; an Ingress with a default backend only is for all hosts."""
        found: dict[str, tuple[Path, ...]] = {}
        rules = spec.get("rules") or ()
        for index, rule in enumerate(rules):
            host = (rule.get("host") or "").lower()
            given = (rule.get("http") or {}).get("paths") or ()
            found[host] = (*found.get(host, ()), *self._paths(given, f"spec.rules[{index}].http.paths"))
        if not rules:
            found[""] = ()
        return found

    def _paths(self, given: Sequence[Obj], field_name: str) -> Iterator[Path]:
        for index, one in enumerate(given):
            target = self.target(one.get("backend"), f"{field_name}[{index}].backend")
            path = self._path(one, target, f"{field_name}[{index}].path") if target is not None else None
            if path is not None:
                yield path

    def _path(self, one: Obj, target: Target, field_name: str) -> Path | None:
        kind, text = one.get("pathType"), one.get("path") or "/"
        if kind == "Exact" and not self._is_regex:
            return Path("Exact", text, target)
        if not self._is_regex or text == "/":
            return Path("Prefix", text.rstrip("/"), target)
        try:
            re2.compile(text)
        except re2.error as error:
            self._problems.append(Problem("InvalidPath", f"{field_name}: {text!r} is no regular expression: {error}"))
            return None
        return Path("Regex", text if kind != "Exact" else f"{text}$", target)

    def target(self, backend: Obj | None, field_name: str) -> Target | None:
        """The Service of a backend; other resources are refused by name."""
        if not backend:
            return None
        service = backend.get("service")
        if service is None:
            kind = (backend.get("resource") or {}).get("kind", "")
            message = f"{field_name}.resource: backends of kind {kind} are not supported, use a Service"
            self._problems.append(Problem("UnsupportedBackend", message))
            return None
        port = service.get("port") or {}
        return Target(self._namespace, service["name"], port.get("number") or port.get("name") or 0)


def _certificates(spec: Obj) -> dict[str, str]:
    """An entry without hosts is for all hosts of the rules."""
    found: dict[str, str] = {}
    named = [(rule.get("host") or "").lower() for rule in spec.get("rules") or ()]
    for entry in spec.get("tls") or ():
        for host in entry.get("hosts") or named:
            found.setdefault(host.lower(), entry.get("secretName") or "")
    return found
