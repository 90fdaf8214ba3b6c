"""What a project comes to in the cluster. Pure: from a project and its tier to objects."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj
from skerry.platform.projects.types import PROJECT_LABEL, ProjectSpec


def namespaces_of(project: str, spec: ProjectSpec) -> Iterable[Obj]:
    """The namespaces that are made for it."""
    for name in spec.namespaces or [project]:
        yield {"metadata": {"name": name, "labels": {PROJECT_LABEL: project}}}
