"""Events that are written once for as long as they are true."""

from __future__ import annotations

from typing import Any

from skerry.kube.telling import Telling

ONE, OTHER = ({"metadata": {"name": name, "uid": name}} for name in ("one", "other"))


class Heard:
    """In place of the recorder."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def event(self, involved: dict[str, Any], type_: str, reason: str, message: str) -> None:
        self.said.append((type_, message))


def test_a_problem_is_told_once_and_again_when_it_comes_back() -> None:
    heard = Heard()
    telling = Telling(heard)  # type: ignore[arg-type]
    for message in ("full", "full", "taken", "", "taken"):
        telling.problem(ONE, "Failed", message)
    assert heard.said == [("Warning", "full"), ("Warning", "taken"), ("Warning", "taken")]


def test_objects_and_reasons_are_kept_apart_and_forgotten() -> None:
    heard = Heard()
    telling = Telling(heard)  # type: ignore[arg-type]
    telling.problem(ONE, "Failed", "full")
    telling.problem(ONE, "Unfit", "full")
    telling.problem(OTHER, "Failed", "full")
    telling.news(ONE, "Done", "well")
    assert len(heard.said) == 4
    telling.forget_all_but([OTHER])
    telling.problem(OTHER, "Failed", "full")
    telling.problem(ONE, "Failed", "full")
    assert len(heard.said) == 5
