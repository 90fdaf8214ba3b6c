"""By what projects and their namespaces are found in the shared caches."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj, labels_of, name_of
from skerry.platform.projects.types import PROJECT_LABEL

BY_PROJECT = "by project"
"""Of namespaces: whose they are."""
WISHED = "wished namespaces"
"""Of projects: the namespaces they name."""


def project_of(namespace: Obj) -> Sequence[str]:
    """Whose it is, if anybody's."""
    project = labels_of(namespace).get(PROJECT_LABEL)
    return [project] if project else []


def wished_by(project: Obj) -> Sequence[str]:
    """The namespaces it names."""
    return project["spec"].get("namespaces") or [name_of(project)]
