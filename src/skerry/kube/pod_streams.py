"""Options of the streams into pods, as both ends need them: the API server that parses, the node that obeys.

Source: Kubernetes `PodLogOptions`, `PodExecOptions`, `PodAttachOptions`.
"""

from __future__ import annotations

from datetime import datetime

from skerry.kube.records import record

STDOUT, STDERR = 1, 2


@record
class LogOptions:
    """`PodLogOptions`. `tail_lines`, `limit_bytes`, `since_seconds`: None: no limit. `stream`: All, Stdout, Stderr."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since_seconds: int | None = None
    since_time: datetime | None = None
    stream: str = "All"


@record
class StreamOptions:
    """`PodExecOptions` / `PodAttachOptions`."""

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False
