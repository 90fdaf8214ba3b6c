"""What a filled-in form comes to: its values, what is wrong with them, what it costs of what the project has left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from skerry.checking.checks import NAMES, Checks
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.releases.types import RELEASES
from skerry.portal.forms.fields import Field, Path, fields_of, leaves
from skerry.portal.forms.reading import Problem, read
from skerry.portal.launching.cost import Line, against, costs_of
from skerry.portal.launching.places import Place, place_of
from skerry.portal.launching.rendering import Complaint
from skerry.portal.launching.shelf import Chart
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import Fields
from skerry.portal.web.viewer import Viewer

_FINDINGS = 10
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?")
NAME, PLACE = ("name",), ("namespace",)
"""Paths of the two fields that are no values."""
_BAD_NAME = N_("At most 53 of a-z, 0-9 and -, a letter first, no - at the end.")
_TAKEN = N_("Something of this name runs in this project already.")
_NO_PLACE = N_("You may not launch anything there.")
_ASLEEP = N_("This project is asleep or ending: wake it, or ask for more time.")
_PATTERN = re.compile(r"'?(?P<got>.*?)'? does not match pattern .*", re.S)
_BOUND = re.compile(
    r"(?P<what>minimum|maximum|minLength|maxLength|minItems|maxItems): got (?P<got>\S+), want (?P<want>\S+)"
)
_BOUNDS = {
    "minimum": N_("At least %(want)s."),
    "maximum": N_("At most %(want)s."),
    "minLength": N_("At least %(want)s characters."),
    "maxLength": N_("At most %(want)s characters."),
    "minItems": N_("At least %(want)s of them."),
    "maxItems": N_("At most %(want)s of them."),
}


@record
class Draft:
    """A chart about to be launched, with its fields."""

    chart: Chart
    fields: Sequence[Field]

    @classmethod
    def of(cls, chart: Chart) -> Draft:
        """By its schema, when it has one."""
        return cls(chart, fields_of(chart.schema, chart.defaults))


@record
class Judgement:
    """`problems`: by field; `failure`: what is wrong with all of it; `lines`: what it costs, None when unknown."""

    name: str
    namespace: str
    values: dict[str, Any]
    problems: Sequence[Problem]
    failure: str
    lines: Sequence[Line] | None

    @property
    def over(self) -> Sequence[Line]:
        """What does not fit."""
        return [one for one in self.lines or () if one.over]

    @property
    def stops(self) -> bool:
        """Whether it is not launched as it is."""
        return bool(self.problems or self.failure or self.over)

    @property
    def may_anyway(self) -> bool:
        """Whether the person may insist: room may be made meanwhile."""
        return bool(self.over) and not self.problems and not self.failure

    def problem(self, path: Path) -> Problem | None:
        """The first with a field, or with a part of it."""
        return next((one for one in self.problems if one.path[: len(path)] == path), None)

    def taken(self) -> Judgement:
        """As it is when the name turns out to be taken."""
        problem = Problem(NAME, _TAKEN, {})
        return Judgement(self.name, self.namespace, self.values, (problem, *self.problems), self.failure, self.lines)


async def judge(viewer: Viewer, draft: Draft, submitted: Fields, *, thorough: bool = False) -> Judgement:
    """`thorough`: with what is checked before anything is applied, by the person's own rights. Raises StatusError,
    OSError when the cluster does not answer, TooMany."""
    filled = read(draft.fields, submitted)
    name, namespace = submitted.get("name"), submitted.get("namespace")
    place = await place_of(viewer, namespace)
    problems = [*_about_name(viewer, name, place), *_about_place(place), *filled.problems]
    failure, lines = "", None
    if draft.chart.archive and place is not None:
        shown_name = name if _NAME.fullmatch(name) else "app"
        with viewer.site.forms.one_more(viewer.person.user):
            rendered = await viewer.site.renderer.render(draft.chart.archive, shown_name, namespace, filled.values)
        problems += [_said(one, draft.fields) for one in rendered.complaints]
        failure = rendered.failure if not rendered.complaints else ""
        if not rendered.failure:
            lines = against(costs_of(rendered.objects, place.defaults), place.quota)
        if thorough and not problems and not rendered.failure:
            failure = await _checked(viewer, rendered.objects, namespace)
    return Judgement(name, namespace, filled.values, problems, failure, lines)


async def _checked(viewer: Viewer, objects: Sequence[Obj], namespace: str) -> str:
    """What speaks against applying them; "" when nothing does. The quota is judged by itself: people may insist."""
    from skerry.checking.check import check

    report = await check(viewer.client, objects, namespace, Checks(frozenset(NAMES) - {"quota", "apply"}))
    return "\n".join(map(str, report.errors[:_FINDINGS]))


def _about_name(viewer: Viewer, name: str, place: Place | None) -> list[Problem]:
    """Whether it is taken is said only of places that are the person's."""
    if not _NAME.fullmatch(name):
        return [Problem(NAME, _BAD_NAME, {})]
    is_taken = place is not None and viewer.site.informers.of(RELEASES).get(name, place.namespace) is not None
    return [Problem(NAME, _TAKEN, {})] if is_taken else []


def _about_place(place: Place | None) -> list[Problem]:
    if place is None:
        return [Problem(PLACE, _NO_PLACE, {})]
    return [Problem(PLACE, _ASLEEP, {})] if place.phase in ("Draining", "Hibernated") else []


def _said(complaint: Complaint, fields: Sequence[Field]) -> Problem:
    """What the schema's checker said, for people: by what the field itself says, where that helps more."""
    path, what = complaint.path, complaint.what
    if bound := _BOUND.fullmatch(what.strip()):
        return Problem(path, _BOUNDS[bound["what"]], {"want": bound["want"]})
    if _PATTERN.fullmatch(what):
        hint = next((one.hint for one in leaves(fields) if one.path == path[: len(one.path)]), "")
        return Problem(path, N_("This is not of the form that is wanted. %(hint)s"), {"hint": hint})
    return Problem(path, "%(what)s", {"what": what})
