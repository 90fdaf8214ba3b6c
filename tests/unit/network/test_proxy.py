"""How far apart the proxy loads rules."""

from __future__ import annotations

from skerry.engine.network.proxy import next_pause


def pauses(*looks: tuple[bool, bool]) -> list[float]:
    """The pause after each look: whether it loaded something, whether more changes had come when its pause was over."""
    found, pause = [], next_pause(0, False, False)
    for loaded, more in looks:
        pause = next_pause(pause, loaded, more)
        found.append(pause)
    return found


def test_loads_are_further_and_further_apart_while_changes_go_on() -> None:
    found = pauses(*[(True, True)] * 10)
    assert found == sorted(found)
    assert found[0] < found[1] < found[-1] == found[-2] < 1
    assert next_pause(found[-1], True, False) < found[0], "a quiet moment ends that"


def test_changes_that_lead_to_no_rules_do_not_delay_those_that_do() -> None:
    assert pauses(*[(False, True)] * 10) == [next_pause(0, False, False)] * 10
