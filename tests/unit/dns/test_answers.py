"""Answers kept as bytes."""

from __future__ import annotations

from skerry.engine.network.dns.answers import AnswerCache

QUESTION, OTHER = b"\x01\x02the question", b"\x01\x02another one"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_has_the_id_of_the_question_it_is_given_to() -> None:
    cache = AnswerCache(Clock())
    cache.put(QUESTION, [b"\x01\x02the answer"], "default/web")
    assert cache.get(b"\xaa\xbbthe question") == b"\xaa\xbbthe answer"
    assert cache.get(OTHER) is None
    assert cache.get(b"") is None


def test_forms_are_given_in_turn() -> None:
    cache = AnswerCache(Clock())
    cache.put(QUESTION, [b"..one", b"..two"], "default/web")
    assert [cache.get(QUESTION) for _ in range(3)] == [b"\x01\x02one", b"\x01\x02two", b"\x01\x02one"]


def test_a_topic_ends_its_own_answers_only() -> None:
    cache = AnswerCache(Clock())
    cache.put(QUESTION, [b"..one"], "default/web")
    cache.put(OTHER, [b"..two"], "default/api")
    cache.end("default/web")
    assert cache.get(QUESTION) is None
    assert cache.get(OTHER) == b"\x01\x02two"


def test_an_answer_ends_by_time() -> None:
    clock = Clock()
    cache = AnswerCache(clock)
    cache.put(QUESTION, [b"..one"], ".", 1.0)
    clock.now += 0.9
    assert cache.get(QUESTION) is not None
    clock.now += 0.2
    assert cache.get(QUESTION) is None


def test_it_does_not_grow_for_ever() -> None:
    cache = AnswerCache(Clock())
    for number in range(12):
        cache.put(QUESTION + bytes([number]), [bytes(1024 * 1024)], "default/web")
    kept = [number for number in range(12) if cache.get(QUESTION + bytes([number])) is not None]
    assert 0 < len(kept) <= 4
