"""Certificates: who they are for, that they are kept, renewed in time, and private."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from skerry.engine.api.auth.authentication import user_of_certificate
from skerry.engine.api.pki import CA_DAYS, FRONT_PROXY, FRONT_PROXY_CA, Pki, ensure, renew, server_names
from skerry.engine.private_files import write_private
from skerry.kube.clock import SystemClock
from tests.support.api import engine_config
from tests.support.clock import SetClock

NOW = datetime.now(UTC)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_certificates_are_kept_while_they_are_good(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path), SetClock(NOW)).folder)
    assert contents(ensure(engine_config(tmp_path), SetClock(NOW + timedelta(days=300))).folder) == first


def test_keys_say_of_what_kind_they_are(tmp_path: Path) -> None:
    """Java clients (fabric8) take a key without that for an RSA key, and fail."""
    pki = ensure(engine_config(tmp_path), SetClock(NOW))
    assert {path.read_text().splitlines()[0] for path in pki.folder.glob("*.key")} == {"-----BEGIN EC PRIVATE KEY-----"}


def test_leaves_are_renewed_before_they_end_and_the_authority_stays(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path), SetClock(NOW)).folder)
    later = contents(ensure(engine_config(tmp_path), SetClock(NOW + timedelta(days=340))).folder)
    assert later["ca.crt"] == first["ca.crt"]
    assert later["server.crt"] != first["server.crt"]
    assert later["admin.crt"] != first["admin.crt"]


def test_certificates_outlive_a_clock_set_back_by_hours_and_are_made_anew_after_more(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path), SetClock(NOW)).folder)
    assert contents(ensure(engine_config(tmp_path), SetClock(NOW - timedelta(hours=20))).folder) == first
    for name in ("server", "admin", "ca"):
        begins = ssl._ssl._test_decode_cert(str(tmp_path / "data" / "pki" / f"{name}.crt"))["notBefore"]  # type: ignore[attr-defined]
        assert ssl.cert_time_to_seconds(begins) <= (NOW - timedelta(hours=20)).timestamp()
    assert contents(ensure(engine_config(tmp_path), SetClock(NOW - timedelta(days=30))).folder) != first


def verify(authority: bytes, server: bytes, when: datetime) -> None:
    """As a client does that has this copy of the authority. Raises VerificationError."""
    roots = Store([x509.load_pem_x509_certificate(authority)])
    verifier = PolicyBuilder().store(roots).time(when).build_server_verifier(x509.DNSName("localhost"))
    verifier.verify(x509.load_pem_x509_certificate(server), [])


@pytest.mark.parametrize("step", [20, 300, 800])
def test_for_twelve_years_every_copy_of_the_authority_is_good_for_longer_than_what_came_with_it(
    tmp_path: Path, step: int
) -> None:
    """`step`: days between the looks. A kubeconfig's client certificate lasts a year, so its authority must."""
    config = engine_config(tmp_path)
    copies: list[tuple[datetime, bytes]] = []
    for days in range(0, 12 * 365, step):
        now = NOW + timedelta(days=days)
        files = contents(ensure(config, SetClock(now)).folder)
        copies = [(made, copy) for made, copy in copies if now - made < timedelta(days=365)]
        copies.append((now, files["ca.crt"]))
        for _, copy in copies:
            verify(copy, files["server.crt"], now)
            verify(copy, files["server.crt"], now + timedelta(days=30))


def test_an_authority_is_renewed_with_its_key_two_years_before_its_end(tmp_path: Path) -> None:
    config = engine_config(tmp_path)
    first = contents(ensure(config, SetClock(NOW)).folder)
    late = NOW + timedelta(days=CA_DAYS - 731)
    assert contents(ensure(config, SetClock(late)).folder)["ca.crt"] == first["ca.crt"]
    renewed = contents(ensure(config, SetClock(late + timedelta(days=2))).folder)
    assert renewed["ca.crt"] != first["ca.crt"]
    assert renewed["ca.key"] == first["ca.key"]
    verify(first["ca.crt"], renewed["server.crt"], late + timedelta(days=2))
    with pytest.raises(VerificationError):
        verify(first["ca.crt"], renewed["server.crt"], NOW + timedelta(days=CA_DAYS + 1))


def test_what_is_renewed_is_told_and_nothing_else_is_touched(tmp_path: Path) -> None:
    config, clock = engine_config(tmp_path), SetClock(NOW)
    ensure(config, clock)
    assert renew(config, clock) == []
    clock.jump(timedelta(days=336).total_seconds())
    assert renew(config, clock) == ["server", "admin", "platform", FRONT_PROXY]
    clock.jump(-timedelta(days=300).total_seconds())
    assert renew(config, clock) == ["server", "admin", "platform", FRONT_PROXY]


def test_an_interrupted_renewal_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new authority, nothing of the old one may be taken for good."""
    config, clock = engine_config(tmp_path), SetClock(NOW)
    pki = ensure(config, clock)
    pki.key("ca").unlink()
    written: list[Path] = []

    def fails_later(path: Path, content: bytes) -> None:
        if len(written) > 3:
            raise OSError("the disk is full")
        written.append(path)
        write_private(path, content)

    monkeypatch.setattr("skerry.engine.api.pki.write_private", fails_later)
    with pytest.raises(OSError, match="the disk is full"):
        renew(config, clock)
    monkeypatch.undo()
    assert {"ca", "server", "admin"} <= set(renew(config, clock))
    files = contents(Pki(config.paths.pki).folder)
    verify(files["ca.crt"], files["server.crt"], NOW)


def test_a_lost_authority_means_new_certificates(tmp_path: Path) -> None:
    config, clock = engine_config(tmp_path), SetClock(NOW)
    first = contents(ensure(config, clock).folder)
    (config.paths.pki / "ca.key").unlink()
    second = contents(ensure(config, clock).folder)
    assert all(second[name] != first[name] for name in ("ca.crt", "server.crt", "admin.crt"))


def test_the_front_proxy_has_an_authority_of_its_own(tmp_path: Path) -> None:
    config, clock = engine_config(tmp_path), SetClock(NOW)
    pki = ensure(config, clock)
    before = contents(pki.folder)
    decode = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    found = decode(str(pki.certificate(FRONT_PROXY)))
    assert found["subject"] == ((("commonName", "front-proxy-client"),),)
    assert found["issuer"] == decode(str(pki.certificate(FRONT_PROXY_CA)))["subject"]
    pki.key(FRONT_PROXY_CA).unlink()
    after = contents(ensure(config, clock).folder)
    changed = {name for name in after if after[name] != before.get(name)}
    expected = {f"{name}.{end}" for name in (FRONT_PROXY, FRONT_PROXY_CA) for end in ("crt", "key")}
    assert changed - {"issued.json"} == expected


def test_they_are_private(tmp_path: Path) -> None:
    folder = ensure(engine_config(tmp_path), SystemClock()).folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_they_say(tmp_path: Path) -> None:
    config = engine_config(tmp_path)
    pki = ensure(config, SystemClock())
    decode = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    server = decode(str(pki.certificate("server")))
    names = {value for _, value in server["subjectAltName"]}
    assert {"localhost", "127.0.0.1", "kubernetes.default.svc.cluster.local", "10.112.0.1"} <= names
    assert len(names) == len(server_names(config))
    admin = user_of_certificate(decode(str(pki.certificate("admin"))))
    assert admin is not None
    assert admin.name == "kubernetes-admin"
    assert admin.groups == ("system:masters", "system:authenticated")


def test_a_start_with_good_certificates_does_not_load_cryptography(tmp_path: Path) -> None:
    ensure(engine_config(tmp_path), SystemClock())
    program = (
        "import sys; from pathlib import Path; from tests.support.api import engine_config\n"
        "from skerry.engine.api.pki import ensure; from skerry.kube.clock import SystemClock\n"
        f"ensure(engine_config(Path({str(tmp_path)!r})), SystemClock())\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
