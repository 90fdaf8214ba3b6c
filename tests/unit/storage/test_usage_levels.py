"""When a filling volume is told of, and in which words."""

from __future__ import annotations

import pytest

from skerry.engine.storage.contract import Usage
from skerry.engine.storage.usage.levels import filling, larger, level_of, sentence
from skerry.kube.sizes import size_text

MI = 2**20


def usage(used: int, available: int, inodes_used: int | None = None) -> Usage:
    inodes = None if inodes_used is None else 1000
    return Usage(
        100 * MI, used * MI, available * MI, inodes, inodes_used, None if inodes is None else 1000 - inodes_used
    )


def test_a_level_is_entered_once_and_left_only_well_below_it() -> None:
    course = [10, 79.9, 80, 85, 79, 75.1, 74.9, 81, 91, 86, 99.4, 99.6, 95, 94.4, 0]
    level, seen = 0, []
    for percent in course:
        level = level_of(percent, level)
        seen.append(level)
    assert seen == [0, 0, 80, 80, 80, 80, 0, 80, 90, 90, 90, 100, 100, 90, 0]


def test_a_volume_that_does_not_say_stays_where_it_was() -> None:
    assert level_of(None, 90) == 90


def test_full_means_nothing_left_for_users_whatever_is_reserved() -> None:
    assert filling(usage(95, 0)).bytes == 100
    crumbs = Usage(42_184_704, 41_558_016, 626_688)  # an XFS of 32 MiB when dd ended with "No space left on device"
    assert filling(crumbs).bytes == 100
    assert filling(Usage(2**21, 2**20 + 1, 2**20 - 1)).bytes == pytest.approx(50, abs=0.1), "much of it is left"
    assert filling(usage(45, 45)).bytes == 50
    assert filling(Usage(None, None, None)).bytes is None
    assert filling(Usage(100, 50, None)).bytes == 50
    assert filling(usage(1, 99)).inodes is None, "no bound"


def test_the_sentence_says_how_full_and_what_is_left() -> None:
    assert sentence(usage(93, 7), of="bytes") == "93 % full: 93.0 MiB of 100 MiB used, 7.0 MiB left"
    assert (
        sentence(usage(1, 99, 900), of="inodes") == "90 % of its inodes are used: 900 files and directories, 100 left"
    )


@pytest.mark.parametrize(
    ("size", "asked"), [(100 * MI, "150Mi"), (2**30, "1536Mi"), (4 * 2**30, "6Gi"), (5 * 2**30, "8Gi"), (1, "1Mi")]
)
def test_what_is_proposed_is_larger_and_round(size: int, asked: str) -> None:
    assert larger(size) == asked


def test_bytes_for_people() -> None:
    assert [size_text(one) for one in (0, 1023, 1536, 200 * MI, 3 * 2**40, None)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "200 MiB",
        "3.0 TiB",
        "?",
    ]
