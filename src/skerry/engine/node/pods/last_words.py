"""A container's termination message: what it wrote to its message file, or the end of its log.

Source of the behaviour: the kubelet's `getTerminationMessage`, and Kubernetes' documented limits: 4096 bytes of the
file, 2048 bytes or 80 lines of the log.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from skerry.engine.node.access.log_lines import Renderer
from skerry.engine.node.pods.state import ContainerRecord
from skerry.kube.records import record

_LONGEST_MESSAGE, _LOG_BYTES, _LOG_LINES = 4096, 2048, 80


@record
class MessageSource:
    """Where a container may have left its last words. `log` is its log file; `from_log` is the policy
    FallbackToLogsOnError."""

    file: Path
    log: Path
    from_log: bool


def with_last_words(record: ContainerRecord, source: MessageSource) -> ContainerRecord:
    """An exited container with its termination message (the kubelet's `getTerminationMessage`)."""
    message = _tail_of_file(source.file, _LONGEST_MESSAGE)
    if not message and source.from_log and record.exit_code != 0:
        message = _tail_of_log(source.log)
    return replace(record, message=message or record.message)


def _tail_of_file(path: Path, length: int) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(length).decode(errors="replace")
    except OSError:
        return ""


def _tail_of_log(path: Path) -> str:
    """The text of the last lines of a CRI log, as `kubectl logs` prints them: what ends without a newline has none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 8 * _LOG_BYTES))
            lines = stream.read().splitlines()[-_LOG_LINES:]
    except OSError:
        return ""
    return Renderer().render(lines)[-_LOG_BYTES:].decode(errors="replace")
