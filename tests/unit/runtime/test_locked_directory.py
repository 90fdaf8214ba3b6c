"""Notes that instances share: one at a time, and nothing stays when nobody has one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.engine.locked_directory import locked


def test_the_last_to_leave_removes_it_and_the_next_makes_it_anew(tmp_path: Path) -> None:
    """Each adds to a number and takes its note away: not one addition is lost, however often the directory goes."""
    directory, number = tmp_path / "shared" / "notes", tmp_path / "number"
    number.write_text("0")

    def come_and_go(name: str) -> None:
        for _ in range(50):
            with locked(directory):
                assert list(directory.iterdir()) == []
                note = directory / name
                note.touch()
                number.write_text(str(int(number.read_text()) + 1))
                note.unlink()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, "abcd"))
    assert number.read_text() == "200"
    assert not directory.exists()


def test_notes_stay_and_a_failure_gives_the_lock_back(tmp_path: Path) -> None:
    directory = tmp_path / "notes"
    with locked(directory):
        (directory / "one").touch()
    with pytest.raises(ValueError, match="wrong"), locked(directory):
        raise ValueError("wrong")
    with locked(directory):
        assert [note.name for note in directory.iterdir()] == ["one"]
    assert directory.stat().st_mode & 0o777 == 0o700
