"""Whether something fits, and the words for it when it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skerry.kube.objects import Obj, annotations_of, controller_of, labels_of, name_of, namespace_of
from skerry.kube.quota.amounts import ZERO, Amount, Amounts
from skerry.kube.records import record

USER = "skerry.dev/user"
"""Label or annotation: whose an object is."""
_SHOWN = 3


@record
class Excess:
    """Of one name of a quota: more is asked for than is left."""

    name: str
    asked: Amount
    used: Amount
    hard: Amount

    @property
    def over(self) -> Amount:
        """By how much."""
        return self.used.plus(self.asked).minus(self.hard)


@record
class Share:
    """Of what is used: whose, and how much."""

    whose: str
    amount: Amount


def excess(asked: Amounts, used: Amounts, hard: Mapping[str, Amount]) -> list[Excess]:
    """What does not fit, by name; [] when all fits. Nothing is too much that does not ask for more."""
    found = []
    for name, wanted in sorted(asked.items()):
        limit = hard.get(name)
        have = used.get(name, ZERO)
        if limit is not None and wanted.value > 0 and have.value + wanted.value > limit.value:
            found.append(Excess(name, wanted, have, limit))
    return found


def shares(name: str, entries: Iterable[tuple[Obj, Amounts]], *, by: str) -> list[Share]:
    """Who uses most of a quota name, the largest first. `by`: "namespace" or "owner"."""
    sums: dict[str, Amount] = {}
    for obj, uses in entries:
        if name in uses and uses[name].value > 0:
            whose = namespace_of(obj) if by == "namespace" else owner_of(obj)
            sums[whose] = sums.get(whose, ZERO).plus(uses[name])
    ordered = sorted(sums.items(), key=lambda one: (-one[1].value, one[0]))
    return [Share(whose, amount) for whose, amount in ordered[:_SHOWN]]


def owner_of(obj: Obj) -> str:
    """Whom an object is told by: its user, else what made it, else itself."""
    if user := annotations_of(obj).get(USER) or labels_of(obj).get(USER):
        return user
    made_by = controller_of(obj)
    return f"{made_by['kind']} {made_by['name']}" if made_by else f"{obj.get('kind', '')} {name_of(obj)}".strip()


def one_line(over: Excess) -> str:
    """ "requests.cpu: asked for 1, used 1500m of 2, over by 500m"."""
    return f"{over.name}: asked for {over.asked}, used {over.used} of {over.hard}, over by {over.over}"


def refusal(project: str, over: list[Excess], users: Mapping[str, str], coming: Amounts) -> str:
    """What is over, by how much, who uses the rest, how to ask for more.

    `users`: `used_by`, by name; `coming`: what of the usage is not there yet.
    """
    texts = [f"project {project} has not enough left: {'; '.join(one_line(one) for one in over)}."]
    for one in over:
        if users.get(one.name):
            texts.append(users[one.name])
        if one.name in coming and coming[one.name].value > 0:
            texts.append(f"Of {one.name}, {coming[one.name]} was admitted a moment ago and is not there yet.")
    texts.append(f"To ask for more: {how_to_ask(project, over)}")
    return " ".join(texts)


def used_by(name: str, entries: list[tuple[Obj, Amounts]]) -> str:
    """Who uses most of a quota name; "" when nobody uses any."""
    spaces = ", ".join(f"{one.whose} {one.amount}" for one in shares(name, entries, by="namespace"))
    owners = ", ".join(f"{one.whose} {one.amount}" for one in shares(name, entries, by="owner"))
    return f"{name} is used by namespaces {spaces}; most by {owners}." if spaces else ""


def how_to_ask(project: str, over: list[Excess]) -> str:
    """The command."""
    wanted = " ".join(f"--set {one.name}={one.used.plus(one.asked)}" for one in over)
    return f"skerry requests create quota {project} {wanted} --reason '...'"
