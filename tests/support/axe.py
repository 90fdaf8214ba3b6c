"""Whether a page can be used by everybody, as far as a machine can tell: axe-core, in the page itself."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.program import program_path

_PACKAGE = Path(__file__).with_name("axe")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def _source() -> str:
    """As npm brings it, once for all tests."""
    with tempfile.TemporaryDirectory(prefix="skerry-axe-") as folder:
        for one in _PACKAGE.iterdir():
            (Path(folder) / one.name).write_bytes(one.read_bytes())
        command = [program_path("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        return (Path(folder) / "node_modules/axe-core/axe.min.js").read_text()


async def barriers_of(page: Any) -> list[str]:
    """What stands in the way on a page of Playwright's, by WCAG 2.2 A and AA. It is put there beside the page's policy,
    which would not let it in."""
    await page.evaluate(f"{_source()}; undefined")
    found = await page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", _RULES)
    return [
        f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for one in found["violations"]
        for node in one["nodes"]
    ]
