"""Has Docker Compose itself read the files: variables, env files, `extends`, `include`, merges, short forms.

Compose is the program, not a re-reading of its format: what it makes of a file is what people know. It needs no Docker
for that. Its answer has secrets in it, and stays in memory.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.records import record

_SECONDS = 60.0


class Unreadable(Exception):
    """Compose cannot read the files; the message is its own."""


@record
class Wanted:
    """What to read. `profiles`: those services without a profile always, and those of these."""

    program: str
    files: Sequence[Path]
    profiles: Sequence[str] = ()
    env_files: Sequence[Path] = ()
    name: str = ""


def load(wanted: Wanted) -> Obj:
    """The application in Compose's canonical form, its strings as they are meant. Raises Unreadable."""
    words = [wanted.program]
    words += [word for file in wanted.files for word in ("--file", str(file))]
    words += [word for profile in wanted.profiles for word in ("--profile", profile)]
    words += [word for file in wanted.env_files for word in ("--env-file", str(file))]
    words += ["--project-name", wanted.name] if wanted.name else []
    try:
        done = subprocess.run(
            [*words, "config", "--format", "json"], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"Docker Compose does not run: {error}") from None
    if done.returncode:
        why = done.stderr.strip() or f"Docker Compose ended with {done.returncode}"
        raise Unreadable(f"{', '.join(map(str, wanted.files))}: {why}")
    project: Obj = _plain(json.loads(done.stdout))
    return project


def _plain(value: Any) -> Any:
    """Compose writes a dollar as two, so that its answer can be read by it again."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
