"""How long Caddy is left alone between two configurations."""

from __future__ import annotations

from skerry.engine.network.ingress.controller import next_pause


def pauses(took: float, count: int) -> list[float]:
    found = [next_pause(1.0, took, more=False)]
    while len(found) < count:
        found.append(next_pause(found[-1], took, more=True))
    return found


def test_a_pause_grows_while_changes_go_on_until_it_is_as_long_as_a_load() -> None:
    assert pauses(0.3, 5) == [0.05, 0.1, 0.2, 0.3, 0.3]
    assert pauses(9.0, 8)[-2:] == [1.0, 1.0]
    assert pauses(0.001, 3) == [0.05, 0.05, 0.05], "short loads need no long pauses"


def test_a_quiet_moment_ends_that() -> None:
    assert next_pause(1.0, 2.0, more=False) == 0.05
