"""Whether a person may open an app now. Asked of the cluster, and remembered for a few seconds: pages come in dozens of
requests, and who is removed from a project must be out within a minute."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from skerry.kube.objects import Obj, namespace_of
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.access import Action, may
from skerry.platform.base.capability import Context
from skerry.platform.identity.apps.access import INGRESSES, is_anothers, is_guarded, question
from skerry.platform.identity.sessions.judging import Person

_REMEMBERED, _SECONDS = 20_000, timedelta(seconds=20)


class Doormen:
    """Knows the guarded Ingresses."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock
        self._ingresses = context.informers.of(INGRESSES)
        self._namespaces = context.informers.of(NAMESPACES)
        self._answers: OrderedDict[tuple[Person, Action], tuple[bool, datetime]] = OrderedDict()

    def guarded(self, namespace: str, name: str) -> Obj | None:
        """The Ingress, when it asks for sign-on."""
        found = self._ingresses.get(name, namespace)
        return found if found is not None and is_guarded(found) else None

    def project_of(self, ingress: Obj) -> str:
        """Whose it is; "" of nobody's."""
        namespace = self._namespaces.get(namespace_of(ingress)) or {"metadata": {}}
        return str((namespace["metadata"].get("labels") or {}).get("skerry.dev/project", ""))

    async def lets_in(self, person: Person, ingress: Obj) -> bool:
        """Raises StatusError, OSError."""
        action = question(ingress, self.project_of(ingress))
        if action is None:
            return True
        if is_anothers(ingress, person.user):
            return False
        key, now = (person, action), self._clock.steady()
        known, until = self._answers.get(key, (False, now))
        if until > now:
            return known
        answer = await may(self._client, person.user, (*person.groups, "system:authenticated"), action)
        self._answers[key] = (answer, now + _SECONDS)
        self._answers.move_to_end(key)
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return answer
