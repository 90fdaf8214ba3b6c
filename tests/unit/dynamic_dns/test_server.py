"""Where updates go and how they are signed: what people may write."""

from __future__ import annotations

import pytest

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.server import TsigKey, UpdateServer, split_address

SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("ns.example.org:54", ("ns.example.org", 54)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("2001:db8::1", ("2001:db8::1", 53)),
    ],
)
def test_addresses_of_servers(address: str, expected: tuple[str, int]) -> None:
    assert split_address(address) == expected


@pytest.mark.parametrize("address", ["", ":53", "ns.example.org:dns", "ns.example.org:0", "ns.example.org:70000"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(DnsError, match="is no host"):
        split_address(address)


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "HMACSHA256", "hmac-sha512.", "HMACMD5"])
def test_algorithms_may_be_spelt_as_cert_manager_does(algorithm: str) -> None:
    assert TsigKey("key", SECRET, algorithm).wire_algorithm.startswith("hmac-")


@pytest.mark.parametrize("secret", ["", "no base64", "%%%"])
def test_a_secret_that_is_no_key_is_refused_without_being_printed(secret: str) -> None:
    with pytest.raises(DnsError) as refused:
        TsigKey("key", secret)
    assert refused.value.reason == "Invalid"
    assert not secret or secret not in str(refused.value)


def test_other_algorithms_are_refused_by_name() -> None:
    with pytest.raises(DnsError, match="gss-tsig"):
        TsigKey("key", SECRET, "gss-tsig")


def test_secrets_do_not_show() -> None:
    server = UpdateServer("2001:db8::1", "example.org", TsigKey("key", SECRET))
    assert SECRET not in repr(server)
    assert str(server) == "[2001:db8::1]:53"
