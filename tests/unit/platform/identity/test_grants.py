"""Codes of command lines: good once, for a while, to who began."""

from __future__ import annotations

import pytest

from skerry.platform.identity.login.grants import Codes, Device, DeviceCodes, challenge_of
from skerry.platform.identity.login.often import TooMany
from tests.support.clock import SetClock

LOOPBACK = "http://127.0.0.1:4000/"


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_code_is_good_once_for_a_minute_and_for_its_verifier() -> None:
    clock = SetClock()
    codes = Codes(clock)
    code = codes.grant("anna", LOOPBACK, challenge_of("v"), "")
    taken = codes.take(code, LOOPBACK, "v")
    assert taken is not None
    assert taken.username == "anna"
    assert codes.take(code, LOOPBACK, "v") is None
    stolen = codes.grant("anna", LOOPBACK, challenge_of("v"), "")
    assert codes.take(stolen, LOOPBACK, "other") is None
    assert codes.take(stolen, LOOPBACK, "v") is None
    assert codes.take(codes.grant("anna", LOOPBACK, challenge_of("v"), ""), "http://127.0.0.1:4001/", "v") is None
    late = codes.grant("anna", LOOPBACK, challenge_of("v"), "")
    clock.advance(60)
    assert codes.take(late, LOOPBACK, "v") is None


def test_devices_wait_for_a_person() -> None:
    clock = SetClock()
    devices = DeviceCodes(clock)
    code, typed = devices.begin("10.0.0.1", "front end")
    assert devices.poll(code) == "authorization_pending"
    assert devices.poll(code) == "slow_down"
    waiting = devices.waiting(f" {typed.lower()} ")
    assert waiting is not None
    assert waiting.description == "front end"
    assert devices.answer(typed, "anna", allowed=True)
    assert not devices.answer(typed, "eve", allowed=True)
    allowed = devices.poll(code)
    assert isinstance(allowed, Device)
    assert allowed.username == "anna"
    assert devices.poll(code) == "expired_token"


def test_devices_are_refused_and_forgotten() -> None:
    clock = SetClock()
    devices = DeviceCodes(clock)
    code, typed = devices.begin("10.0.0.1", "")
    devices.answer(typed, "anna", allowed=False)
    assert devices.poll(code) == "access_denied"
    late, typed = devices.begin("10.0.0.1", "")
    clock.advance(600)
    assert devices.poll(late) == "expired_token"
    assert devices.waiting(typed) is None
    assert not devices.answer(typed, "anna", allowed=True)


def test_nobody_fills_the_memory() -> None:
    clock = SetClock()
    devices, codes = DeviceCodes(clock), Codes(clock)
    for _ in range(20):
        devices.begin("10.0.0.1", "")
    with pytest.raises(TooMany, match="too many devices wait"):
        devices.begin("10.0.0.1", "")
    devices.begin("10.0.0.2", "")
    for _ in range(1000):
        codes.grant("anna", LOOPBACK, "c", "")
    with pytest.raises(TooMany, match="too many sign-ins at the moment"):
        codes.grant("anna", LOOPBACK, "c", "")
    clock.advance(600)
    devices.begin("10.0.0.1", "")
    codes.grant("anna", LOOPBACK, "c", "")
