"""What the machine lacks is named with the way to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.network import features
from skerry.engine.network.features import missing, required_features


def test_missing_programs_are_named_with_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(features, "SBIN", ())
    lines = [feature.line for feature in missing(required_features())]
    assert "containerd is missing: apt-get install containerd" in lines
    assert "crun or runc is missing: apt-get install crun" in lines


def test_one_of_several_programs_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runc").write_text("#!/bin/sh\n")
    (tmp_path / "runc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(features, "SBIN", ())
    assert "crun or runc" not in [feature.name for feature in missing(required_features())]


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert next(feature.name for feature in missing(required_features())) == "root"
