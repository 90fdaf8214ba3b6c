"""Which cluster commands ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.cli import cluster as module
from skerry.cli.cluster import Cluster
from skerry.cli.errors import CommandFailed

CONFIG = """
current-context: x
clusters: [{name: c, cluster: {server: "https://mine.example"}}]
contexts: [{name: x, context: {cluster: c}}]
"""


def test_an_instance_of_somebody_else_is_not_in_the_way_of_ones_own_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def belongs_to_root(_: Path) -> None:
        raise CommandFailed("/var/lib/skerry belongs to another user")

    monkeypatch.setattr(module, "find_instance", belongs_to_root)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(CommandFailed, match="belongs to another user"):
        Cluster(tmp_path, False, None, None).connection()
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(CONFIG)
    assert Cluster(tmp_path, False, None, None).connection().server == "https://mine.example"
    with pytest.raises(CommandFailed, match="belongs to another user"):
        Cluster(tmp_path, True, None, None).connection()
