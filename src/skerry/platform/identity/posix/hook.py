"""Admission of pods in projects that ask for it (`spec.runAs: Person`): they run as whose they are.

Whose a pod is says the annotation that capability `usage` sets from who makes it, before us. The mutating hook gives
the numbers, the validating one looks at what all others have made of it, and at containers that are added later.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, annotations_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.identity.naming import object_name, session_of_program
from skerry.platform.identity.posix.numbers import Numbers, numbers_of, patch_to, strangers
from skerry.platform.identity.types import SESSIONS, USERS

USER_ANNOTATION = "skerry.dev/user"
RUN_AS_LABEL = "skerry.dev/run-as"
"""On namespaces of projects, `person` where pods are asked about here."""
_THEIRS: Obj = {"matchExpressions": [{"key": RUN_AS_LABEL, "operator": "In", "values": ["person"]}]}


def posix_hooks(context: Context) -> Sequence[Hook]:
    """For the capability."""
    judge = _RunAs(context)
    made, added = _rule(["pods"], "CREATE"), _rule(["pods/ephemeralcontainers"], "UPDATE")
    return [
        Hook("identity-run-as", judge.give, (made,), mutating=True, namespaces=_THEIRS),
        Hook("identity-run-as-guard", judge.check, (made, added), namespaces=_THEIRS),
    ]


def _rule(resources: list[str], operation: str) -> Obj:
    return {"apiGroups": [""], "apiVersions": ["v1"], "resources": resources, "operations": [operation]}


class _RunAs:
    def __init__(self, context: Context) -> None:
        self._users: Informer = context.informers.of(USERS)
        self._sessions: Informer = context.informers.of(SESSIONS)

    async def give(self, review: Review) -> Verdict:
        """Its numbers."""
        found = self._numbers(review.object)
        return Verdict(found) if isinstance(found, str) else Verdict(patch=patch_to(review.object["spec"], found))

    async def check(self, review: Review) -> Verdict:
        """What is to be stored."""
        found = self._numbers(review.object)
        if isinstance(found, str):
            return Verdict(found)
        wrong = list(strangers(review.object["spec"], found))
        if not wrong:
            return ADMITTED
        return Verdict(f"pods of this project run as {found.uid}:{found.gid}, whose they are: {'; '.join(wrong)}")

    def _numbers(self, pod: Obj) -> Numbers | str:
        """Or why there are none."""
        name = self._person(annotations_of(pod).get(USER_ANNOTATION, ""))
        user = self._users.get(object_name(name)) if name else None
        if user is None or user["spec"]["username"] != name:
            return f"pods of this project run as the person whose they are (spec.runAs), and {name or 'nobody'} is none"
        return numbers_of(user) or (
            f"pods of this project run as the person whose they are (spec.runAs), and {name} has no uidNumber and "
            "gidNumber: the directory where the person signs in tells them, or an operator sets them "
            f"(kubectl edit users {object_name(name)})"
        )

    def _person(self, user: str) -> str:
        """Who made a program's token, if it is a program."""
        session = self._sessions.get(session_of_program(user)) if session_of_program(user) else None
        return str(session["spec"]["user"]) if session is not None else user
