"""Waiting for CRI to show an end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from skerry.engine.node.access.attach_session import AttachSession
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.cri.ends import CERTAIN, PATIENCE, ended_container, once_over
from skerry.kube.errors import InternalError


class Cri:
    """Answers with what it is given, one after the other; the last for ever."""

    def __init__(self, *answers: pb.ContainerStatus | CriError) -> None:
        self.answers = list(answers)

    async def container_status(self, container_id: str) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CriError):
            raise answer
        return SimpleNamespace(status=answer)


RUNS = pb.ContainerStatus(state=pb.CONTAINER_RUNNING)
ENDED = pb.ContainerStatus(state=pb.CONTAINER_EXITED, exit_code=3)
GONE, AWAY = CriError("NOT_FOUND", "gone"), CriError("UNAVAILABLE", "away")


async def test_asked_until_the_end_shows() -> None:
    assert await ended_container(Cri(RUNS, RUNS, ENDED), "c") == ENDED  # type: ignore[arg-type]
    assert await ended_container(Cri(RUNS, GONE), "c") is None  # type: ignore[arg-type]
    with pytest.raises(CriError, match="away"):
        await ended_container(Cri(RUNS, AWAY), "c")  # type: ignore[arg-type]


async def test_what_runs_on_is_taken_as_it_is() -> None:
    async def ask() -> str:
        return "runs"

    assert await once_over(ask, lambda state: state == "ended", patience=0.02) == "runs"


async def test_an_announced_end_is_waited_for_in_steps_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def no_time_at_all(seconds: float) -> None:
        pauses.append(seconds)

    async def ask() -> str:
        return "ended" if sum(pauses) > 60 else "runs"

    monkeypatch.setattr("skerry.engine.node.cri.ends.asyncio.sleep", no_time_at_all)
    assert await once_over(ask, lambda state: state == "ended", CERTAIN) == "ended"
    assert max(pauses) == 1.0
    assert CERTAIN > 60 > PATIENCE


async def test_the_exit_code_of_an_attachment() -> None:
    async def waiting(*answers: pb.ContainerStatus | CriError) -> int:
        return await AttachSession(Cri(*answers), "c", None, None).wait()  # type: ignore[arg-type]

    assert await waiting(RUNS, ENDED) == 3
    assert await waiting(GONE) == 0
    with pytest.raises(InternalError, match="does not answer"):
        await waiting(AWAY)
