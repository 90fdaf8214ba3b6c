"""What signing in writes to a kubeconfig, and how an authority is known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from skerry.cli.errors import CommandFailed
from skerry.cli.signing_in.entry import with_entries, without_entries
from skerry.cli.signing_in.kept import Kept, name_of
from skerry.cli.signing_in.server import Server, fingerprint_of
from skerry.kube.certificates.making import issue_authority
from skerry.kube.certificates.wanted import Wanted

KEPT = Kept("https://skerry.example:7443", "PEM", "a", "r", 0.0)
NAME = "skerry-skerry.example-7443"
OTHER = {"clusters": [{"name": "c"}], "users": [{"name": "u"}], "current-context": "x", "preferences": {"colors": True}}


def test_entries_are_added_beside_others_and_once() -> None:
    once = with_entries(OTHER, KEPT, "lab", ["skerry"])
    assert once == with_entries(once, KEPT, "lab", ["skerry"])
    assert [one["name"] for one in once["users"]] == ["u", NAME]
    assert once["users"][1]["user"]["exec"]["args"] == ["token", NAME]
    assert once["clusters"][1]["cluster"]["server"] == "https://skerry.example:7443/k8s"
    assert once["contexts"] == [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "lab"}}]
    assert (once["current-context"], once["preferences"]) == (NAME, {"colors": True})
    assert "a" not in str(once).split("'")  # no token


def test_taken_out_they_leave_the_others() -> None:
    left = without_entries(with_entries(OTHER, KEPT, "", ["skerry"]), NAME)
    assert left["users"] == OTHER["users"]
    assert left["contexts"] == []
    assert left["current-context"] == ""
    assert without_entries(OTHER, NAME)["current-context"] == "x"


def test_platforms_have_names_by_their_address() -> None:
    assert name_of("https://skerry.example") == "skerry-skerry.example"
    assert name_of(KEPT.url) == NAME


def test_addresses_and_authorities_are_looked_at() -> None:
    for url in ("http://skerry.example", "skerry.example", "https://"):
        with pytest.raises(CommandFailed, match="is not the address of a platform"):
            Server(url)
    with pytest.raises(CommandFailed, match="authority's certificate cannot be used"):
        Server(KEPT.url, "no certificate")
    made = issue_authority(Wanted("a", "test", days=1, authority="a"), datetime.now(UTC))
    assert len(fingerprint_of(made.certificate.decode()).split(":")) == 32
    with pytest.raises(CommandFailed, match="not one certificate"):
        fingerprint_of("x")
