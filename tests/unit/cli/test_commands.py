"""Commands as a user calls them, where no engine is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from skerry.cli.install_service import remove_service, stop_service, unit_name
from skerry.cli.instance_files import InstanceFiles, process_start
from skerry.cli.main import main


def skerry(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceFiles:
    """The files of an instance whose engine is this very process."""
    monkeypatch.setattr("skerry.cli.instance_files.RUN_BASE", tmp_path / "run")
    files = InstanceFiles(tmp_path / "data", "ab12")
    for directory in (files.data_dir, files.run_dir, files.log_dir):
        directory.mkdir(parents=True)
    (files.data_dir / "instance.json").write_text(json.dumps({"instance": "ab12", "index": 0, "port": 6443}))
    (files.run_dir / "engine.pid").write_text(f"{os.getpid()} {process_start(os.getpid())}\n")
    return files


def _commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """All of them, groups and what is in them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        yield (*before, name)
        if isinstance(one, click.Group):
            yield from _commands(one, *before, name)


def test_every_command_has_help_with_an_example() -> None:
    for words in _commands(main):
        if words == ("kubectl",):  # every word after it is kubectl's
            continue
        shown = skerry(*words, "--help")
        assert shown.exit_code == 0
        assert f"skerry {' '.join(words)}" in shown.output.partition("Example")[2], words


def test_help_is_quick_because_nothing_is_imported_for_it() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "skerry.cli.main", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "install-service" in shown.stdout
    for heavy in ("skerry.cli.up", "skerry.engine", "asyncio", "yaml", "ssl"):
        assert f" {heavy}\n" not in shown.stderr


@pytest.mark.parametrize(
    "words",
    [["status"], ["kubeconfig"], ["logs"], ["image", "ls"], ["ca"], ["ca", "install"], ["kubectl", "get", "pods"]],
)
def test_without_an_instance_they_say_so(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_DATA_DIR", str(tmp_path))
    answer = skerry(*words)
    assert answer.exit_code == 4
    assert answer.output == f"skerry: there is no instance in {tmp_path}: start one with `skerry up`\n"


def test_down_and_clean_without_an_instance_are_harmless(tmp_path: Path) -> None:
    for command in ("down", "clean"):
        assert skerry(command, "--data-dir", str(tmp_path)).exit_code == 0


def test_clean_tells_of_each_part_that_takes_its_time(instance: InstanceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def removing(said: Callable[[str], None], *_: str) -> str:
        said("containerd")
        return ""

    monkeypatch.setattr("skerry.cli.clean.stop_all", lambda files: None)
    monkeypatch.setattr("skerry.cli.clean.remove_service", lambda data_dir: None)
    monkeypatch.setattr("skerry.cli.clean.withdraw", lambda name: None)
    monkeypatch.setattr("skerry.cli.clean.follow_module", removing)
    monkeypatch.setattr("skerry.cli.clean._WORTH_TELLING", 0.0)
    lines = skerry("clean", "--yes", "--data-dir", str(instance.data_dir)).output.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["removed", str(instance.data_dir / "containerd")],
        ["removed", str(instance.data_dir)],
    ]


def test_up_starts_nothing_when_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    answer = skerry("up", "--data-dir", str(tmp_path / "new"))
    assert answer.exit_code == 3
    assert answer.output == "skerry: root is missing: run as root, for example with sudo\n"
    assert not (tmp_path / "new").exists()


def test_an_engine_is_known_by_its_process_and_start_time(instance: InstanceFiles) -> None:
    assert instance.engine_pid() == os.getpid()
    (instance.run_dir / "engine.pid").write_text(f"{os.getpid()} 1\n")
    assert instance.engine_pid() is None, "another process has got the number"
    (instance.run_dir / "engine.pid").unlink()
    assert instance.engine_pid() is None


def test_kubeconfig_prints_path_or_content(instance: InstanceFiles) -> None:
    instance.kubeconfig.write_text("kind: Config\n")
    assert skerry("kubeconfig", "--data-dir", str(instance.data_dir)).output == f"{instance.kubeconfig}\n"
    assert skerry("kubeconfig", "--raw", "--data-dir", str(instance.data_dir)).output == "kind: Config\n"


def test_logs_show_the_end(instance: InstanceFiles) -> None:
    (instance.log_dir / "engine.log").write_text("one\ntwo\nthree\n")
    assert skerry("logs", "--tail", "2", "--data-dir", str(instance.data_dir)).output == "two\nthree\n"
    assert skerry("logs", "--containerd", "--data-dir", str(instance.data_dir)).exit_code == 4


def test_logs_follow_through_rotation(instance: InstanceFiles) -> None:
    log = instance.log_dir / "engine.log"
    log.write_text("first\n")
    command = [sys.executable, "-m", "skerry.cli.main", "logs", "-f", "--data-dir", str(instance.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            assert following.stdout.readline() == "first\n"
            with log.open("a") as file:
                file.write("second line\n")
            assert following.stdout.readline() == "second line\n"
            log.rename(log.with_suffix(".1"))
            time.sleep(0.3)
            log.write_text("third\n")
            assert following.stdout.readline() == "third\n"
        finally:
            following.terminate()


def test_kubectl_gets_every_word_and_the_kubeconfig(
    instance: InstanceFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[object] = []
    monkeypatch.setattr("os.execve", lambda *words: called.extend(words))
    monkeypatch.setattr("skerry.cli.kubectl.find_program", lambda name: f"/bin/{name}")
    skerry("kubectl", "--data-dir", str(instance.data_dir), "-n", "x", "get", "pods", "--help", "-o", "json")
    program, words, environment = called
    assert (program, words) == ("/bin/kubectl", ["/bin/kubectl", "-n", "x", "get", "pods", "--help", "-o", "json"])
    assert environment["KUBECONFIG"] == str(instance.kubeconfig)  # type: ignore[index]


def test_status_of_an_engine_that_does_not_answer(instance: InstanceFiles) -> None:
    (instance.data_dir / "status.json").write_text(json.dumps({"node": "here", "api": "https://x:1", "steps": []}))
    answer = skerry("status", "-o", "json", "--data-dir", str(instance.data_dir))
    assert answer.exit_code == 0
    document = json.loads(answer.output)
    assert (document["running"], document["ready"]) == (True, False)
    assert document["components"] == [{"name": "api", "ok": False, "message": "does not answer"}]
    assert skerry("status", "--data-dir", str(instance.data_dir)).output.startswith("Instance")


def test_image_commands_refuse_what_is_no_image_name(instance: InstanceFiles) -> None:
    answer = skerry("image", "rm", "NOT A NAME", "--data-dir", str(instance.data_dir))
    assert answer.exit_code == 1
    assert "is not an image name" in answer.output


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where systemd runs: its unit directory, and a systemctl that keeps what it was told in a file."""
    units, programs = tmp_path / "units", tmp_path / "bin"
    for directory in (units, programs):
        directory.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr("skerry.cli.install_service._SYSTEMD_RUNS", tmp_path)
    monkeypatch.setattr("skerry.cli.install_service.UNITS", units)
    return tmp_path / "told"


def test_a_service_is_enabled_stopped_and_removed(instance: InstanceFiles, systemd: Path) -> None:
    units, name = systemd.parent / "units", unit_name(instance.data_dir)
    installed = skerry("install-service", "--directory", str(units), "--data-dir", str(instance.data_dir))
    assert installed.exit_code == 0, installed.output
    assert (units / name).is_file()
    stop_service(instance.data_dir)
    remove_service(instance.data_dir)
    assert not (units / name).exists()
    told = ["daemon-reload", f"enable --now {name}", f"stop {name}", f"disable {name}"]
    assert systemd.read_text().splitlines() == told


def test_without_a_service_systemd_is_left_alone(instance: InstanceFiles, systemd: Path) -> None:
    stop_service(instance.data_dir)
    remove_service(instance.data_dir)
    assert not systemd.exists()


def test_what_a_unit_says_of_streams_reaches_the_platform(tmp_path: Path) -> None:
    where = ("install-service", "--print", "--data-dir", str(tmp_path))
    assert "--streams-per-person" not in skerry(*where).output
    assert "--streams-per-person 30" in skerry(*where, "--streams-per-person", "30").output
    assert skerry(*where, "--streams-per-person", "0").exit_code == 2


def test_the_service_unit_leaves_containers_alone(tmp_path: Path) -> None:
    unit = skerry("install-service", "--print", "--data-dir", str(tmp_path / "50% full")).output
    for line in ("KillMode=process", "Restart=always", "WantedBy=multi-user.target"):
        assert line in unit.splitlines()
    assert f"--data-dir '{tmp_path}/50%% full'" in unit
