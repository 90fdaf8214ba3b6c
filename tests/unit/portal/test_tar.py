"""Archives of one file, as tar programs read them."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.portal.streams.tar import WrongSize, archive


async def _pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def _whole(name: str, data: bytes, size: int | None = None) -> bytes:
    made = archive(name, len(data) if size is None else size, 1_700_000_000, _pieces(data))
    return b"".join([piece async for piece in made])


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 5000])
async def test_what_goes_in_comes_out(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    with tarfile.open(fileobj=io.BytesIO(await _whole("a file.txt", data))) as read:
        (entry,) = read.getmembers()
        content = read.extractfile(entry)
        assert content is not None
        assert (entry.name, entry.mode, entry.mtime, content.read()) == ("a file.txt", 0o644, 1_700_000_000, data)


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="/"), min_size=1, max_size=120))
async def test_names_of_any_length_and_language(name: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(await _whole(name, b"x"))) as read:
        assert [one.name for one in read.getmembers()] == [name.rstrip("\0")]


async def test_real_tar_reads_it(tmp_path: Path) -> None:
    made = await _whole("ü" * 100 + ".csv", b"1,2\n" * 1000)
    subprocess.run(["tar", "-xmf", "-", "-C", str(tmp_path)], input=made, check=True, timeout=60)
    assert (tmp_path / ("ü" * 100 + ".csv")).read_bytes() == b"1,2\n" * 1000


@pytest.mark.parametrize("told", [999, 1001])
async def test_what_is_not_as_long_as_it_said_is_no_file(told: int) -> None:
    with pytest.raises(WrongSize):
        await _whole("x", bytes(1000), told)
