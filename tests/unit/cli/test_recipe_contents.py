"""What recipes fetch. Debian's and Python's packages are fetched where images are built (tests/e2e/test_apps)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.cli.recipe import Recipe
from skerry.cli.recipe_contents import gather


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """With one package, locked, which lies beside it and has a script for its installation."""
    directory = tmp_path / "recipe"
    (directory / "tool").mkdir(parents=True)
    tool = {"name": "tool", "version": "1.0.0", "scripts": {"install": "touch was-run"}}
    (directory / "tool/package.json").write_text(json.dumps(tool))
    (directory / "package.json").write_text(json.dumps({"dependencies": {"tool": "file:tool"}}))
    lock = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--offline"]
    subprocess.run(lock, cwd=directory, check=True, capture_output=True, timeout=60)
    return Recipe(directory, "tool:1", npm="package-lock.json")


def test_packages_of_npm_are_there_and_their_scripts_did_not_run(recipe: Recipe, tmp_path: Path) -> None:
    context = tmp_path / "context"
    gather(recipe, context)
    assert (context / "node_modules/tool/package.json").is_file()
    assert not (context / "node_modules/tool/was-run").exists()
    assert not (recipe.directory / "node_modules").exists()


def test_a_lock_file_that_does_not_fit_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    (recipe.directory / "package.json").write_text('{"dependencies": {"other": "file:tool"}}')
    with pytest.raises(CommandFailed, match=r"the packages of package-lock\.json could not be fetched"):
        gather(recipe, tmp_path / "context")


def test_a_machine_without_npm_is_told_so(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("skerry.cli.engine_process._SBIN", ())
    with pytest.raises(MachineLacks, match="npm is missing: apt-get install npm"):
        gather(recipe, tmp_path / "context")
