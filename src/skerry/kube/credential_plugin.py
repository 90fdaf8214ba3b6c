"""Credentials that a program gives out: the `exec` of a kubeconfig's user, as `skerry login` writes it too.

Source: kubernetes.io, "client-go credential plugins"; `client.authentication.k8s.io/v1`. They are asked for once, when
the kubeconfig is read. `provideClusterInfo` is refused by name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skerry.kube.records import record

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_SECONDS = 300  # somebody may have to sign in
_UNSUPPORTED = ("provideClusterInfo",)


class PluginError(Exception):
    """Why there are no credentials; the message is for the user."""


@record
class Credential:
    """Who we are: a token or a certificate with its key (PEM)."""

    token: str = ""
    certificate: bytes | None = None
    key: bytes | None = None


def credential_of(entry: Mapping[str, Any], directory: Path) -> Credential:
    """Run the program. `directory`: where relative paths begin. Raises PluginError."""
    version = entry.get("apiVersion")
    if version not in _VERSIONS:
        raise PluginError(f"its apiVersion {version!r} is not supported, only {' and '.join(_VERSIONS)}")
    for field in _UNSUPPORTED:
        if entry.get(field):
            raise PluginError(f"it uses {field!r}, which Skerry does not support")
    try:
        answer = json.loads(_said(entry, directory, str(version)))
        if answer["kind"] != "ExecCredential" or answer["apiVersion"] != version:
            raise ValueError
        return _read(answer["status"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PluginError(f"it printed no ExecCredential of {version}") from None


def _said(entry: Mapping[str, Any], directory: Path, version: str) -> bytes:
    command = str(entry.get("command") or "")
    program = str(directory / command) if "/" in command else command
    interactive = entry.get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": interactive}}
    given = {str(one["name"]): str(one["value"]) for one in entry.get("env") or ()}
    try:
        done = subprocess.run(  # the user's own kubeconfig says so
            [program, *(str(word) for word in entry.get("args") or ())],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        hint = f" ({entry['installHint']})" if entry.get("installHint") else ""
        raise PluginError(f"{program} cannot be run: {error}{hint}") from None
    if done.returncode:
        raise PluginError(f"{program} failed with code {done.returncode}")
    return done.stdout


def _read(status: Mapping[str, Any]) -> Credential:
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    if not status.get("token") and not (certificate and key):
        raise ValueError
    return Credential(
        str(status.get("token") or ""),
        certificate.encode() if certificate else None,
        key.encode() if key else None,
    )
