"""Whose turn it is among the releases of a project."""

from __future__ import annotations

from skerry.platform.releases.crowds import AT_ONCE, Crowds


def full(called: list[str]) -> Crowds:
    crowds = Crowds(called.append)
    assert all(crowds.enter("lidar", f"inside-{number}") for number in range(AT_ONCE))
    return crowds


def test_who_wants_nothing_any_more_calls_the_next() -> None:
    called: list[str] = []
    crowds = full(called)
    for key in ("a", "b", "c"):
        assert not crowds.enter("lidar", key)
    crowds.leave("lidar")
    assert called == ["a"]
    crowds.looked_at("a")  # it was deleted, or is as it is wanted
    assert called == ["a", "b"]
    assert crowds.enter("lidar", "b")
    crowds.looked_at("b")
    crowds.leave("lidar")
    assert called == ["a", "b", "c"]


def test_who_asks_often_waits_once() -> None:
    called: list[str] = []
    crowds = full(called)
    for key in ("a", "a", "a", "b"):
        assert not crowds.enter("lidar", key)
        crowds.looked_at(key)
    assert called == []
    crowds.leave("lidar")
    assert crowds.enter("lidar", "a")
    crowds.leave("lidar")
    assert called == ["a", "b"]
    assert crowds.enter("sea", "x")
