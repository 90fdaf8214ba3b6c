"""The platform of this machine's instance: how it is started beside the engine, and whether it answers.

Its port is chosen once and kept in `<data>/platform.json`. Neighbours: `up` and `install_service` start it, `status`
shows it; `skerry.portal.program` is what runs.
"""

from __future__ import annotations

import json
import shlex
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from skerry.cli.api import Api
from skerry.cli.errors import CommandFailed
from skerry.kube.records import record

MODULE = "skerry.portal.program"
DEFAULT_PORT = 7443
_TRIES = 500
_FILE = "platform.json"


@record
class Announced:
    """What a running platform says of itself in the cluster."""

    url: str
    ca: str
    """Whom to trust there, PEM."""


def beside(data_dir: Path, kubeconfig: Path, streams_per_person: int | None = None) -> str:
    """What the engine is to run beside itself. Chooses the port when there is none yet; `keep_port` notes it."""
    names = ["127.0.0.1", "localhost", socket.gethostname()]
    words = ["--kubeconfig", str(kubeconfig), "--host", "0.0.0.0", "--port", str(_port_of(data_dir)), "--beside-node"]  # noqa: S104  # who comes must sign in
    if streams_per_person:
        words += ["--streams-per-person", str(streams_per_person)]
    return shlex.join([MODULE, *words, *(word for name in names for word in ("--name", name))])


def keep_port(data_dir: Path) -> None:
    """Choose the port now, and keep it for every later start."""
    kept = data_dir / _FILE
    if not kept.exists():
        kept.touch(0o600)
        kept.write_text(json.dumps({"port": _free_port(_place_of(data_dir))}) + "\n")


def _port_of(data_dir: Path) -> int:
    try:
        return int(json.loads((data_dir / _FILE).read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return _free_port(_place_of(data_dir))


def _place_of(data_dir: Path) -> int:
    """The instance's own on this machine, so that two that start at once choose two ports; 0 before there is one."""
    try:
        return int(json.loads((data_dir / "instance.json").read_text())["index"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _free_port(place: int) -> int:
    for port in range(DEFAULT_PORT + place, DEFAULT_PORT + _TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104  # as the platform will
            except OSError:
                continue
            return port
    raise CommandFailed(f"no port from {DEFAULT_PORT} on is free for the platform: start with --no-platform")


def announced(api: Api) -> Announced | None:
    """What the cluster says, None when no platform has ever run there. Raises OSError."""
    found = api.get_object("/api/v1/namespaces/kube-public/configmaps/skerry-platform")
    data = (found or {}).get("data") or {}
    return Announced(data.get("url", ""), data.get("ca.crt", "")) if data else None


def answers(platform: Announced) -> bool:
    """Whether it is there now."""
    try:
        context = ssl.create_default_context(cadata=platform.ca)
        with urllib.request.urlopen(f"{platform.url}/healthz", timeout=5, context=context) as answer:  # noqa: S310  # https
            return bool(answer.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False
