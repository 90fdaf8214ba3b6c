"""Check "schema": whether each object is of a kind that there is, and has the fields of that kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from skerry.checking.deprecated import REMOVED
from skerry.checking.facts import Facts, Key, Kind, kind_of
from skerry.checking.report import Finding, title
from skerry.checking.schema.examining import Examined
from skerry.checking.schema.schemas import Schema, built_in, defined, is_kubernetes_own
from skerry.checking.schema.validating import Problem, problems
from skerry.kube.objects import Obj, name_of


def schema(examined: Sequence[Examined], facts: Facts) -> Iterator[Finding]:
    """What is wrong with the shape of objects: by themselves, and by what is known of other kinds."""
    own = defined(one.obj for one in examined if one.is_sound)
    seen: set[Key] = set()
    for one in examined:
        about = title(one.obj)
        for problem in (*one.problems, *(_other_kind(one.obj, own, facts) if one.is_sound else ())):
            yield Finding("Error", "schema", about, *problem[:3])
        if not one.is_sound:
            continue
        key = facts.key(one.obj)
        if key in seen and name_of(one.obj):
            yield Finding("Error", "schema", about, "", "it is there twice: one would overwrite the other")
        seen.add(key)
        if _is_unknown(kind_of(one.obj), own, facts):
            message = "not compared with a schema: none is known of {1} in {0}".format(*kind_of(one.obj))
            yield Finding("Info", "schema", about, "", message, "" if facts.online else "ask a cluster that has it")


def _other_kind(obj: Obj, own: Mapping[Kind, Schema], facts: Facts) -> Iterator[Problem]:
    """By schemas that are not Kubernetes' own."""
    api_version, kind = of = kind_of(obj)
    if built_in(*of) is not None or of in REMOVED:  # compared already; the check "deprecated" says more
        return
    found = own.get(of) or facts.schemas.get(of)
    if found is not None:
        yield from problems(found, obj)
    elif is_kubernetes_own(api_version):
        yield Problem("kind", f"Kubernetes has no {kind} in {api_version}")
    elif of in facts.schemas:
        yield Problem("kind", f"the cluster has no {kind} in {api_version}", "is its operator installed?")


def _is_unknown(of: Kind, own: Mapping[Kind, Schema], facts: Facts) -> bool:
    if of in REMOVED or of in facts.schemas or of in own:
        return False
    return built_in(*of) is None and not is_kubernetes_own(of[0])
