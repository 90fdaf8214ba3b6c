"""Logs of containers as a browser follows them: lines in batches, filtered here when somebody searches all of it.

Lines that come together leave together, as one event; a line is cut where it is longer than anybody reads.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping

from skerry.kube.records import record
from skerry.portal.streams.reach import Container, subresource_target

LONGEST_LINE = 16 * 1024
"""Bytes."""
LINES = 1000
"""Shown to begin with."""
MATCHES = 5000
"""At most, of a search."""
_BATCH = 500


@record
class Wanted:
    """What of a log."""

    at: Container
    follow: bool = True
    previous: bool = False
    """Of the container that ran before this one."""
    search: str = ""
    """Only lines with this text in them, upper or lower case, of the whole log."""

    @property
    def target(self) -> str:
        """Where the API has it."""
        params = [("timestamps", "true")]
        if self.follow and not self.previous:
            params.append(("follow", "true"))
        if self.previous:
            params.append(("previous", "true"))
        if not self.search:
            params.append(("tailLines", str(LINES)))
        return subresource_target(self.at, "log", params)


def wanted_of(at: Container, query: Mapping[str, str]) -> Wanted:
    """As a page asks for it."""
    return Wanted(
        at, query.get("follow") != "no", query.get("previous") == "yes", query.get("search", "")[:200].strip()
    )


async def batches(pieces: AsyncIterator[bytes], search: str = "") -> AsyncGenerator[list[list[str]], None]:
    """Lines as [time, text]. Ends after `MATCHES` of them when something is searched for."""
    rest, found, wanted = b"", 0, search.casefold()
    async for piece in pieces:
        whole, rest = _split(rest + piece)
        lines = _matching(whole, wanted)
        for start in range(0, len(lines), _BATCH):
            yield lines[start : start + _BATCH]
        found += len(lines)
        if wanted and found >= MATCHES:
            return
    if rest and (last := _matching([rest], wanted)):
        yield last


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    *whole, rest = data.split(b"\n")
    if len(rest) > LONGEST_LINE:
        return [*whole, rest], b""
    return whole, rest


def _matching(lines: Iterable[bytes], wanted: str) -> list[list[str]]:
    read = (_line(one) for one in lines if one)
    return [one for one in read if wanted in one[1].casefold()]


def _line(line: bytes) -> list[str]:
    """The time that the API puts before a line, and the line."""
    time, _, text = line[:LONGEST_LINE].decode(errors="replace").rstrip("\r").partition(" ")
    if len(time) >= 20 and time[4:5] == "-" and time[10:11] == "T":
        return [time, text]
    return ["", f"{time} {text}".rstrip() if text else time]
