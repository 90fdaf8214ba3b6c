"""`skerry lb render` as it is called: what it writes, prints, hides and refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from skerry.cli.front_door import checking
from skerry.cli.main import main
from tests.unit.front_door.documents import PASSWORD, TALK, document


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "vrrp.password").write_text(PASSWORD)
    path = tmp_path / "site.yaml"
    path.write_text(TALK)
    return path


def render(*words: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["lb", "render", "-f", *map(str, words)], input=given)


def test_every_balancer_gets_its_files(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = render(site, "--out", out)
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    names = {"haproxy.cfg": 0o600, "keepalived.conf": 0o600, "check_front_door.sh": 0o755}
    written = {path: path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()}
    assert written == {out / balancer / name: mode for balancer in ("lb1", "lb2") for name, mode in names.items()}
    assert PASSWORD in (out / "lb1/keepalived.conf").read_text()
    assert (out / "lb1").stat().st_mode & 0o077 == 0
    assert (out / "lb1/check_front_door.sh").read_text().startswith("#!/bin/sh\n")
    assert (out / "lb1/haproxy.cfg").read_text() == (out / "lb2/haproxy.cfg").read_text()


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_what_is_printed_has_no_password(site: Path, output: str) -> None:
    answer = render(site, "-o", output)
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    assert "auth_pass ********" in answer.output
    if output != "text":
        read = json.loads if output == "json" else yaml.safe_load
        assert set(read(answer.output)["lb2"]) == {"haproxy.cfg", "keepalived.conf", "check_front_door.sh"}


def test_its_own_files_are_replaced_and_only_those(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert render(site, "--out", out).exit_code == 0
    assert render(site, "--out", out).exit_code == 0
    edited, foreign = out / "lb1/haproxy.cfg", out / "lb2/keepalived.conf"
    edited.write_text(edited.read_text().replace("3s", "4s"))
    foreign.write_text("! mine\n")
    before = {path: path.read_text() for path in out.rglob("*.c*")}
    answer = render(site, "--out", out)
    assert answer.exit_code == 1
    assert f"{edited} was changed by hand: --force overwrites it" in answer.output
    assert f"{foreign} was not made by this command: --force overwrites it" in answer.output
    assert {path: path.read_text() for path in out.rglob("*.c*")} == before, "nothing is written by halves"
    assert render(site, "--out", out, "--force").exit_code == 0
    assert "mine" not in foreign.read_text()


def test_printing_and_writing_exclude_each_other(site: Path, tmp_path: Path) -> None:
    assert render(site, "--out", tmp_path / "out", "-o", "json").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_it_reads_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vrrp.password").write_text(PASSWORD)
    assert "frontend https" in render("-", given=TALK).output


def test_mistakes_are_listed_and_nothing_is_written(site: Path, tmp_path: Path) -> None:
    changed = document()
    changed["spec"]["web"]["routes"][0]["active"] = ["nowhere"]
    site.write_text(yaml.safe_dump(changed))
    answer = render(site, "--out", tmp_path / "out")
    assert answer.exit_code == 1
    assert answer.output.startswith(
        f"skerry: {site} is not a usable FrontDoor:\n  spec.web.routes[0].active[0]: Not found"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["", "{}\n---\n{}\n", "a: [", "\x00", "!!python/object:os.system {}"])
def test_what_is_not_one_document_is_refused(site: Path, text: str) -> None:
    site.write_text(text)
    answer = render(site)
    assert answer.exit_code == 1
    assert answer.output.startswith("skerry: ")
    assert "Traceback" not in answer.output


def programs(directory: Path, **codes: int) -> str:
    """Stand-ins that leave with a code, in the place of daemons that not every machine has."""
    for name, code in codes.items():
        path = directory / name
        path.write_text(f"#!/bin/sh\necho {name} has read it\nexit {code}\n")
        path.chmod(0o755)
    return f"{directory}{os.pathsep}/nowhere"


def test_what_a_program_refuses_is_not_written(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_PATH", programs(tmp_path, haproxy=1, keepalived=0))
    answer = render(site, "--check", "--out", tmp_path / "out")
    assert answer.exit_code == 1
    assert "lb1/haproxy.cfg is refused:\nhaproxy has read it" in answer.output
    assert not (tmp_path / "out").exists()


def test_a_check_without_any_program_fails_as_a_lack_of_the_machine(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_PATH", "/nowhere")
    answer = render(site, "--check")
    assert answer.exit_code == 3
    monkeypatch.setattr(checking, "_PATH", programs(tmp_path, haproxy=0))
    answer = render(site, "--check")
    assert answer.exit_code == 0
    assert "keepalived is not installed here: its files are not checked" in answer.output
