"""The one entry: what is wrong with objects that are about to be applied.

    report = await check(client, objects, "lidar")
    if report.errors:
        raise Refused(report.text())

`client` acts as whoever will apply them: what it may not read, it is not told of, and findings of severity Info say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from skerry.checking.apply import applied
from skerry.checking.checks import EVERYTHING, NAMES, WITHOUT_CLUSTER, Checks
from skerry.checking.deprecated import deprecated
from skerry.checking.facts import Facts
from skerry.checking.images import images, named
from skerry.checking.policy import policy
from skerry.checking.quota import quota
from skerry.checking.reading import read
from skerry.checking.registries import asked
from skerry.checking.report import Finding, Report, title
from skerry.checking.schema.check import schema
from skerry.checking.schema.examining import Examined, examine
from skerry.checking.secrets import secrets
from skerry.checking.trying import tried
from skerry.kube.image_names import full_name
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

Check = Callable[[Sequence[Obj], Facts], Iterable[Finding]]
CHECKS: Mapping[str, Check] = {
    "deprecated": deprecated,
    "policy": policy,
    "secrets": secrets,
    "quota": quota,
    "images": images,
    "apply": applied,
}
"""By name, all pure; each is given objects whose shape it can rely on. The check "schema" is what says so."""


async def check(
    client: HttpClient | None, objects: Sequence[Obj], namespace: str = "default", what: Checks = EVERYTHING
) -> Report:
    """What is wrong with objects, all that are applied together. `client`: None without a cluster; `namespace`: of
    objects that name none. Raises StatusError and OSError when the cluster does not answer."""
    examined = examine(objects)
    sound = [one.obj for one in examined if one.is_sound]
    if client is None:
        facts = await _with_registries(sound, Facts(namespace), what)
        return _judged(examined, facts, replace(what, names=what.names & WITHOUT_CLUSTER))
    facts = await _with_registries(sound, await read(client, sound, namespace, what), what)
    if "apply" in what.names:
        known = _judged(examined, facts, replace(what, names=frozenset({"schema", "deprecated"})))
        refused = {one.object for one in known.errors}
        facts = await tried(client, [one for one in sound if title(one) not in refused], facts)
    return _judged(examined, facts, what)


def judged(objects: Sequence[Obj], facts: Facts, what: Checks = EVERYTHING) -> Report:
    """What the checks say, of what is known."""
    return _judged(examine(objects), facts, what)


def _judged(examined: Sequence[Examined], facts: Facts, what: Checks) -> Report:
    sound = [one.obj for one in examined if one.is_sound]
    found = list(schema(examined, facts)) if "schema" in what.names else []
    for name in NAMES:
        if name in what.names and name in CHECKS:
            found += CHECKS[name](sound, facts)
    return Report.of(found)


async def _with_registries(objects: Sequence[Obj], facts: Facts, what: Checks) -> Facts:
    if not what.registries or "images" not in what.names:
        return facts
    there = facts.images.names if facts.images is not None else frozenset[str]()
    return replace(facts, registries=await asked(image for image in _full(objects) if image not in there))


def _full(objects: Sequence[Obj]) -> Iterable[str]:
    for _, image, pulled in (each for obj in objects for each in named(obj)):
        with suppress(ValueError):  # the check says so
            if pulled != "Never":
                yield full_name(image)
