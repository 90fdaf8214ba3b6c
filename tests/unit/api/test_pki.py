"""Certificates: who they are for, that they are kept, renewed in time, and private."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from skerry.engine.api.auth.authentication import user_of_certificate
from skerry.engine.api.pki import FRONT_PROXY, FRONT_PROXY_CA, ensure, server_names
from tests.support.api import engine_config
from tests.support.clock import SetClock

NOW = datetime.now(UTC)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_certificates_are_kept_while_they_are_good(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path, SetClock(NOW))).folder)
    assert contents(ensure(engine_config(tmp_path, SetClock(NOW + timedelta(days=300)))).folder) == first


def test_leaves_are_renewed_before_they_end_and_the_authority_stays(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path, SetClock(NOW))).folder)
    later = contents(ensure(engine_config(tmp_path, SetClock(NOW + timedelta(days=340)))).folder)
    assert later["ca.crt"] == first["ca.crt"]
    assert later["server.crt"] != first["server.crt"]
    assert later["admin.crt"] != first["admin.crt"]


def test_certificates_outlive_a_clock_set_back_by_hours_and_are_made_anew_after_more(tmp_path: Path) -> None:
    first = contents(ensure(engine_config(tmp_path, SetClock(NOW))).folder)
    assert contents(ensure(engine_config(tmp_path, SetClock(NOW - timedelta(hours=20)))).folder) == first
    for name in ("server", "admin", "ca"):
        begins = ssl._ssl._test_decode_cert(str(tmp_path / "data" / "pki" / f"{name}.crt"))["notBefore"]  # type: ignore[attr-defined]
        assert ssl.cert_time_to_seconds(begins) <= (NOW - timedelta(hours=20)).timestamp()
    assert contents(ensure(engine_config(tmp_path, SetClock(NOW - timedelta(days=30)))).folder) != first


def test_a_lost_authority_means_new_certificates(tmp_path: Path) -> None:
    config = engine_config(tmp_path, SetClock(NOW))
    first = contents(ensure(config).folder)
    (config.paths.pki / "ca.key").unlink()
    second = contents(ensure(config).folder)
    assert all(second[name] != first[name] for name in ("ca.crt", "server.crt", "admin.crt"))


def test_the_front_proxy_has_an_authority_of_its_own(tmp_path: Path) -> None:
    config = engine_config(tmp_path, SetClock(NOW))
    pki = ensure(config)
    before = contents(pki.folder)
    decode = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    found = decode(str(pki.certificate(FRONT_PROXY)))
    assert found["subject"] == ((("commonName", "front-proxy-client"),),)
    assert found["issuer"] == decode(str(pki.certificate(FRONT_PROXY_CA)))["subject"]
    pki.key(FRONT_PROXY_CA).unlink()
    after = contents(ensure(config).folder)
    changed = {name for name in after if after[name] != before.get(name)}
    expected = {f"{name}.{end}" for name in (FRONT_PROXY, FRONT_PROXY_CA) for end in ("crt", "key")}
    assert changed - {"issued.json"} == expected


def test_they_are_private(tmp_path: Path) -> None:
    folder = ensure(engine_config(tmp_path)).folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_they_say(tmp_path: Path) -> None:
    config = engine_config(tmp_path)
    pki = ensure(config)
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
    ensure(engine_config(tmp_path))
    program = (
        "import sys; from pathlib import Path; from tests.support.api import engine_config\n"
        f"from skerry.engine.api.pki import ensure; ensure(engine_config(Path({str(tmp_path)!r})))\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
