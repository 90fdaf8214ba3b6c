"""Asks the real haproxy and keepalived whether they take what was rendered. Nothing is started.

Neighbours: `files`, whose texts these are. The machine that renders is seldom a balancer: certificates that are not
here are replaced by stand-ins in the copy that is checked, and interface and check script are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from skerry.cli.front_door import keepalived
from skerry.cli.front_door.files import HAPROXY, KEEPALIVED, Rendered
from skerry.cli.front_door.resource import FrontDoor

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # daemons are not in everybody's PATH
_LIMIT = 60.0  # seconds a program may take; haproxy resolves names


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program says of one file. `wrong`: its words, if it refuses; None if it takes it."""

    balancer: str
    name: str
    wrong: str | None


def program(name: str) -> str | None:
    """Where the program is, if it is installed."""
    return shutil.which(name, path=_PATH)


def check(door: FrontDoor, files: list[Rendered]) -> list[Verdict]:
    """A verdict for each file whose program is installed."""
    with tempfile.TemporaryDirectory(prefix="skerry-lb-") as temporary:
        directory = Path(temporary)
        return [verdict for one in files if (verdict := _check(door, one, directory)) is not None]


def _check(door: FrontDoor, one: Rendered, directory: Path) -> Verdict | None:
    if one.name == HAPROXY and (found := program("haproxy")):
        copy = _copy(directory, with_stand_ins(door, one.text, directory))
        return Verdict(one.balancer, one.name, _run(found, "-c", "-f", str(copy)))
    if one.name == KEEPALIVED and (found := program("keepalived")):
        copy = _copy(directory, keepalived.elsewhere(one.text))
        return Verdict(one.balancer, one.name, _run(found, "-t", "-f", str(copy)))
    return None


def with_stand_ins(door: FrontDoor, text: str, directory: Path) -> str:
    """The text with an authority and an empty directory in place of files and directories that are not here."""
    clusters = [one.ingress.tls for one in door.clusters if one.ingress and one.ingress.tls]
    clusters += [one.api.tls for one in door.clusters if one.api]
    for missing in {tls.ca_file for tls in clusters if not Path(tls.ca_file).exists()}:
        text = text.replace(f"ca-file {missing} ", f"ca-file {_authority(directory)} ")
    certificates = door.web.certificates if door.web else None
    if certificates and not Path(certificates).exists():
        empty = directory / "certificates"
        empty.mkdir(exist_ok=True)
        text = text.replace(f"crt {certificates} ", f"crt {empty} ")
    return text


def _authority(directory: Path) -> Path:
    """Some certificate that haproxy can read."""
    path = directory / "authority.pem"
    if not path.exists():
        path.write_bytes(_certificate())
    return path


def _certificate() -> bytes:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, None).public_bytes(Encoding.PEM)


def _copy(directory: Path, text: str) -> Path:
    path = directory / "checked.conf"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _run(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        return f"no answer within {_LIMIT:.0f} s"
    if done.returncode == 0:
        return None
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "[NOTICE]" not in line]
    return "\n".join(lines).strip() or f"exit code {done.returncode}"
