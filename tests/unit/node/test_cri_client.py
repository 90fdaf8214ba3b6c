"""The CRI client against a runtime that is not there, and one that dies and comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skerry.engine.node.cri.client import CriClient, CriError, wait_until_answering
from tests.support.waiting import LIMIT
from tests.unit.node import fake_runtime


@contextmanager
def running(path: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, fake_runtime.__file__, str(path)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_absent_runtime_is_unavailable(tmp_path: Path) -> None:
    cri = CriClient(tmp_path / "none.sock")
    with pytest.raises(CriError) as caught:
        await cri.version()
    assert caught.value.unavailable
    with pytest.raises(CriError):
        await wait_until_answering(cri, 0.05)
    await cri.close()


async def test_errors_carry_code_and_message(tmp_path: Path) -> None:
    cri = CriClient(tmp_path / "cri.sock")
    with running(tmp_path / "cri.sock"):
        await wait_until_answering(cri, LIMIT)
        with pytest.raises(CriError, match="no such sandbox") as caught:
            await cri.pod_sandbox_status("x")
        assert caught.value.not_found
        assert not caught.value.unavailable
        await cri.close()
        await cri.close()


async def test_reconnects_after_the_runtime_died(tmp_path: Path) -> None:
    cri = CriClient(tmp_path / "cri.sock")
    with running(tmp_path / "cri.sock"):
        assert (await wait_until_answering(cri, LIMIT)).runtime_name == "fake"
    with pytest.raises(CriError) as caught:
        await cri.version()
    assert caught.value.unavailable
    with running(tmp_path / "cri.sock"):
        assert (await wait_until_answering(cri, LIMIT)).runtime_name == "fake"
    await cri.close()
