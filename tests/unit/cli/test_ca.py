"""`skerry ca`, where no engine is needed: an API that publishes the authority, machines of several distributions."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from skerry.cli import ca, trust_store
from skerry.cli.main import main
from skerry.cli.trust_store import TrustStore
from skerry.kube.certificates.making import issue_authority
from skerry.kube.certificates.wanted import Wanted

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def skerry(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def pem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What an instance with the id ab12 in `data` publishes."""
    made = issue_authority(Wanted("skerry-ca", "Skerry CA ab12", days=3650), NOW).certificate.decode()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "instance.json").write_text(json.dumps({"instance": "ab12", "index": 0, "port": 6443}))
    monkeypatch.setenv("SKERRY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(ca, "need_running", ca.need_instance)
    monkeypatch.setattr(ca, "Api", lambda kubeconfig: Answering({"data": {"ca.crt": made}}))
    return made


class Answering:
    """An API with one object."""

    def __init__(self, obj: object) -> None:
        self._obj = obj

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_object(self, path: str) -> object:
        assert path == "/api/v1/namespaces/kube-public/configmaps/skerry-ca"
        return self._obj


Distribution = Callable[..., Path]


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """Make the machine one that keeps authorities in a directory (of those we know), with a program that notes what is
    in it and ends with a code."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    moved = tuple(TrustStore(tmp_path / str(one.directory).lstrip("/"), one.program) for one in trust_store.KNOWN)
    monkeypatch.setattr(trust_store, "KNOWN", moved)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def make(directory: str, program: str, code: int = 0) -> Path:
        found = tmp_path / directory
        found.mkdir(parents=True)
        script = programs / program
        script.write_text(f"#!/bin/sh\nls {found} > {tmp_path}/seen\necho it says why >&2\nexit {code}\n")
        script.chmod(0o755)
        return found

    return make


def test_it_prints_the_certificate_of_web_sites_or_of_the_api(pem: str, tmp_path: Path) -> None:
    assert skerry("ca").output == pem
    (tmp_path / "data" / "kubeconfig").write_text(
        "current-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"
        'clusters: [{name: c, cluster: {server: "https://x", certificate-authority-data: eHl6}}]\n'
    )
    assert skerry("ca", "--cluster").output == "xyz"


def test_it_shows_what_the_certificate_says(pem: str) -> None:
    shown = json.loads(skerry("ca", "show", "-o", "json").output)
    assert (shown["subject"], shown["notAfter"]) == ("CN=Skerry CA ab12", "2036-11-19T10:00:00Z")
    assert (shown["pem"], shown["trusted"]) == (pem, False)
    assert len(shown["fingerprint"].split(":")) == 32
    assert shown["fingerprint"] in skerry("ca", "show").output


@pytest.mark.parametrize(
    ("directory", "program"),
    [
        ("usr/local/share/ca-certificates", "update-ca-certificates"),
        ("etc/pki/ca-trust/source/anchors", "update-ca-trust"),
        ("etc/pki/trust/anchors", "update-ca-certificates"),
        ("etc/ca-certificates/trust-source/anchors", "update-ca-trust"),
    ],
)
def test_installed_and_taken_back(
    pem: str, distribution: Distribution, tmp_path: Path, directory: str, program: str
) -> None:
    store = distribution(directory, program)
    installed = skerry("ca", "install")
    file = store / "skerry-ab12.crt"
    assert (installed.exit_code, installed.output) == (
        0, f"this machine trusts CN=Skerry CA ab12 until 2036-11-19T10:00:00Z: {file}\n"
    )  # fmt: skip
    assert file.read_text() == pem
    assert file.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "seen").read_text() == "skerry-ab12.crt\n"
    assert skerry("ca", "install").exit_code == 0
    assert skerry("ca", "uninstall").output == "this machine trusts it no longer\n"
    assert (tmp_path / "seen").read_text() == ""
    assert list(store.iterdir()) == []
    assert skerry("ca", "uninstall").output.startswith("nothing to take back")


def test_a_list_that_cannot_be_made_anew_is_left_as_it_was(pem: str, distribution: Distribution) -> None:
    store = distribution("usr/local/share/ca-certificates", "update-ca-certificates", code=1)
    failed = skerry("ca", "install")
    assert (failed.exit_code, failed.output) == (1, "skerry: update-ca-certificates: it says why\n")
    assert list(store.iterdir()) == []


def test_clean_takes_it_back(pem: str, distribution: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    store = distribution("usr/local/share/ca-certificates", "update-ca-certificates")
    assert skerry("ca", "install").exit_code == 0
    other = store / "skerry-cd34.crt"
    other.write_text("another instance's")
    monkeypatch.setattr("skerry.cli.clean.stop_all", lambda files: None)
    monkeypatch.setattr("skerry.cli.clean.follow_module", lambda *words: "")
    assert skerry("clean", "--yes").exit_code == 0
    assert list(store.iterdir()) == [other]


def test_what_the_machine_lacks(pem: str, distribution: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    without = skerry("ca", "install")
    assert (without.exit_code, without.output) == (
        3, "skerry: a list of trusted authorities is missing: install the package ca-certificates\n"
    )  # fmt: skip
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    denied = skerry("ca", "install")
    assert (denied.exit_code, denied.output) == (3, "skerry: root is missing: run as root, for example with sudo\n")


@pytest.mark.parametrize(
    ("published", "why"),
    [
        (None, "there is no ConfigMap kube-public/skerry-ca"),
        ({"data": {}}, "there is no ConfigMap kube-public/skerry-ca"),
        ({"data": {"ca.crt": "hello"}}, "what is published is no certificate"),
    ],
)
def test_what_is_no_authority_is_not_trusted(
    pem: str, distribution: Distribution, monkeypatch: pytest.MonkeyPatch, published: object, why: str
) -> None:
    store = distribution("usr/local/share/ca-certificates", "update-ca-certificates")
    monkeypatch.setattr(ca, "Api", lambda kubeconfig: Answering(published))
    refused = skerry("ca", "install")
    assert refused.exit_code == 1
    assert why in refused.output
    assert list(store.iterdir()) == []


def test_an_option_counts_before_and_after_the_subcommand(pem: str, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    for words in (["ca", "--data-dir", elsewhere, "show"], ["ca", "show", "--data-dir", elsewhere]):
        assert f"there is no instance in {elsewhere}" in skerry(*words).output


def test_trusted_means_this_very_certificate(pem: str) -> None:
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    assert known, "this machine has a list of authorities"
    assert trust_store.is_trusted(ssl.DER_cert_to_PEM_cert(known[0]))
    assert not trust_store.is_trusted(pem)
