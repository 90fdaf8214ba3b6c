"""containerd's configuration: what it says depends on the instance and the machine, and it is TOML."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.node.containerd.config_file import Machine, config_path, settings, to_toml, write_config

MACHINE = Machine("/usr/bin/crun", Path("/usr/lib/cni"), may_lower_oom_score=False)
CRI = "io.containerd.grpc.v1.cri"


@pytest.fixture
def config(tmp_path: Path) -> EngineConfig:
    return EngineConfig(
        "ab12", Paths(tmp_path / "da ta", tmp_path / "run"), "n", "127.0.0.1", 0, "10.64.0.0/16", "10.65.0.0/16"
    )


def test_everything_is_below_our_directories(config: EngineConfig) -> None:
    parsed = tomllib.loads(to_toml(settings(config, MACHINE)))
    paths = config.paths
    assert Path(parsed["root"]).is_relative_to(paths.containerd)
    assert Path(parsed["state"]).is_relative_to(paths.run)
    assert parsed["grpc"]["address"] == str(paths.containerd_socket)
    assert Path(parsed["plugins"][CRI]["cni"]["conf_dir"]).is_relative_to(paths.cni)


def test_oom_score_is_restricted_only_where_the_capability_is_missing(config: EngineConfig) -> None:
    assert tomllib.loads(to_toml(settings(config, MACHINE)))["plugins"][CRI]["restrict_oom_score_adj"] is True
    able = replace(MACHINE, may_lower_oom_score=True)
    assert tomllib.loads(to_toml(settings(config, able)))["plugins"][CRI]["restrict_oom_score_adj"] is False


def test_runtime_is_the_one_found(config: EngineConfig) -> None:
    machine = replace(MACHINE, runtime="/usr/sbin/runc")
    containerd = tomllib.loads(to_toml(settings(config, machine)))["plugins"][CRI]["containerd"]
    runtime = containerd["runtimes"][containerd["default_runtime_name"]]
    assert runtime["options"] == {"BinaryName": "/usr/sbin/runc", "SystemdCgroup": False}


def test_runtimes_that_classes_may_ask_for_are_handlers(config: EngineConfig) -> None:
    machine = replace(MACHINE, handlers={"crun": "/usr/bin/crun", "runc": "/usr/sbin/runc"})
    containerd = tomllib.loads(to_toml(settings(config, machine)))["plugins"][CRI]["containerd"]
    programs = {name: runtime["options"]["BinaryName"] for name, runtime in containerd["runtimes"].items()}
    assert programs == {"default": "/usr/bin/crun", "crun": "/usr/bin/crun", "runc": "/usr/sbin/runc"}


def test_file_and_directories_are_private(config: EngineConfig) -> None:
    path = write_config(config, MACHINE)
    assert path == config_path(config.paths)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (config.paths.containerd / "root").stat().st_mode & 0o777 == 0o700
    tomllib.loads(path.read_text())


def test_toml_quotes_what_needs_it() -> None:
    table = {"a": 'say "hi"\n', "b": {"c.d": {"e": [1, "x"]}, "f": True}}
    assert tomllib.loads(to_toml(table)) == table  # type: ignore[arg-type]
