"""Who holds what in which project, kept current by informers; what was deleted lately stays until it is counted.

Invariants: what holds something is known from the API alone, so after a restart everything that is still there is
known again, from its beginning. A holder whose rate changes, or whose namespace goes to another project, is two: one
that ended when that was seen, and one that began then.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.kube.clock import Clock
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.platform.usage.amounts import NOTHING, Amounts, Who
from skerry.platform.usage.metering.spans import Span, used_between
from skerry.platform.usage.projects import project_of

SpanOf = Callable[[Obj], Span | None]


class Meter:
    """Of all projects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed: Callable[[str], None] = lambda _: None
        self._project_of: dict[str, str] = {}
        self._namespaces: dict[str, set[str]] = {}
        self._held: dict[str, dict[str, Span]] = {}
        """By namespace and uid."""
        self._over: dict[str, list[Span]] = {}
        """Of what was deleted, by project."""
        self._gone: set[str] = set()
        """Namespaces that were seen to go before all that was in them."""

    def on_change(self, changed: Callable[[str], None]) -> None:
        """Call it with a project of which something began or ended."""
        self._changed = changed

    def watch_namespaces(self, informer: Informer) -> None:
        """Which projects they belong to."""
        informer.add_handler(self._namespace_changed)

    def watch_holders(self, informer: Informer, span_of: SpanOf) -> None:
        """Pods, or claims."""
        informer.add_handler(lambda delta: self._holder_changed(delta, span_of))

    def is_active(self, project: str) -> bool:
        """Whether anything is to be counted."""
        return bool(self._over.get(project)) or any(self._held.get(one) for one in self._namespaces.get(project, ()))

    def goes_on(self, project: str) -> bool:
        """Whether something holds what it will hold a while longer."""
        held = (span for one in self._namespaces.get(project, ()) for span in self._held.get(one, {}).values())
        return any(span.end is None for span in held)

    def is_unsettled(self, project: str, counted: int, now: int) -> bool:
        """Whether something is deleted, began or ended that is not yet counted, nothing at all of what began in the
        second of that. What is to begin does not matter."""
        recent = (edge for span in self._spans(project) for edge in (span.begin, span.end) if edge is not None)
        return bool(self._over.get(project)) or any(counted <= edge <= now for edge in recent)

    def tally(self, project: str, after: int, until: int) -> dict[Who, Amounts]:
        """What a project used in a time, without what comes to nothing."""
        total: dict[Who, Amounts] = {}
        for span in self._spans(project):
            used = used_between(span, after, until)
            if used != NOTHING:
                total[span.who] = total.get(span.who, NOTHING).plus(used)
        return total

    def has_ended(self, project: str, after: int, until: int) -> bool:
        """Whether anything ended in a time: nobody can be asked any more what it made use of last."""
        return any(span.end is not None and after < span.end <= until for span in self._spans(project))

    def counted(self, project: str, until: int) -> None:
        """What ended before is written down and needs not be known any longer."""
        left = [span for span in self._over.get(project, ()) if span.end is None or span.end > until]
        if left:
            self._over[project] = left
        else:
            self._over.pop(project, None)

    def holder(self, namespace: str, uid: str) -> Who | None:
        """Whose something is that is there."""
        span = self._held.get(namespace, {}).get(uid)
        return span.who if span else None

    def namespaces(self, project: str) -> frozenset[str]:
        """Those of a project, as far as they hold anything."""
        return frozenset(one for one in self._namespaces.get(project, ()) if self._held.get(one))

    def _spans(self, project: str) -> list[Span]:
        held = [span for one in self._namespaces.get(project, ()) for span in self._held.get(one, {}).values()]
        return [*held, *self._over.get(project, ())]

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _namespace_changed(self, delta: Delta) -> None:
        name = name_of(delta.object)
        if delta.new is None:
            self._forget_when_empty(name)
            return
        self._gone.discard(name)
        before, after = self._project_of.get(name, ""), project_of(delta.new)
        if before == after:
            return
        if before:
            self._hand_over(name, before)
        elif delta.old is not None:
            self._begin_anew(name)
        if after:
            self._project_of[name] = after
            self._namespaces.setdefault(after, set()).add(name)
            self._tell(name)

    def _hand_over(self, namespace: str, project: str) -> None:
        """What is held there is another's from now on."""
        now = self._now()
        for span in self._held.get(namespace, {}).values():
            self._end(project, span, now)
        self._begin_anew(namespace)
        self._leave(namespace, project)
        self._changed(project)

    def _begin_anew(self, namespace: str) -> None:
        """What is held there was nobody's until now."""
        now, held = self._now(), self._held.get(namespace, {})
        for uid, span in held.items():
            held[uid] = Span(span.who, span.rate, max(span.begin, now), span.end)

    def _holder_changed(self, delta: Delta, span_of: SpanOf) -> None:
        namespace, uid = namespace_of(delta.object), uid_of(delta.object)
        held = self._held.setdefault(namespace, {})
        known, now = held.pop(uid, None), self._now()
        found = span_of(delta.new) if delta.new is not None else None
        if found is not None:
            held[uid] = self._continued(namespace, known, found, now, is_new=delta.old is None)
        elif known is not None:
            self._end(self._project_of.get(namespace, ""), known, now)
        if held.get(uid) != known:
            self._tell(namespace)
        if not held:
            del self._held[namespace]
            if known is not None and found is None:
                self._forget_when_gone(namespace)

    def _continued(self, namespace: str, known: Span | None, found: Span, now: int, *, is_new: bool) -> Span:
        if known is None:
            waited = not is_new and found.rate.storage > 0  # pods tell themselves when they began, claims do not
            return Span(found.who, found.rate, max(found.begin, now) if waited else found.begin, found.end)
        if known.rate == found.rate and known.who == found.who:
            return Span(found.who, found.rate, max(known.begin, found.begin), found.end)
        self._end(self._project_of.get(namespace, ""), known, now)
        return Span(found.who, found.rate, max(found.begin, now), found.end)

    def _end(self, project: str, span: Span, now: int) -> None:
        if project:
            end = now if span.end is None else min(span.end, now)
            self._over.setdefault(project, []).append(Span(span.who, span.rate, span.begin, end))

    def _tell(self, namespace: str) -> None:
        project = self._project_of.get(namespace, "")
        if project:
            self._changed(project)

    def _forget_when_empty(self, namespace: str) -> None:
        """A namespace may be seen to go before the last of what was in it."""
        if not self._held.get(namespace):
            self._leave(namespace, self._project_of.get(namespace, ""))
        else:
            self._gone.add(namespace)

    def _forget_when_gone(self, namespace: str) -> None:
        if namespace in self._gone:
            self._gone.discard(namespace)
            self._leave(namespace, self._project_of.get(namespace, ""))

    def _leave(self, namespace: str, project: str) -> None:
        self._project_of.pop(namespace, None)
        theirs = self._namespaces.get(project, set())
        theirs.discard(namespace)
        if not theirs:
            self._namespaces.pop(project, None)
