"""What Helm's post-renderer is answered, and what is known of it afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from skerry.kube.errors import ServiceUnavailable
from skerry.platform.releases.helm.rendering import Refused, Rendering, rendering


async def asked(error: Exception) -> tuple[bytes, Rendering]:
    """What came back, from a renderer that raises this."""

    async def render(text: str) -> str:
        assert text == "a: 1"
        raise error

    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        async with rendering(Path(folder) / "s", render) as given:
            reader, writer = await asyncio.open_unix_connection(Path(folder) / "s")
            writer.write(b"a: 1")
            writer.write_eof()
            answer = await reader.read()
            writer.close()
    return answer, given


@pytest.mark.parametrize("error", [Refused("no"), TypeError("'list' object is not a mapping"), RecursionError("deep")])
async def test_what_cannot_be_used_is_refused_with_why(error: Exception) -> None:
    answer, given = await asked(error)
    assert answer == b"-"
    assert str(error) in given.refusal
    assert given.failure is None


@pytest.mark.parametrize("error", [ServiceUnavailable("later"), ConnectionError("no")])
async def test_that_nobody_answers_is_nobodys_fault(error: Exception) -> None:
    answer, given = await asked(error)
    assert (answer, given.refusal, given.failure) == (b"-", "", error)
