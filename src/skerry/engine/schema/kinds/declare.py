"""The short way to write kinds down: what all kinds of a group share is said once. Neighbours: the group files here."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Kind
from skerry.kube.objects import Resource
from skerry.kube.records import record

STATUS = frozenset({"status"})
SCALABLE = frozenset({"status", "scale"})


@record
class Group:
    """A group at one version and the package its definitions are in."""

    group: str
    version: str
    package: str

    def kind(self, plural: str, name: str, *short_names: str, namespaced: bool = True, **particulars: Any) -> Kind:
        """A kind of this group; `particulars` are the fields of `Kind` it does not leave at their defaults."""
        resource = Resource(self.group, self.version, plural, name, namespaced)
        definition = f"{self.package}.{self.version}.{name}"
        return Kind(resource, name.lower(), definition, short_names=short_names, **particulars)
