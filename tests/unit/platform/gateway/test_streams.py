"""Which requests are streams, and whose they are."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from skerry.kube.errors import TooManyRequests
from skerry.platform.identity.gateway.asking import Asked
from skerry.platform.identity.gateway.streams import Streams, lasts
from skerry.platform.identity.sessions.judging import Person

ANNA = Person("anna", (), "s-1", "CommandLine")
PODS = "/api/v1/namespaces/lab/pods"
WATCH = f"{PODS}?watch=1"


def asked(target: str, person: Person = ANNA, upgrade: str = "", method: str = "GET") -> Asked:
    return Asked(person, method, target, (), has_body=False, upgrade=upgrade)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(PODS), False),
        (asked(f"{PODS}/box"), False),
        (asked("/healthz"), False),
        (asked(PODS, method="POST"), False),
        (asked(WATCH), True),
        (asked("/api/v1/watch/namespaces/lab/pods"), True),
        (asked(f"{PODS}/box/log?follow=true"), True),
        (asked(f"{PODS}/box:80/proxy/events"), True),
        (asked("/api/v1/namespaces/lab/services/web/proxy/"), True),
        (asked(f"{PODS}/box/exec?command=id", upgrade="websocket"), True),
        (asked(f"{PODS}/box/exec?command=id", upgrade="spdy/3.1", method="POST"), True),
    ],
)
def test_what_may_last_is_a_stream(request_: Asked, expected: bool) -> None:
    assert lasts(request_) is expected


def test_a_person_has_so_many_whatever_the_session_and_who_is_gone_gives_the_place_back() -> None:
    streams = Streams(2)
    program = Person("skerry:program:ci", (), "p-1", "Program", made_by="anna")
    with ExitStack() as held:
        held.enter_context(streams.held(asked(WATCH)))
        held.enter_context(streams.held(asked(WATCH, program)))
        with pytest.raises(TooManyRequests, match=r"anna, .* has 2 streams open .* end some .* --streams-per-person"):
            held.enter_context(streams.held(asked(WATCH, Person("anna", (), "s-2"))))
        with streams.held(asked(PODS)), streams.held(asked(WATCH, Person("ben", (), "s-3"))):
            pass
    with pytest.raises(RuntimeError), streams.held(asked(WATCH)):
        raise RuntimeError
    with streams.held(asked(WATCH)), streams.held(asked(WATCH)):
        pass
