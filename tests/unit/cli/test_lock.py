"""The lock files: complete, pinned by hash, and naming no place to fetch from."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock", "scripts/clients.lock", "images/jupyterhub/requirements.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_host_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    packages = re.findall(r"^([a-z0-9-]+)==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.M))


def test_what_is_declared_is_locked() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "requirements.lock": [*declared["project"]["dependencies"], *declared["dependency-groups"]["build"]],
        "requirements-dev.lock": [*declared["project"]["dependencies"], *declared["dependency-groups"]["dev"]],
    }
    for lock, requirements in wanted.items():
        locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), re.M))
        names = {re.split(r"[<>=\[ ]", one)[0].lower() for one in requirements}
        assert names <= locked, f"run `make lock`: {names - locked}"


def test_packages_of_npm_are_pinned_with_hashes_and_no_host_is_named() -> None:
    text = (ROOT / "tests/support/javascript/package-lock.json").read_text()
    assert "://" not in text
    packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
    assert all(one["version"] and one["integrity"].startswith("sha512-") for one in packages.values())
