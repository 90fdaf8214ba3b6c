"""The machine's own list of trusted authorities: a file of ours put in, and taken out again.

Distributions differ in a directory and a command. Our file bears the instance's name, so that nothing else is touched
and `skerry clean` finds it. Sources: update-ca-certificates(8), update-ca-trust(8).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.kube.records import record


@record
class TrustStore:
    """Where authorities of this machine's owner go, and what must run after a change."""

    directory: Path
    program: str


KNOWN = (
    TrustStore(Path("/usr/local/share/ca-certificates"), "update-ca-certificates"),  # Debian, Ubuntu, Alpine
    TrustStore(Path("/etc/pki/ca-trust/source/anchors"), "update-ca-trust"),  # Fedora, Red Hat
    TrustStore(Path("/etc/pki/trust/anchors"), "update-ca-certificates"),  # openSUSE
    TrustStore(Path("/etc/ca-certificates/trust-source/anchors"), "update-ca-trust"),  # Arch
)


def trust(instance: str, pem: str) -> Path:
    """Have the machine trust an authority. Returns the file. Raises MachineLacks, CommandFailed."""
    _need_root()
    store = _store()
    path = store.directory / _name(instance)
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(pem)
        fresh.chmod(0o644)
        fresh.replace(path)
        _update(store)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise CommandFailed(f"cannot write {path}: {error.strerror}") from None
    except CommandFailed:
        path.unlink()
        raise
    return path


def withdraw(instance: str) -> None:
    """Take it back; nothing happens where it is not. Raises MachineLacks, CommandFailed."""
    for store, path in trusted_copies(instance):
        _need_root()
        path.unlink(missing_ok=True)
        _update(store)


def trusted_copies(instance: str) -> list[tuple[TrustStore, Path]]:
    """Where our file is."""
    places = [(store, store.directory / _name(instance)) for store in KNOWN]
    return [(store, path) for store, path in places if path.is_file()]


def is_trusted(pem: str) -> bool:
    """Whether the machine trusts exactly this authority, whoever said so."""
    import ssl

    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    return ssl.PEM_cert_to_DER_cert(pem) in known


def _name(instance: str) -> str:
    return f"skerry-{instance}.crt"  # Debian takes files with this ending only


def _store() -> TrustStore:
    for store in KNOWN:
        if store.directory.is_dir() and shutil.which(store.program):
            return store
    raise MachineLacks("a list of trusted authorities is missing: install the package ca-certificates")


def _need_root() -> None:
    if os.geteuid() != 0:
        raise MachineLacks("root is missing: run as root, for example with sudo")


def _update(store: TrustStore) -> None:
    done = subprocess.run([store.program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"{store.program}: {(done.stderr or done.stdout).strip()}")
