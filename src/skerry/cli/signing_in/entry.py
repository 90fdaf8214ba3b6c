"""The entries of a platform in a kubeconfig: cluster, user with the credential plug-in, context. Pure but for the file.

Everything else in the file stays as it is, but for comments, as with `kubectl config`.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from skerry.cli.errors import CommandFailed, one_line
from skerry.cli.signing_in.kept import Kept, name_of, write_private
from skerry.cli.signing_in.server import GATEWAY

_SECTIONS = ("clusters", "users", "contexts")
_API = "client.authentication.k8s.io/v1"


def default_file() -> Path:
    """Where kubectl looks: the first file of $KUBECONFIG, else ~/.kube/config."""
    listed = [entry for entry in os.environ.get("KUBECONFIG", "").split(os.pathsep) if entry]
    return Path(listed[0]) if listed else Path.home() / ".kube" / "config"


def add(path: Path, kept: Kept, namespace: str) -> str:
    """Write the entries, and make theirs the current context, whose name is returned. Raises CommandFailed."""
    name = name_of(kept.url)
    write_private(path, yaml.safe_dump(with_entries(_read(path), kept, namespace, plugin()), sort_keys=False))
    return name


def remove(path: Path, name: str) -> None:
    """Take them out. Raises CommandFailed."""
    content = _read(path)
    if content:
        write_private(path, yaml.safe_dump(without_entries(content, name), sort_keys=False))


def with_entries(content: dict[str, Any], kept: Kept, namespace: str, command: list[str]) -> dict[str, Any]:
    """`command`: how this program is started."""
    name = name_of(kept.url)
    cluster: dict[str, Any] = {"server": kept.url + GATEWAY}
    if kept.ca:
        cluster["certificate-authority-data"] = base64.b64encode(kept.ca.encode()).decode()
    plugin_entry = {
        "apiVersion": _API,
        "command": command[0],
        "args": [*command[1:], "token", name],
        "interactiveMode": "Never",
        "installHint": "skerry is needed to sign in",
    }
    context = {"cluster": name, "user": name, **({"namespace": namespace} if namespace else {})}
    added = {
        "clusters": {"name": name, "cluster": cluster},
        "users": {"name": name, "user": {"exec": plugin_entry}},
        "contexts": {"name": name, "context": context},
    }
    rest = without_entries(content, name)
    sections = {section: [*(rest.get(section) or ()), added[section]] for section in _SECTIONS}
    return {"apiVersion": "v1", "kind": "Config", **rest, **sections, "current-context": name}


def without_entries(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The same without the platform's."""
    kept = {
        section: [one for one in content.get(section) or () if one.get("name") != name]
        for section in _SECTIONS
        if section in content
    }
    current = {"current-context": ""} if content.get("current-context") == name else {}
    return {**content, **kept, **current}


def plugin() -> list[str]:
    """How kubectl starts this program: by its name where that leads here, else by its whole path."""
    called = Path(sys.argv[0]).absolute()
    if called.name == "skerry" and called.exists():
        found = shutil.which("skerry")
        return ["skerry"] if found and Path(found).samefile(called) else [str(called)]
    return [sys.executable, "-m", "skerry.cli.main"]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandFailed(f"the kubeconfig {path} cannot be read: {one_line(error)}") from None
    if content is not None and not isinstance(content, dict):
        raise CommandFailed(f"the kubeconfig {path} is not a mapping")
    return content or {}
