"""One container log in CRI's format, as lines: parsing, filtering, and where the last lines begin. Pure.

A record is `<RFC 3339 time> <stdout|stderr> <P|F> <text>`; `P` marks a piece of a longer line, `F` its end. Source:
Kubernetes' CRI logging design, kubelet `pkg/kubelet/kuberuntime/logs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from skerry.kube.records import record

_BLOCK = 64 << 10
_FRACTION_DIGITS = 9
_STREAMS = (b"stdout", b"stderr")


@record
class Record:
    """One record: the time as written, whether it is stdout's, whether it ends its line, its text."""

    time: bytes
    stdout: bool
    full: bool
    text: bytes


def parse_record(line: bytes) -> Record | None:
    """A line without its newline; None for what is not in the format (a damaged file, a crash in mid-write)."""
    parts = line.split(b" ", 3)
    if len(parts) < 3 or parts[1] not in _STREAMS or parts[2][:1] not in (b"P", b"F"):
        return None
    text = parts[3] if len(parts) > 3 else b""
    return Record(parts[0], parts[1] == b"stdout", parts[2][:1] == b"F", text)


@dataclass(slots=True)
class Renderer:
    """Turns records into what `kubectl logs` prints. Remembers whether the next piece begins a line."""

    timestamps: bool = False
    since: datetime | None = None
    stream: str = "All"
    remaining: int | None = None
    """Bytes that may still be given, None for no limit."""
    _at_start: dict[bool, bool] = field(default_factory=lambda: {True: True, False: True})

    @property
    def finished(self) -> bool:
        """Whether the limit of bytes has been reached."""
        return self.remaining is not None and self.remaining <= 0

    def render(self, lines: Sequence[bytes]) -> bytes:
        """The text of these records, joined."""
        text = self._all_at_once(lines) or b"".join(self._pieces(lines))
        if self.remaining is not None:
            text = text[: max(0, self.remaining)]
            self.remaining -= len(text)
        return text

    def _all_at_once(self, lines: Sequence[bytes]) -> bytes:
        """The same ten times faster, when everything is wanted and every record is a whole line; else b""."""
        if not lines or self.timestamps or self.since is not None or self.stream != "All":
            return b""
        texts = []
        for line in lines:
            parts = line.split(b" ", 3)
            if len(parts) != 4 or parts[2] != b"F" or parts[1] not in _STREAMS:
                return b""
            texts.append(parts[3])
        return b"\n".join((*texts, b""))

    def _pieces(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            record = parse_record(line)
            if record is None or not self._wanted(record):
                continue
            if self.timestamps and self._at_start[record.stdout]:
                yield fixed_width(record.time) + b" "
            yield record.text
            if record.full:
                yield b"\n"
            self._at_start[record.stdout] = record.full

    def _wanted(self, record: Record) -> bool:
        if self.stream != "All" and (self.stream == "Stdout") != record.stdout:
            return False
        if self.since is None:
            return True
        if written_at(record.time) < self.since:
            return False
        self.since = None  # a log is in order of time
        return True


def written_at(time: bytes) -> datetime:
    """The record's time, cut to microseconds; the beginning of time when it cannot be read."""
    try:
        return datetime.fromisoformat(time.decode("ascii"))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def fixed_width(time: bytes) -> bytes:
    """`2026-01-02T03:04:05.1Z` with nine digits after the point, as Kubernetes prints it."""
    body, zone = (time[:-1], b"Z") if time.endswith(b"Z") else (time[:-6], time[-6:])
    seconds, _, fraction = body.partition(b".")
    return seconds + b"." + fraction.ljust(_FRACTION_DIGITS, b"0") + zone


def tail_offset(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` whole lines begin (a line in pieces counts once). Reads from the end, block by block."""
    position = file.seek(0, 2)
    wanted = lines + 1  # the end of the line before them
    carried = b""
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        block = file.read(position - begin) + carried
        # the first record of a block may begin before it: it is looked at with the block before
        head = (block.find(b"\n") + 1 or len(block)) if begin > 0 else 0
        end = len(block)
        while end > head:
            start = max(block.rfind(b"\n", head, end - 1) + 1, head)
            record = parse_record(block[start:end].rstrip(b"\n"))
            if record is not None and record.full:
                wanted -= 1
                if wanted == 0:
                    return begin + end
            elif wanted == lines + 1 and record is not None:
                wanted -= 1  # an unfinished last line is a line, too
            end = start
        carried, position = block[:head], begin
    return 0
