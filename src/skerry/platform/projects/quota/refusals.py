"""What was refused, for the people who were not there: a controller asked, and nobody reads its answer.

An event on the object that the controller works for and one on the project; and what `reporting` makes the condition
`QuotaExceeded` of, until it comes through or would fit, or nobody has asked for it for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from skerry.kube.objects import Obj, controller_of, name_of
from skerry.kube.quota.amounts import Amount, Amounts
from skerry.kube.records import record
from skerry.platform.base.admission import Review
from skerry.platform.base.capability import Context
from skerry.platform.projects.quota.judging import Excess, excess
from skerry.platform.projects.types import PROJECTS

REASON = "QuotaExceeded"
FORGOTTEN_AFTER = timedelta(hours=1)
_MOST = 20


@record
class Refused:
    """One thing that did not fit. `asked`: what was too much, by name."""

    what: str
    asked: Amounts
    message: str
    at: datetime
    """Steady time."""


class Refusals:
    """The last ones of each project. One for hook and report: `refusals_of(context)`."""

    def __init__(self, context: Context) -> None:
        self._recorder, self._clock = context.recorder.named("skerry-quota"), context.clock
        self._known: dict[str, dict[str, Refused]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have `listener` called with a project's name when it was refused something."""
        self._listeners.append(listener)

    def note(self, project: Obj, review: Review, over: list[Excess], message: str) -> None:
        """Tell whoever looks at the project or at what made the object; remember what a program was refused, for it
        goes on trying. A person has the answer."""
        owner = controller_of(review.object)
        what = _what(review, owner)
        self._tell(project, review, owner, f"{what}: {message}")
        if owner is None and not review.user.startswith("system:"):
            return
        known = self._known.setdefault(name_of(project), {})
        known.pop(what, None)
        known[what] = Refused(what, {one.name: one.asked for one in over}, message, self._clock.steady())
        if len(known) > _MOST:
            del known[next(iter(known))]
        for listener in self._listeners:
            listener(name_of(project))

    def admitted(self, project: str, review: Review) -> None:
        """What was refused before has come through."""
        known = self._known.get(project)
        if known and known.pop(_what(review, controller_of(review.object)), None):
            for listener in self._listeners:
                listener(project)

    def of(self, project: str, used: Amounts, hard: Mapping[str, Amount]) -> list[Refused]:
        """Those that would be refused again, the newest last. What fits by now is forgotten."""
        oldest = self._clock.steady() - FORGOTTEN_AFTER
        known = self._known.get(project, {})
        kept = {what: one for what, one in known.items() if one.at > oldest and excess(one.asked, used, hard)}
        if kept:
            self._known[project] = kept
        else:
            self._known.pop(project, None)
        return list(kept.values())

    def _tell(self, project: Obj, review: Review, owner: Obj | None, message: str) -> None:
        about = {"apiVersion": PROJECTS.api_version, "kind": PROJECTS.kind, "metadata": project["metadata"]}
        self._recorder.event(about, "Warning", REASON, message)
        if owner is not None:
            metadata = {"namespace": review.namespace, "name": owner["name"], "uid": owner.get("uid", "")}
            reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "metadata": metadata}
            self._recorder.event(reference, "Warning", REASON, message)


def _what(review: Review, owner: Obj | None) -> str:
    """ "a Pod of ReplicaSet lidar/web-5d", "PersistentVolumeClaim lidar/data"."""
    kind = review.object.get("kind") or review.plural
    if owner is not None:
        return f"a {kind} of {owner['kind']} {review.namespace}/{owner['name']}"
    return f"{kind} {review.namespace}/{name_of(review.object) or review.name}"


def refusals_of(context: Context) -> Refusals:
    """The one that hook and report share."""
    return context.once(Refusals, lambda: Refusals(context))
