"""What catalogues of projects may reach."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from skerry.platform.catalog.sources.fetching import Fetcher, Login, Question, basic
from skerry.platform.catalog.sources.reaching import OutOfReach, Reach
from skerry.platform.catalog.sources.source import SourceFailed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.43.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
        "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1",
        "::7f00:1", "64:ff9b:1::7f00:1", "fec0::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_out_of_reach(address: str) -> None:
    assert not Reach(False).allows(address)
    assert Reach(True).allows(address)


def test_operators_allow_more() -> None:
    reach = Reach(False, (ip_network("10.0.0.0/8"),))
    assert reach.allows("1.1.1.1")
    assert reach.allows("10.1.2.3")
    assert reach.choose("both", ["127.0.0.1", "10.1.2.3"]) == ["10.1.2.3"]
    with pytest.raises(OutOfReach, match="host is at no public address"):
        reach.choose("host", ["127.0.0.1"])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/index.yaml", "OutOfReach"),
        ("http://[::1]:1/index.yaml", "OutOfReach"),
        ("http://0x7f.1:1/index.yaml", "OutOfReach"),
        ("http://localhost:1/index.yaml", "OutOfReach"),
        ("http://127.1:1/index.yaml", "NoAnswer"),
        ("file:///etc/passwd", "BadAddress"),
        ("https://anna:secret@charts.example/", "BadAddress"),
    ],
)
async def test_addresses_are_judged_however_they_are_written(url: str, reason: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        await Fetcher(Reach(False), Login()).ask(Question(url, 100))
    assert failed.value.reason == reason
    assert "secret" not in str(failed.value).replace("a Secret (`secret`)", "")


def test_who_we_are_is_not_said_without_tls() -> None:
    login = Login("anna", "secret")
    assert basic(login, "https://charts.example/index.yaml")
    assert basic(login, "http://localhost:8080/")
    assert not basic(login, "http://charts.example/")
