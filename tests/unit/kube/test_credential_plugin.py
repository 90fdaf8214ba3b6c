"""Credentials that a program gives out, by a kubeconfig."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.kube.kubeconfig import KubeconfigError, load_kubeconfig

API = "client.authentication.k8s.io/v1"
SAYS = "import os, sys; print(sys.argv[1].replace('$INFO', os.environ['KUBERNETES_EXEC_INFO'].replace('\"', '')))"


def _kubeconfig(folder: Path, said: Any, **more: Any) -> Path:
    text = said if isinstance(said, str) else json.dumps(said)
    plugin = {"apiVersion": API, "command": sys.executable, "args": ["-c", SAYS, text], **more}
    config = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example"}}],
        "users": [{"name": "u", "user": {"exec": plugin, "token": "old"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return path


def _credential(**status: str) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "ExecCredential", "status": status}


def test_a_token_or_a_certificate(tmp_path: Path) -> None:
    connection = load_kubeconfig(_kubeconfig(tmp_path, _credential(token="$INFO", expirationTimestamp="x")))
    assert connection.token == f"{{apiVersion: {API}, kind: ExecCredential, spec: {{interactive: false}}}}"
    answer = _credential(clientCertificateData="CERT", clientKeyData="KEY")
    connection = load_kubeconfig(_kubeconfig(tmp_path, answer))
    assert (connection.token, connection.client_certificate, connection.client_key) == ("", b"CERT", b"KEY")


def test_a_program_beside_the_kubeconfig(tmp_path: Path) -> None:
    program = tmp_path / "plugin"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(_credential(token='t'))}' | sed s/t$SUFFIX/t/\n")
    program.chmod(0o700)
    path = _kubeconfig(tmp_path, "", command="./plugin", args=None, env=[{"name": "SUFFIX", "value": "x"}])
    assert load_kubeconfig(path).token == "t"


@pytest.mark.parametrize(
    ("said", "more", "why"),
    [
        ("no JSON", {}, f"printed no ExecCredential of {API}"),
        (_credential(), {}, "printed no ExecCredential"),
        (_credential(token="t") | {"apiVersion": "v0"}, {}, "printed no ExecCredential"),
        ("", {"args": ["-c", "raise SystemExit(3)"]}, "failed with code 3"),
        ("", {"command": "/nowhere", "installHint": "get it there"}, r"cannot be run: .*\(get it there\)"),
        ("", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "apiVersion .* is not supported"),
        ("", {"provideClusterInfo": True}, "it uses 'provideClusterInfo', which Skerry does not support"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, said: Any, more: dict[str, Any], why: str) -> None:
    with pytest.raises(KubeconfigError, match=f"exec plug-in gives no credentials: .*{why}"):
        load_kubeconfig(_kubeconfig(tmp_path, said, **more))
