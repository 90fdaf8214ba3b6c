"""Makes of a Project what it stands for: namespaces and everything in them. A list of steps; one status at the end.

Level-triggered and idempotent: every step applies what `wanted` works out, purely, from project and tier.
"""

from __future__ import annotations

from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import labels_of, name_of
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, TIERS, ProjectSpec
from skerry.platform.projects.wanted import namespaces_of


class ProjectController(Controller):
    """One project at a time."""

    name = "projects"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._projects = context.informers.of(PROJECTS)
        self._tiers = context.informers.of(TIERS)
        self._namespaces = context.informers.of(NAMESPACES)
        self.watch(self._projects)
        self.watch(self._namespaces, lambda one: filter(None, [labels_of(one).get(PROJECT_LABEL)]))
        self._tiers.add_handler(self._tier_changed)

    def _tier_changed(self, delta: Delta) -> None:
        for project in self._projects.list():
            if project["spec"].get("tier") == name_of(delta.object):
                self.queue.add(name_of(project))

    async def reconcile(self, key: str) -> float | None:
        """Bring one project about."""
        project = self._projects.get(key)
        if project is None:
            return None
        spec = ProjectSpec.of(project["spec"])
        for namespace in namespaces_of(key, spec):
            await apply(self._context.client, NAMESPACES, namespace)
        theirs = sorted(name_of(one) for one in self._namespaces.list() if labels_of(one).get(PROJECT_LABEL) == key)
        ready = Condition("Ready", True, "Ready", "its namespaces can be used")
        await write_status(self._context.client, self._context.clock, PROJECTS, project, (ready,), namespaces=theirs)
        return None
