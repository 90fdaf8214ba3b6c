"""Which versions of a catalogue's charts Releases refer to. They are read as plain objects, from a shared cache.

A Release finds its catalogue in its own namespace, then in other namespaces of its project, then among everybody's.
Here every catalogue that it could mean counts: keeping one archive too many harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, labels_of, namespace_of
from skerry.platform.base.kinds import resource_of
from skerry.platform.catalog.types import GLOBAL_NAMESPACE

RELEASES = resource_of("releases", "Release", namespaced=True)
_PROJECT = "skerry.dev/project"
_BY_CHART = "catalog: chart"


class Uses:
    """What Releases want, as the caches have it."""

    def __init__(self, releases: Informer, namespaces: Informer) -> None:
        self._releases, self._namespaces = releases, namespaces
        releases.add_index(_BY_CHART, charts_of)

    def of(self, namespace: str, catalog: str, chart: str) -> list[str]:
        """Versions and ranges, of the Releases that may mean this catalogue."""
        found = []
        for release in self._releases.by_index(_BY_CHART, chart):
            wanted = (release.get("spec") or {}).get("chart") or {}
            if wanted.get("catalog") not in (None, "", catalog) or not self._reaches(namespace_of(release), namespace):
                continue
            if wanted.get("name") == chart:
                found.append(str(wanted.get("version") or ""))
            found.extend(_running(release, chart))
        return found

    def _reaches(self, of: str, namespace: str) -> bool:
        if namespace in (of, GLOBAL_NAMESPACE):
            return True
        project = self._project_of(of)
        return bool(project) and project == self._project_of(namespace)

    def _project_of(self, namespace: str) -> str:
        found = self._namespaces.get(namespace)
        return labels_of(found).get(_PROJECT, "") if found is not None else ""


def charts_of(release: Obj) -> Iterable[str]:
    """Names of charts: what is wanted."""
    name = ((release.get("spec") or {}).get("chart") or {}).get("name")
    return (str(name),) if name else ()


def _running(release: Obj, chart: str) -> Iterable[str]:
    """The version that runs, of `name-version` as a Release's status has it."""
    runs = str((release.get("status") or {}).get("chart") or "").replace(" ", "-")
    if runs.startswith(f"{chart}-"):
        yield runs.removeprefix(f"{chart}-")
