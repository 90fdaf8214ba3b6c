"""Lists for pages: from the platform's caches, as far as the cluster lets the person see them (see `rights`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, Resource, name_of
from skerry.platform.base.access import Action
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.projects.types import PROJECTS
from skerry.portal.web.rights import Rights

_BY_PEOPLE = "people"


class Seeing:
    """One for the whole portal."""

    def __init__(self, informers: Informers, rights: Rights) -> None:
        self._informers, self._rights = informers, rights
        informers.of(PROJECTS).add_index(_BY_PEOPLE, _people_of)

    def cache(self, *resources: Resource) -> None:
        """What pages will list. Called before caches are started."""
        for one in resources:
            self._informers.of(one)

    async def projects(self, person: Person) -> list[Obj]:
        """Those that the person may see, by name."""
        cached = self._informers.of(PROJECTS)
        if await self._rights.may(person, Action("list", PROJECTS)):
            return sorted(cached.list(), key=name_of)
        keys = [f"user {person.user}", *(f"group {one}" for one in person.groups)]
        mine = {name_of(one): one for key in keys for one in cached.by_index(_BY_PEOPLE, key)}
        seen = await self._rights.which(person, (Action("get", PROJECTS, name) for name in sorted(mine)))
        return [mine[one.name] for one in seen]

    async def project(self, person: Person, name: str) -> Obj | None:
        """One that the person may see."""
        if not await self._rights.may(person, Action("get", PROJECTS, name)):
            return None
        return self._informers.of(PROJECTS).get(name)

    async def namespaces(self, person: Person) -> list[str]:
        """Of the person's projects, in the order of these."""
        return [one for project in await self.projects(person) for one in namespaces_of(project)]

    async def listed(self, person: Person, resource: Resource, more: Iterable[str] = ()) -> Sequence[Obj]:
        """All objects of a namespaced resource that the person may list: everywhere, or in the person's projects and
        the namespaces `more`."""
        cached = self._informers.of(resource)
        if await self._rights.may(person, Action("list", resource)):
            return cached.list()
        places = [*await self.namespaces(person), *more]
        seen = await self._rights.which(person, (Action("list", resource, namespace=one) for one in places))
        return [obj for one in seen for obj in cached.list(one.namespace)]


def namespaces_of(project: Obj) -> list[str]:
    """As its status has them."""
    return list((project.get("status") or {}).get("namespaces") or ())


def _people_of(project: Obj) -> list[str]:
    spec = project.get("spec") or {}
    people = [f"user {spec.get('owner', '')}"]
    for member in spec.get("members") or ():
        people.append(f"user {member['user']}" if member.get("user") else f"group {member.get('group', '')}")
    return people
