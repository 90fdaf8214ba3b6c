"""End-to-end tests: the whole program with real containers, in a temporary directory, nothing left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import busybox_archive
from tests.support.machine import snapshot
from tests.support.program import Program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs root; without it the run fails by name instead of passing untested."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.root)


@pytest.fixture
def fresh_program() -> Iterator[Program]:
    """A program of one test's own, not yet started; ended, removed and checked for traces afterwards."""
    assert os.geteuid() == 0, "end-to-end tests need root"
    before = snapshot()
    with tempfile.TemporaryDirectory(prefix="skerry-e2e-") as directory:
        program = Program(Path(directory) / "data")
        try:
            yield program
        finally:
            marks = program.marks()
            program.skerry("clean", "--yes", check=False)
    assert snapshot().left_since(before, marks) == {}


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One running program with the image `busybox:test` loaded, shared by the tests that do not break it."""
    assert os.geteuid() == 0, "end-to-end tests need root"
    before = snapshot()
    with tempfile.TemporaryDirectory(prefix="skerry-e2e-") as directory:
        shared = Program(Path(directory) / "data")
        try:
            shared.up()
            shared.skerry("image", "load", str(busybox_archive(tmp_path_factory.mktemp("image"))))
            yield shared
        finally:
            marks = shared.marks()
            shared.skerry("clean", "--yes", check=False)
    assert snapshot().left_since(before, marks) == {}


@pytest.fixture
def namespace(program: Program, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own in the shared program."""
    name = "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].strip("-")
    program.kubectl("create", "namespace", name)
    yield name
    program.kubectl("delete", "namespace", name, "--wait=false")
