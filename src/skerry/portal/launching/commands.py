"""The commands that do what a form does. Values that no shell must touch go through a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from skerry.portal.forms.reading import written
from skerry.portal.launching.shelf import Chart

_END = "END"


def launch_command(chart: Chart, name: str, namespace: str, values: Mapping[str, Any]) -> str:
    """`skerry launch`, as it can be pasted."""
    words = ["skerry", "launch", chart.entry["spec"]["name"], "--name", name, "--namespace", namespace]
    if not values:
        return shlex.join(words)
    return (
        f"cat >values.yaml <<'{_END}'\n{written(dict(values))}{_END}\n{shlex.join([*words, '--values', 'values.yaml'])}"
    )
