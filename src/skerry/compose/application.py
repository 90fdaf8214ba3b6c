"""The application as it is translated: what was read, what was chosen, the names things get."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import PurePath
from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.records import record

PART_OF = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@record
class Choices:
    """What the Compose file does not say. `users`: "1000" or "1000:1000" by service; `hosts`: by service."""

    domain: str = "localhost"
    storage: str = "1Gi"
    hosts: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    built: str = "skerry.local/{project}-{service}:1"
    """The name of an image that is built and has none."""


@record
class Application:
    """In Compose's canonical form (`loading`)."""

    document: Obj
    choices: Choices = field(default_factory=Choices)

    @property
    def name(self) -> str:
        """Of the application, as a label can have it."""
        return dns_label(str(self.document.get("name") or "application"))

    @property
    def services(self) -> Mapping[str, Obj]:
        """By name."""
        return self.document.get("services") or {}

    def top(self, part: str, name: str) -> Obj:
        """An entry of "volumes", "configs", "secrets"; {} when there is none."""
        return (self.document.get(part) or {}).get(name) or {}

    def bind_names(self) -> Mapping[str, str]:
        """A name for each path that services mount from beside the file: those that share one share what it becomes."""
        declared = (name for part in ("volumes", "configs", "secrets") for name in self.document.get(part) or {})
        taken, names = {dns_label(str(name)) for name in declared}, dict[str, str]()
        for one in (one for spec in self.services.values() for one in spec.get("volumes") or ()):
            source = str(one.get("source") or "")
            if one.get("type") == "bind" and source not in names:
                names[source] = _free(dns_label(PurePath(source).name), taken)
                taken.add(names[source])
        return names

    def image(self, service: str) -> str:
        """Which image a service runs."""
        given = self.services[service].get("image")
        made = self.choices.built.format(project=self.name, service=dns_label(service))
        return str(given or made)

    def labels(self, service: str) -> dict[str, str]:
        """On everything of a service."""
        return {NAME: dns_label(service), PART_OF: self.name}

    def metadata(self, name: str, service: str = "") -> Obj:
        """Of an object; `service`: "" for what several have."""
        return {"name": name, "labels": self.labels(service) if service else {PART_OF: self.name}}


def _free(name: str, taken: set[str]) -> str:
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))) if one not in taken)


def dns_label(name: str) -> str:
    """A name as Kubernetes and DNS take it: "My_App.1" becomes "my-app-1", "3d" "app-3d"."""
    plain = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    named = plain if plain[:1].isalpha() else f"app-{plain}"
    return named[:63].strip("-")


def is_dns_label(name: str) -> bool:
    """Whether a name can be a Service's, and so a host's."""
    return _LABEL.fullmatch(name) is not None and not name[0].isdigit()


def listed(value: Any) -> list[Any]:
    """A list of what may be one thing, several or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
