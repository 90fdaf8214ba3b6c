"""Order, choice, waiting and reinvocation of plug-ins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Chain, Pending, Plugin
from skerry.engine.api.options import DeleteOptions, WriteOptions
from skerry.kube.errors import forbidden
from skerry.kube.resources import CONFIG_MAPS, PODS
from tests.unit.admission.attributes import attributes


def at_once(calls: list[str], name: str) -> Callable[[Attributes], None]:
    def step(_: Attributes) -> None:
        calls.append(name)

    return step


def later(calls: list[str], name: str, *, reinvoke: bool = False) -> Callable[[Attributes], Pending]:
    async def wait(on: Attributes) -> None:
        calls.append(name)
        on.reinvoke = on.reinvoke or reinvoke

    return wait


async def test_only_who_has_a_say_is_asked_and_in_order() -> None:
    calls: list[str] = []
    chain = Chain(
        (
            Plugin("A", mutate=at_once(calls, "a"), resources=frozenset({"pods"})),
            Plugin("B", mutate=at_once(calls, "b"), validate=at_once(calls, "B")),
            Plugin("C", validate=at_once(calls, "C"), resources=frozenset({"pods/exec"})),
            Plugin("D", mutate=at_once(calls, "d"), operations=CREATE),
        )
    )
    await chain.admit(attributes(PODS, {}))
    assert calls == ["a", "b", "d", "B"]
    calls.clear()
    await chain.admit(attributes(CONFIG_MAPS, {}, {}))
    assert calls == ["b", "B"]
    calls.clear()
    await chain.admit(attributes(PODS, {}, operation="CONNECT", subresource="exec"))
    assert calls == ["b", "B", "C"]


async def test_nothing_is_awaited_until_somebody_waits() -> None:
    calls: list[str] = []
    quick = Plugin("Q", mutate=at_once(calls, "q"), validate=at_once(calls, "Q"))
    slow = Plugin("S", mutate=later(calls, "s"), resources=frozenset({"pods"}))
    chain = Chain((quick, slow, Plugin("R", mutate=at_once(calls, "r"), allocate=at_once(calls, "+"))))
    assert chain.mutate(attributes(CONFIG_MAPS, {})) is None
    assert calls == ["q", "r", "+"]
    calls.clear()
    pending = chain.mutate(attributes(PODS, {}))
    assert pending is not None
    assert calls == ["q"]
    await pending
    assert calls == ["q", "s", "r", "+"]


async def test_a_change_from_outside_gives_everybody_one_more_round() -> None:
    calls: list[str] = []
    chain = Chain(
        (
            Plugin("A", mutate=at_once(calls, "a"), allocate=at_once(calls, "+")),
            Plugin("W", mutate=later(calls, "w", reinvoke=True)),
        )
    )
    on = attributes(PODS, {})
    await chain.admit(on)
    assert calls == ["a", "w", "a", "w", "+"]
    assert on.reinvoked


async def test_the_first_to_refuse_ends_it() -> None:
    calls: list[str] = []

    def refuse(on: Attributes) -> None:
        raise forbidden(on.resource, on.name, "no")

    chain = Chain((Plugin("A", validate=refuse), Plugin("B", validate=at_once(calls, "B"))))
    with pytest.raises(Exception, match='pods "p" is forbidden: no'):
        await chain.admit(attributes(PODS, {"metadata": {"name": "p"}}))
    assert calls == []


def test_options_are_told_as_an_object() -> None:
    assert attributes(PODS, {}, options=WriteOptions(dry_run=True, field_manager="m")).options_object() == {
        "kind": "CreateOptions",
        "apiVersion": "meta.k8s.io/v1",
        "dryRun": ["All"],
        "fieldManager": "m",
        "fieldValidation": "Warn",
    }
    deletion = attributes(PODS, None, {}, options=DeleteOptions(grace=0, propagation="Orphan", uid="u"))
    assert deletion.options_object() == {
        "kind": "DeleteOptions",
        "apiVersion": "meta.k8s.io/v1",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Orphan",
        "preconditions": {"uid": "u"},
    }


def test_warnings_are_given_once() -> None:
    on = attributes(PODS, {})
    on.warn("careful")
    on.warn("careful")
    assert on.request.warnings == ["careful"]
