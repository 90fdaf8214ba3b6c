"""What Helm's post-renderer is answered, and what is known of it afterwards."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from skerry.kube.errors import ServiceUnavailable
from skerry.platform.releases.helm import rendering as module
from skerry.platform.releases.helm.rendering import HANDS_OVER, PLACE, Refused, Rendering, rendering


async def handed_over(place: Path, manifests: str) -> tuple[int, str]:
    """As Helm runs it: how it ended, what it gave back."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", HANDS_OVER, stdin=pipe, stdout=pipe, env={PLACE: str(place), "PATH": os.defpath}
    )
    given, _ = await asyncio.wait_for(process.communicate(manifests.encode()), 60)
    return process.returncode or 0, given.decode()


async def asked(place: Path, error: Exception) -> tuple[tuple[int, str], Rendering]:
    """What came back, from a renderer that raises this."""

    async def render(text: str) -> str:
        assert text == "a: 1"
        raise error

    async with rendering(place, render) as given:
        answer = await handed_over(place, "a: 1")
    return answer, given


async def changed(text: str) -> str:
    return text.replace("1", "2")


async def test_what_is_answered_is_given_back_once(tmp_path: Path) -> None:
    place = tmp_path / "place"
    manifests = "a: 1\n" * 100_000  # more than a pipe holds
    async with rendering(place, changed) as given:
        assert await handed_over(place, manifests) == (0, manifests.replace("1", "2"))
        assert await handed_over(place, "b: 1") == (1, ""), "nobody has looked at these"
    assert (given.refusal, given.failure) == ("", None)


async def test_nothing_to_apply_is_an_answer(tmp_path: Path) -> None:
    async with rendering(tmp_path / "place", changed):
        assert await handed_over(tmp_path / "place", "\n") == (0, "# nothing\n")


async def test_half_an_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, _to: Path) -> None:
        assert path.read_text() == "a: 2"
        raise OSError("killed before all of it was there")

    monkeypatch.setattr(Path, "replace", killed)
    async with rendering(tmp_path / "place", changed) as given:
        assert await handed_over(tmp_path / "place", "a: 1") == (1, "")
    assert isinstance(given.failure, OSError)


@pytest.mark.parametrize("error", [Refused("no"), TypeError("'list' object is not a mapping"), RecursionError("deep")])
async def test_what_cannot_be_used_is_refused_with_why(tmp_path: Path, error: Exception) -> None:
    answer, given = await asked(tmp_path / "place", error)
    assert answer == (1, "")
    assert str(error) in given.refusal
    assert given.failure is None


@pytest.mark.parametrize("error", [ServiceUnavailable("later"), ConnectionError("no")])
async def test_that_nobody_answers_is_nobodys_fault(tmp_path: Path, error: Exception) -> None:
    answer, given = await asked(tmp_path / "place", error)
    assert (answer, given.refusal, given.failure) == ((1, ""), "", error)


async def test_too_much_is_refused_and_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = module._LARGEST
    monkeypatch.setattr(module, "_LARGEST", 1000)
    monkeypatch.setitem(globals(), "HANDS_OVER", HANDS_OVER.replace(str(most + 1), "1001"))
    place = tmp_path / "place"
    async with rendering(place, changed) as given:
        assert await handed_over(place, "a: 1\n" * 100_000) == (1, "")
    assert "32 MiB" in given.refusal
    assert (place / "rendered").stat().st_size == 1001


async def test_when_the_platform_is_gone_nobody_waits_for_it(tmp_path: Path) -> None:
    place = tmp_path / "place"
    async with rendering(place, changed):
        pass
    assert await handed_over(place, "a: 1") == (1, "")


async def test_who_waits_is_let_go_when_the_run_ends(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def never(_text: str) -> str:
        begun.set()
        await asyncio.Event().wait()
        return ""

    place = tmp_path / "place"
    async with rendering(place, never):
        waiting = asyncio.create_task(handed_over(place, "a: 1"))
        await begun.wait()
        assert not waiting.done()
    assert await waiting == (1, "")
