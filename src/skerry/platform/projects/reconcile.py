"""Makes of a Project what it stands for: namespaces and everything in them. A list of steps; one status at the end.

Level-triggered and idempotent: every step compares what `wanted` works out, purely, with caches, and writes what
differs. A namespace that exists and is not the project's is never taken over: operators hand it over by its label.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Conflict, NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of
from skerry.kube.resources import NAMESPACES, SERVICE_ACCOUNTS
from skerry.kube.tasks import together
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, apply_status
from skerry.platform.projects import condition
from skerry.platform.projects.indexes import BY_PROJECT, WISHED, project_of, wished_by
from skerry.platform.projects.made import Made, made_for
from skerry.platform.projects.pull_secrets import PullSecrets
from skerry.platform.projects.tiers import granted
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, TIERS, ProjectSpec, TierSpec
from skerry.platform.projects.wanted import (
    IN_NAMESPACE,
    Tenant,
    beside,
    beside_names,
    default_account,
    gone_labels,
    in_namespace,
    is_reserved,
    namespace_labels,
    wished_namespaces,
)

FINALIZER = "skerry.dev/project"


class ProjectController(Controller):
    """One project at a time."""

    name = "projects"
    workers = 16  # they wait for answers most of the time

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self._teller = context.client.managing("skerry-projects")
        self._projects = context.informers.of(PROJECTS)
        self._projects.add_index(WISHED, wished_by)
        self._tiers = context.informers.of(TIERS)
        self._namespaces = context.informers.of(NAMESPACES)
        self._namespaces.add_index(BY_PROJECT, project_of)
        self._made = Made(context.client)
        self._pull_secrets = PullSecrets(context.client)
        self._projects.add_handler(self._project_changed)
        self.watch(self._namespaces, lambda one: (*project_of(one), *self._wishing(name_of(one))))
        self._tiers.add_handler(self._tier_changed)
        self._made.add_handler(lambda delta: self.queue.add(made_for(delta.object)))
        self._pull_secrets.add_handler(lambda _: self.look_again())

    def start(self) -> None:
        """Start the workers and the caches of what was made."""
        self._made.start()
        self._pull_secrets.start()
        super().start()

    async def close(self) -> None:
        """Stop."""
        await super().close()
        await self._pull_secrets.close()
        await self._made.close()

    async def reconcile(self, key: str) -> float | None:
        """Bring one project about."""
        await self._made.complete()
        await self._pull_secrets.complete()
        project = self._projects.get(key)
        if project is None:
            await self._made.take_away(beside_names(key))
        elif is_deleting(project):
            await self._end(project)
        elif FINALIZER not in (project["metadata"].get("finalizers") or ()):
            await self._hold(project)
        else:
            await self._bring_about(project)
        return None

    async def _hold(self, project: Obj) -> None:
        """So that its deletion waits for its namespaces. The change leads back here."""
        metadata = project["metadata"]
        held = {**metadata, "finalizers": [*(metadata.get("finalizers") or ()), FINALIZER]}
        await self._client.update(PROJECTS, {**project, "metadata": held})

    async def _bring_about(self, project: Obj) -> None:
        spec = ProjectSpec.of(project["spec"])
        tier = self._tiers.get(spec.tier)
        if tier is None:
            known = sorted(name_of(one) for one in self._tiers.list())
            await self._tell(project, condition.no_tier(spec.tier, known))
            return
        name = name_of(project)
        given = granted(name, spec.tier, TierSpec.of(tier["spec"]), spec)
        tenant = Tenant(name, spec, given, self._pull_secrets.names_for(name))
        try:
            await self._made.put(beside(tenant))
            wanted = {(resource, name_of(obj)) for resource, obj in beside(tenant)}
            await self._made.take_away(one for one in beside_names(name) if one not in wanted)
            taken, made = await self._make_namespaces(tenant)
            theirs = {name_of(one): one for one in (*made, *self._theirs(name))}
            await together(*(self._furnish(tenant, one) for one in theirs.values()))
            await together(*(self._release(one) for one in self._lost(name)))
        except Conflict:
            raise
        except StatusError as error:
            await self._tell(project, condition.not_applied(error.message))
            raise
        await self._tell(project, condition.ready_or_taken(taken, self._going(name)), made)

    async def _make_namespaces(self, tenant: Tenant) -> tuple[Sequence[str], Sequence[Obj]]:
        """Those that are missing. Returns names that are somebody else's, and what was made."""
        taken, made = [], []
        for name in wished_namespaces(tenant.name, tenant.spec):
            there = self._namespaces.get(name)
            if there is None and not is_reserved(name):
                there = await self._create(name, namespace_labels(tenant))
                made.append(there)
            if there is None or labels_of(there).get(PROJECT_LABEL) != tenant.name:
                taken.append(name)
        return taken, [one for one in made if name_of(one) not in taken]

    async def _create(self, name: str, labels: dict[str, str]) -> Obj:
        try:
            return await self._client.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
        except AlreadyExists:
            return await self._client.get(NAMESPACES, name)  # the cache is behind

    async def _furnish(self, tenant: Tenant, namespace: Obj) -> None:
        """One namespace: its labels, and everything that is to be in it."""
        name, labels = name_of(namespace), namespace_labels(tenant)
        there = labels_of(namespace)
        change: dict[str, str | None] = {key: value for key, value in labels.items() if there.get(key) != value}
        change |= gone_labels(there, labels)
        if change:
            await self._client.patch(NAMESPACES, name, {"metadata": {"labels": change}})
        if await self._pull_secrets.copy(tenant.name, namespace):
            account = default_account(tenant)
            await apply(
                self._client, SERVICE_ACCOUNTS, {**account, "metadata": {**account["metadata"], "namespace": name}}
            )
        wanted = list(in_namespace(tenant, name))
        await self._made.put(wanted, name)
        names = {(resource, name_of(obj)) for resource, obj in wanted}
        await self._made.take_away((one for one in IN_NAMESPACE if one not in names), name)

    def _lost(self, project: str) -> list[Obj]:
        """Namespaces that operators took out of it, and in which something of it is left."""
        there = [self._namespaces.get(one) for one in self._made.namespaces_of(project)]
        return [one for one in there if one is not None and not labels_of(one).get(PROJECT_LABEL)]

    async def _release(self, namespace: Obj) -> None:
        """What was made goes, so that members have no rights there any more; what they made stays."""
        await self._made.take_away(IN_NAMESPACE, name_of(namespace))
        await self._pull_secrets.take_away(namespace)
        if gone := gone_labels(labels_of(namespace), {}):
            await self._client.patch(NAMESPACES, name_of(namespace), {"metadata": {"labels": gone}})

    async def _end(self, project: Obj) -> None:
        """Its namespaces go, then what stands beside them, then the project itself."""
        name = name_of(project)
        if FINALIZER not in (project["metadata"].get("finalizers") or ()):
            return
        left = self._namespaces.by_index(BY_PROJECT, name)
        await together(*(self._delete_namespace(one) for one in left if not is_deleting(one)))
        if left:
            await self._tell(project, condition.going([name_of(one) for one in left]))
            return
        await self._made.take_away(beside_names(name))
        metadata = project["metadata"]
        rest = [one for one in metadata["finalizers"] if one != FINALIZER]
        await self._client.update(PROJECTS, {**project, "metadata": {**metadata, "finalizers": rest}})

    async def _delete_namespace(self, namespace: Obj) -> None:
        try:
            await self._client.delete(NAMESPACES, name_of(namespace))
        except NotFound:
            return

    async def _tell(self, project: Obj, ready: Condition, made: Sequence[Obj] = ()) -> None:
        """`made`: namespaces of it that the cache may not show yet."""
        names = sorted({name_of(one) for one in (*made, *self._namespaces.by_index(BY_PROJECT, name_of(project)))})
        await apply_status(self._teller, self._clock, PROJECTS, project, (ready,), namespaces=names)

    def _theirs(self, project: str) -> list[Obj]:
        return [one for one in self._namespaces.by_index(BY_PROJECT, project) if not is_deleting(one)]

    def _going(self, project: str) -> list[str]:
        return [name_of(one) for one in self._namespaces.by_index(BY_PROJECT, project) if is_deleting(one)]

    def _wishing(self, namespace: str) -> list[str]:
        """Projects that name a namespace in their spec: it is free now, or not theirs."""
        return [name_of(one) for one in self._projects.by_index(WISHED, namespace)]

    def _project_changed(self, delta: Delta) -> None:
        """What others say of it in its status, with every pod, is not looked at."""
        if delta.old is None or delta.new is None or _asked(delta.old) != _asked(delta.new):
            self.queue.add(name_of(delta.object))

    def _tier_changed(self, delta: Delta) -> None:
        for project in self._projects.list():
            if project["spec"].get("tier") == name_of(delta.object):
                self.queue.add(name_of(project))


def _asked(project: Obj) -> object:
    """What this controller acts on, and what it says itself."""
    metadata, status = project["metadata"], project.get("status") or {}
    return (
        (project["spec"], metadata.get("finalizers"), metadata.get("deletionTimestamp")),
        (status.get("namespaces"), condition_of(project, "Ready")),
    )
