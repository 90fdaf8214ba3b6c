"""What projects use now: the objects in the caches and the writes that are admitted and not yet in them.

Looking and holding happen in one step of the event loop, so that concurrent writers cannot overshoot. Neighbours:
`table` (one resource in one namespace), `hook` (who holds), `reporting` (who tells). Invariant: a namespace belongs to
the project that its label names, as the cache shows it or as the API said when the cache did not know it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.quota.amounts import Amounts, added
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.capability import Context
from skerry.platform.projects.quota.resources import MEASURED, counted
from skerry.platform.projects.quota.table import Table, Write
from skerry.platform.projects.types import PROJECT_LABEL

_BY_PROJECT = "quota: project"


class Ledger:
    """Of all projects. One for hook and report: `ledger_of(context)`."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock, self._informers = context.client, context.clock, context.informers
        self._namespaces = context.informers.of(NAMESPACES)
        self._namespaces.add_index(_BY_PROJECT, lambda one: filter(None, [labels_of(one).get(PROJECT_LABEL)]))
        self._namespaces.add_handler(self._namespace_changed)
        self._learned: dict[str, str] = {}
        """Namespaces that the cache does not know yet, and their projects."""
        self._caches: dict[Resource, Informer] = {}
        self._tables: dict[tuple[Resource, str], Table] = {}
        self._listeners: list[Callable[[str], None]] = []
        for resource in MEASURED:
            self._follow(resource, context.informers.of(resource))

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have `listener` called with a project's name when something in it changed. It must be quick."""
        self._listeners.append(listener)

    async def project_of(self, namespace: str) -> str:
        """The project that a namespace belongs to; "": none. Raises StatusError."""
        known = self._known_project(namespace)
        if known is None:
            try:
                found = await self._client.get(NAMESPACES, namespace)
            except NotFound:
                return ""
            known = labels_of(found).get(PROJECT_LABEL) or ""
            if known and self._known_project(namespace) is None:
                self._learned[namespace] = known
        return known

    async def ready(self, project: str, resources: Iterable[Resource]) -> None:
        """Returns when the caches of these resources are complete, those that nobody needed so far are begun, and of
        what a project was admitted long ago it is known what became of it. Raises StatusError."""
        for resource in resources:
            if resource not in self._caches:
                self._follow(resource, self._informers.metadata_of(resource))
            await self._caches[resource].synced.wait()
            for namespace in self.namespaces(project):
                table = self.table(resource, namespace)
                for held in table.overdue(self._clock.steady()):
                    there = await self._there(resource, namespace, held.write.name)
                    table.settle(held, there, self._clock.steady())

    def table(self, resource: Resource, namespace: str) -> Table:
        """What is counted of a resource in a namespace. Its cache must be `ready`."""
        found = self._tables.get((resource, namespace))
        if found is None:
            objects = self._caches[resource].list(namespace)
            found = self._tables[resource, namespace] = Table(resource.group_resource, objects, self._clock.now())
        return found

    def used(self, project: str, resource: Resource) -> Amounts:
        """What a project's objects of one resource use, over all its namespaces."""
        total: Amounts = {}
        now = self._clock.now()
        for namespace in self.namespaces(project):
            total = added(total, self.table(resource, namespace).total(now))
        return total

    def used_by_names(self, project: str, names: Iterable[str]) -> Amounts:
        """What a project uses of everything that a quota with these names counts."""
        total: Amounts = {}
        for resource in counted(names):
            total = {**total, **self.used(project, resource)}
        return total

    def hold(self, resource: Resource, namespace: str, write: Write) -> None:
        """Count a write from now on: it was admitted."""
        self.table(resource, namespace).hold(write, self._clock.steady())

    def entries(self, project: str, resource: Resource) -> Iterator[tuple[Obj, Amounts]]:
        """A project's objects of a resource, and what each counts."""
        for namespace in self.namespaces(project):
            yield from self.table(resource, namespace).entries()

    def coming(self, project: str, resource: Resource) -> Amounts:
        """What of `used` is admitted and not seen."""
        total: Amounts = {}
        for namespace in self.namespaces(project):
            total = added(total, self.table(resource, namespace).coming())
        return total

    def namespaces(self, project: str) -> list[str]:
        """The namespaces of a project."""
        seen = [name_of(one) for one in self._namespaces.by_index(_BY_PROJECT, project)]
        return [*seen, *(name for name, whose in self._learned.items() if whose == project and name not in seen)]

    async def _there(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        try:
            return await self._client.get(resource, name, namespace)
        except NotFound:
            return None

    def _known_project(self, namespace: str) -> str | None:
        seen = self._namespaces.get(namespace)
        if seen is not None and PROJECT_LABEL in labels_of(seen):
            return labels_of(seen)[PROJECT_LABEL]
        return self._learned.get(namespace)

    def _follow(self, resource: Resource, informer: Informer) -> None:
        self._caches[resource] = informer
        informer.list("")  # the index by namespace is there from the beginning
        informer.add_handler(lambda delta: self._changed(resource, delta))

    def _changed(self, resource: Resource, delta: Delta) -> None:
        namespace = namespace_of(delta.object)
        table = self._tables.get((resource, namespace))
        if table is not None:
            table.see(name_of(delta.object), delta.new, self._clock.now())
        self._tell(self._known_project(namespace))

    def _namespace_changed(self, delta: Delta) -> None:
        name = name_of(delta.object)
        if delta.new is None or PROJECT_LABEL in labels_of(delta.new):
            self._learned.pop(name, None)
        if delta.new is None:
            for place in [place for place in self._tables if place[1] == name]:
                del self._tables[place]
        self._tell(labels_of(delta.object).get(PROJECT_LABEL))

    def _tell(self, project: str | None) -> None:
        for listener in self._listeners if project else ():
            listener(project or "")


def ledger_of(context: Context) -> Ledger:
    """The one that hook and report share."""
    return context.once(Ledger, lambda: Ledger(context))
