"""Lets the platform see what Helm is about to apply, and change or refuse it: a directory for one run of Helm.

Helm's post-renderer is a few lines of shell (`HANDS_OVER`), which cost a fifth of what Python takes to start. It writes
the manifests to `rendered`, says so in the pipe `asked`, waits for our lock on `held` to be let go of and gives back
what is in `answer`. So it waits as long as we think, and not a moment when we have died. It is answered once: whatever
it asks then finds no answer. Neighbours: `program`, `home`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from functools import partial
from pathlib import Path

from skerry.kube.errors import StatusError
from skerry.kube.tasks import stop

log = logging.getLogger(__name__)

Render = Callable[[str], Awaitable[str]]
"""Manifests as Helm rendered them to manifests as they are applied. Raises Refused, StatusError, OSError."""
_LARGEST = 32 * 1024 * 1024
"""Bytes of manifests. Helm could not keep a release a tenth of this size."""
_NOTHING = "# nothing\n"
"""Helm refuses an answer that is empty; a chart may well have nothing to apply as its values are."""
PLACE = "SKERRY_RENDERING"
"""Environment variable: where the directory is."""
HANDS_OVER = f"""umask 077
cd "${PLACE}" && >answer || exit 1
head -c {_LARGEST + 1} >rendered && exec 3<>asked && echo >&3 && flock 4 4<held && [ -s answer ] && exec cat answer
"""
"""Of the shell; ends with an error when Helm may not go on. The platform knows why."""


class Refused(Exception):
    """They are not to be applied; the text is for whoever wants them."""


class Rendering:
    """What came of it: Helm keeps to itself what a post-renderer complains of."""

    def __init__(self, place: Path, render: Render) -> None:
        self._place = place
        self._render = render
        self.refusal = ""
        self.failure: StatusError | OSError | None = None
        """The API did not answer: nobody is to blame, and it is tried again."""

    async def answer(self) -> None:
        """What lies there; nothing when Helm may not go on."""
        try:
            manifests = await asyncio.to_thread(_sent, self._place / "rendered")
            answer = await self._render(manifests)
            await asyncio.to_thread(_tell, self._place / "answer", answer)
        except (Refused, ValueError) as error:
            self.refusal = str(error)
        except (StatusError, OSError) as error:
            self.failure = error
        except Exception as error:  # whatever shape a chart gives to what it renders: Helm waits for an answer
            log.exception("manifests cannot be looked at")
            self.refusal = f"what the chart renders cannot be used: {error}"


@asynccontextmanager
async def rendering(place: Path, render: Render) -> AsyncIterator[Rendering]:
    """Answer in a directory that is made for it, while inside."""
    place.mkdir(mode=0o700)
    given = Rendering(place, render)
    with _held(place / "held") as let_go, _pipe(place / "asked") as asked:
        answering = asyncio.create_task(_answer(given, asked, let_go), name="rendering")
        try:
            yield given
        finally:
            await stop(answering)


async def _answer(given: Rendering, asked: int, let_go: Callable[[], None]) -> None:
    await _readable(asked)
    await given.answer()
    let_go()


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


@contextmanager
def _held(path: Path) -> Iterator[Callable[[], None]]:
    """A lock that others wait for until they are let go, or we are no more."""
    with path.open("wb") as file:
        flock(file, LOCK_EX)
        yield partial(flock, file, LOCK_UN)


@contextmanager
def _pipe(path: Path) -> Iterator[int]:
    """A named one, both its ends: nobody who opens it waits for us."""
    os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sent(path: Path) -> str:
    """Raises Refused, OSError, ValueError."""
    content = path.read_bytes()
    if len(content) > _LARGEST:
        raise Refused("the chart renders more than 32 MiB of manifests")
    return content.decode()


def _tell(path: Path, answer: str) -> None:
    """All of it or nothing: the lock is let go of as well when we are killed while we write. Raises OSError."""
    whole = path.with_name("whole")
    whole.write_text(answer if answer.strip() else _NOTHING)
    whole.replace(path)
