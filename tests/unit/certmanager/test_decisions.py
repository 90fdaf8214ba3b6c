"""When a certificate is issued again and why, when failures are tried again: decided on plain data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.schedule import LONGEST_SLEEP, back_off, renewal_time, sleep
from skerry.engine.controllers.certmanager.certificates.triggers import (
    digest,
    duration_text,
    fits,
    why_issue,
    why_not_ready,
)
from skerry.engine.controllers.certmanager.certificates.wanted import Unusable, wanted
from tests.unit.certmanager.objects import BEGIN, certificate, held

DAY = timedelta(days=1)


def why(found: Any, now: Any = BEGIN, **spec: Any) -> str:
    reason = why_issue("web", wanted(certificate(**spec)), found, None, now)
    return reason.reason if reason else ""


@pytest.mark.parametrize(
    ("days", "spec", "renewed_after"),
    [
        (90, {}, 60 * DAY),
        (90, {"renewBefore": "720h"}, 60 * DAY),
        (90, {"renewBefore": "24h"}, 89 * DAY),
        (90, {"renewBeforePercentage": 50}, 45 * DAY),
        (6, {"renewBefore": "360h"}, 4 * DAY),  # the issuer gave less than it is to be renewed before
    ],
)
def test_renewal(days: int, spec: dict[str, Any], renewed_after: timedelta) -> None:
    asked, found = wanted(certificate(**spec)), held(days)
    at = renewal_time(found.begins, found.ends, asked)
    assert at == BEGIN + renewed_after
    assert why(found, at - timedelta(seconds=1), **spec) == ""
    assert why(found, at, **spec) == "Renewing"
    assert why_not_ready("web", asked, found, None, at) is None
    expired = why_not_ready("web", asked, found, None, found.ends)
    assert expired is not None
    assert expired.reason == "Expired"


@given(st.integers(min_value=1, max_value=100))
def test_failures_wait_an_hour_and_twice_as_long_each_time_up_to_32(failures: int) -> None:
    assert back_off(failures) == timedelta(hours=min(2 ** (failures - 1), 32))


def test_nobody_sleeps_over_a_clock_that_is_set() -> None:
    assert sleep(BEGIN, BEGIN + 30 * DAY, None) == LONGEST_SLEEP
    assert sleep(BEGIN, BEGIN + timedelta(seconds=5), BEGIN + DAY) == 5
    assert sleep(BEGIN, BEGIN - DAY) == 0
    assert sleep(BEGIN, None) is None


@pytest.mark.parametrize(
    ("facts", "spec", "reason"),
    [
        ({}, {}, ""),
        ({"broken": "the private key does not match the certificate"}, {}, "InvalidKeyPair"),
        ({"algorithm": "ECDSA", "size": 256}, {}, "SecretMismatch"),
        ({"size": 4096}, {}, "SecretMismatch"),
        ({"algorithm": "Ed25519", "size": 0}, {"privateKey": {"algorithm": "Ed25519"}}, ""),
        ({"dnsNames": ["other.example.org"]}, {}, "RequestChanged"),
        ({}, {"dnsNames": ["WEB.example.org"]}, ""),
        ({}, {"commonName": "web.example.org"}, ""),  # an ACME server leaves the common name out
        ({"dnsNames": ["web.example.org", "c.example.org"]}, {"commonName": "c.example.org"}, ""),
        ({}, {"commonName": "c.example.org"}, "RequestChanged"),
        ({}, {"ipAddresses": ["192.0.2.1"]}, "RequestChanged"),
        ({"ipAddresses": ["2001:db8::1"]}, {"ipAddresses": ["2001:DB8:0::1"]}, ""),
        ({}, {"issuerRef": {"name": "ours", "kind": "Issuer"}}, "IncorrectIssuer"),
        ({"annotations": {}}, {}, "IncorrectIssuer"),  # somebody else's Secret is taken over, as by cert-manager
    ],
)
def test_what_is_issued_again(facts: dict[str, Any], spec: dict[str, Any], reason: str) -> None:
    assert why(held(**facts), **spec) == reason


def test_secrets_that_hold_nothing() -> None:
    assert why(None) == "DoesNotExist"
    empty = replace(held(), secret={"metadata": {"name": "web"}, "data": {}})
    assert why(empty) == "MissingData"
    half = replace(held(), secret={"metadata": {"name": "web"}, "data": {"tls.key": "eA=="}})
    assert why(half) == "MissingData"


def test_a_secret_of_another_certificate_is_not_ready() -> None:
    noted = {**held().secret["metadata"]["annotations"], names.CERTIFICATE_NAME: "other"}
    assert why(held(annotations=noted)) == "IncorrectCertificate"


def test_the_last_request_tells_what_a_certificate_does_not_show() -> None:
    asked = wanted(certificate(duration="24h", usages=["client auth"]))
    request = {"metadata": {}, "spec": {"duration": "24h0m0s", "usages": ["client auth"], "issuerRef": {}}}
    assert why_issue("web", asked, held(), request, BEGIN) is None
    for change in ({"duration": "25h0m0s"}, {"usages": ["server auth"]}, {"isCA": True}):
        changed = {**request, "spec": {**request["spec"], **change}}
        reason = why_issue("web", asked, held(), changed, BEGIN)
        assert reason is not None
        assert reason.reason == "RequestChanged"
        assert next(iter(change)) in reason.message


def test_a_request_fits_what_it_was_made_for() -> None:
    asked = wanted(certificate())
    request = {"metadata": {"annotations": {names.ASKS_FOR: digest(asked)}}}
    assert fits(asked, request)
    assert not fits(wanted(certificate(dnsNames=["b.example.org"])), request)
    assert not fits(wanted(certificate(privateKey={"size": 4096})), request)
    assert fits(wanted(certificate(renewBefore="24h")), request)
    assert duration_text(asked) == "2160h0m0s"


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ({"dnsNames": []}, "at least one of"),
        ({"duration": "90d"}, "invalid duration"),
        ({"duration": "30m"}, "greater than 1h"),
        ({"renewBefore": "2160h"}, "less than spec.duration"),
        ({"ipAddresses": ["1.2.3"]}, "spec.ipAddresses"),
        ({"commonName": "a" * 65}, "64 bytes"),
        ({"privateKey": {"size": 1024}}, "2048"),
        ({"privateKey": {"algorithm": "ECDSA", "size": 255}}, "ecdsa"),
        ({"keystores": {"jks": {}}}, "spec.keystores is not supported by Skerry"),
        ({"literalSubject": "CN=x"}, "spec.literalSubject is not supported by Skerry"),
    ],
)
def test_what_cannot_be_issued_is_refused_by_name(spec: dict[str, Any], part: str) -> None:
    with pytest.raises(Unusable, match=part.replace("(", r"\(")):
        wanted(certificate(**spec))
