"""What a program's start made is not looked through again; what comes later is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from skerry.kube.collecting import spare_collections


class _Thing:
    other: _Thing


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_the_start_made_is_out_of_sight() -> None:
    made = [[number] for number in range(10_000)]
    gc.disable()
    spare_collections()
    assert gc.isenabled()
    looked_at = {id(one) for one in gc.get_objects()}
    assert not any(id(one) in looked_at for one in made)


def test_circles_that_come_later_are_found() -> None:
    spare_collections()
    one, two = _Thing(), _Thing()
    one.other, two.other = two, one
    gone = weakref.ref(one)
    del one, two
    gc.collect()
    assert gone() is None
