"""Tries objects on the API, in dry runs, for the check "apply".

What comes with the objects is not there yet: a namespace, a definition, a role that a binding names. What the API says
only because of that is no finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from skerry.checking.facts import Facts, Key, kind_of
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, name_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_AT_ONCE = 8
_NOT_TRIED = "does not support dry run"
"""What the API says when a webhook cannot be asked without consequences."""


async def tried(client: HttpClient, objects: Sequence[Obj], facts: Facts) -> Facts:
    """The facts with what the API refuses. Raises OSError."""
    turn = asyncio.Semaphore(_AT_ONCE)
    coming = {name_of(one) for one in objects}
    known = [one for one in objects if kind_of(one) in facts.resources and name_of(one)]

    async def one(obj: Obj) -> tuple[Key, str]:
        async with turn:
            refusal = await _refusal(client, obj, facts)
        return facts.key(obj), "" if _is_of_the_others(refusal, coming - {name_of(obj)}) else refusal

    made = {name_of(space) for space in objects if kind_of(space) == ("v1", "Namespace")}
    answers = await asyncio.gather(*(one(obj) for obj in known if facts.namespace_of(obj) not in made or
                                     facts.space(facts.namespace_of(obj)).exists))  # fmt: skip
    return replace(facts, refusals={key: said for key, said in answers if said})


async def _refusal(client: HttpClient, obj: Obj, facts: Facts) -> str:
    resource = facts.resources[kind_of(obj)]
    wanted = {key: value for key, value in obj.items() if key != "status"}
    try:
        await client.preview(resource, wanted, facts.namespace_of(obj) or None)
    except StatusError as error:
        return "" if _NOT_TRIED in error.message or error.code >= 500 else error.message
    return ""


def _is_of_the_others(refusal: str, coming: Iterable[str]) -> bool:
    """Whether something is missing that comes with the other objects."""
    return "not found" in refusal and any(f'"{name}"' in refusal for name in coming)
