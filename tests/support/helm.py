"""The real Helm 4 against a server, and charts made on the spot."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.program import program_path
from tests.support.waiting import LIMIT


@dataclass(frozen=True, slots=True)
class Helm:
    """Helm with a kubeconfig, in one namespace. `home`: where it keeps its caches."""

    kubeconfig: Path
    home: Path
    namespace: str = "default"

    def __call__(self, *words: str) -> str:
        """Run it; what it wrote. Raises AssertionError with what it complained of when it fails."""
        done = self.attempt(*words)
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
        return done.stdout

    def fails(self, *words: str) -> str:
        """Run it where it must fail; what it complained of."""
        done = self.attempt(*words)
        assert done.returncode != 0, f"helm {' '.join(words)} went well: {done.stdout}"
        return done.stderr

    def json(self, *words: str) -> Any:
        """Run it with `-o json`."""
        return json.loads(self(*words, "-o", "json"))

    def history(self, release: str) -> list[tuple[int, str]]:
        """Revisions and their states, oldest first."""
        return [(one["revision"], one["status"]) for one in self.json("history", release)]

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever it says."""
        command = [program_path("helm"), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *words]
        homes = {f"HELM_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        env = {**os.environ, **homes}
        return subprocess.run(command, capture_output=True, text=True, timeout=4 * LIMIT, check=False, env=env)


def make_chart(directory: Path, files: Mapping[str, str], name: str = "app", values: str = "") -> Path:
    """A chart. `files`: paths inside it, such as `templates/a.yaml` or `crds/b.yaml`, and what is in them."""
    chart = directory / name
    described = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\nappVersion: '7'\n",
        "values.yaml": values,
    }
    for path, content in {**described, **files}.items():
        (chart / path).parent.mkdir(parents=True, exist_ok=True)
        (chart / path).write_text(content)
    return chart
