"""How claims grow: what is next, and what the status says. By hypothesis: whatever the driver does, it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.storage.provisioning import resizing
from skerry.engine.storage.provisioning.resizing import Next, Step
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj
from skerry.kube.quantities import binary_quantity

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GIB = 2**30


def claim(wanted: int, have: int = 1, **status: Any) -> Obj:
    """Sizes in GiB."""
    return {
        "spec": {"resources": {"requests": {"storage": f"{wanted}Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": f"{have}Gi"}, **status},
    }


def under_way(state: str, size: int) -> dict[str, Any]:
    return {"allocatedResources": {"storage": f"{size}Gi"}, "allocatedResourceStatuses": {"storage": state}}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (claim(1), Next(Step.NOTHING)),
        (claim(2), Next(Step.EXPAND, 2 * GIB)),
        ({**claim(2), "status": {"phase": "Pending"}}, Next(Step.NOTHING)),
        (claim(5, **under_way("ControllerResizeInProgress", 3)), Next(Step.EXPAND, 3 * GIB)),
        (claim(2, **under_way("ControllerResizeInProgress", 3)), Next(Step.EXPAND, 3 * GIB)),
        (claim(2, **under_way("ControllerResizeInfeasible", 9)), Next(Step.EXPAND, 2 * GIB)),
        (claim(1, **under_way("ControllerResizeInfeasible", 9)), Next(Step.GIVE_UP)),
        (claim(3, **under_way("NodeResizePending", 3)), Next(Step.NOTHING)),
        (claim(4, **under_way("NodeResizePending", 3)), Next(Step.EXPAND, 4 * GIB)),
        (claim(3, **under_way("NodeResizeInProgress", 3)), Next(Step.NOTHING)),
    ],
)
def test_what_is_next(obj: Obj, expected: Next) -> None:
    assert resizing.next_step(obj) == expected


def test_what_others_wrote_into_the_status_stays() -> None:
    theirs = {"type": "ModifyingVolume", "status": "True"}
    obj = claim(2, conditions=[theirs], allocatedResources={"example.com/other": "1"})
    status = resizing.begun(obj, 2 * GIB, NOW)
    assert status["allocatedResources"] == {"example.com/other": "1", "storage": "2Gi"}
    ended = resizing.done({**obj, "status": status}, 2 * GIB, on_node=False, now=NOW)
    assert ended["conditions"] == [theirs]
    assert "allocatedResourceStatuses" not in ended
    assert obj == claim(2, conditions=[theirs], allocatedResources={"example.com/other": "1"})


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["grows", "grows on node", "busy", "never"])),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_happens_a_claim_gets_what_was_asked_last(story: list[tuple[int, str]]) -> None:
    """Sizes are asked for in turn, a driver answers each time; in the end it says yes and all is done."""
    obj, real = claim(1), 1
    for wanted, answer in [*story, (story[-1][0], "grows"), (story[-1][0], "grows"), (story[-1][0], "grows")]:
        have = int(obj["status"]["capacity"]["storage"].removesuffix("Gi"))
        asked = max(wanted, have)
        obj = {**obj, "spec": {"resources": {"requests": {"storage": f"{asked}Gi"}}}}
        obj, real = step(obj, real, answer)
    status = obj["status"]
    assert "allocatedResourceStatuses" not in status
    assert status["capacity"]["storage"] == status.get("allocatedResources", status["capacity"])["storage"]
    assert resizing.next_step(obj) == Next(Step.NOTHING)
    assert not status.get("conditions")


def step(obj: Obj, real: int, answer: str) -> tuple[Obj, int]:
    """One round of controller and node."""
    decided = resizing.next_step(obj)
    if decided.step is Step.GIVE_UP:
        return {**obj, "status": resizing.given_up(obj)}, real
    if decided.step is Step.EXPAND:
        obj = {**obj, "status": resizing.begun(obj, decided.size, NOW)}
        assert condition_is_true(obj, resizing.RESIZING)
        if answer in ("busy", "never"):
            failed = resizing.failed(obj, answer, for_good=answer == "never", now=NOW)
            return {**obj, "status": failed}, real
        real = max(real, decided.size // GIB)
        on_node = answer == "grows on node"
        obj = {**obj, "status": resizing.done(obj, real * GIB, on_node=on_node, now=NOW)}
        if on_node:
            assert condition_is_true(obj, resizing.PENDING)
            return obj, real
    if (obj["status"].get("allocatedResourceStatuses") or {}).get("storage") == "NodeResizePending":
        obj = {**obj, "status": resizing.done(obj, real * GIB, on_node=False, now=NOW)}  # as the node writes it
        assert obj["status"]["capacity"] == {"storage": binary_quantity(real * GIB)}
    return obj, real
