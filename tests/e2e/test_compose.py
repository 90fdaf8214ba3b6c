"""An application for Docker Compose runs as it was imported: names, settings, secrets, files, volumes (mission H8)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from skerry.cli.main import main
from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

_APPLICATION = f"""\
name: boats
services:
  prepare:
    image: {BUSYBOX}
    command: ["sh", "-c", "echo prepared > /state/file"]
    volumes: [state:/state]
  web:
    image: {BUSYBOX}
    command: sh -c "httpd -p 8000 -h /srv && exec sh -c 'trap \\"exit 0\\" TERM; while :; do sleep 0.1; done'"
    volumes: [./site:/srv:ro]
    expose: ["8000"]
    stop_grace_period: 1s
    healthcheck: {{test: "wget -q -O- http://localhost:8000/ | grep -q boats", interval: 1s, start_period: 30s}}
  store:
    image: {BUSYBOX}
    command: ["httpd", "-f", "-p", "6000", "-h", "/state"]
    healthcheck: {{test: ["CMD", "wget", "-q", "-O-", "http://localhost:6000/file"], interval: 1s}}
    volumes: [state:/state]
    stop_grace_period: 1s
    depends_on: {{prepare: {{condition: service_completed_successfully}}}}
    restart: always
  proxy:
    image: {BUSYBOX}
    env_file: proxy.env
    secrets: [key]
    environment: {{GREETING: "$$(HOME) costs $$5"}}
    command:
      - sh
      - -c
      - trap 'exit 0' TERM; until wget -q -O /tmp/page http://web:8000/; do sleep 0.1; done; while :; do sleep 0.1; done
    stop_grace_period: 1s
    user: "1000"
    tmpfs: [/tmp]
    depends_on: [web, store]
volumes: {{state: {{}}}}
secrets: {{key: {{file: key.txt}}}}
"""


@pytest.fixture
def imported(program: Program, tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("boats\n")
    (tmp_path / "proxy.env").write_text("DATABASE_PASSWORD=not-a-secret\nMODE=calm\n")
    (tmp_path / "key.txt").write_text("a key\n")
    (tmp_path / "compose.yaml").write_text(dedent(_APPLICATION))
    folder = tmp_path / "manifests"
    words = ["compose", "import", str(tmp_path / "compose.yaml"), "-o", str(folder), "--storage", "32Mi"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    yield folder
    shutil.rmtree(folder)


def test_an_application_runs_as_it_was_imported(program: Program, namespace: str, imported: Path) -> None:
    program.kubectl("-n", namespace, "apply", "-k", str(imported))
    program.kubectl("-n", namespace, "wait", "--for=condition=complete", "job/prepare", WITHIN)
    for name in ("web", "store", "proxy"):
        program.kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", WITHIN)

    def in_proxy(command: str) -> str:
        done = program.kubectl("-n", namespace, "exec", "deployment/proxy", "--", "sh", "-c", command)
        return str(done.stdout)

    for page, text in (("web:8000/", "boats\n"), ("store:6000/file", "prepared\n")):  # this port is not in the file
        eventually(lambda page=page, text=text: in_proxy(f"wget -q -O- http://{page}") == text, page)
    assert in_proxy('echo "$DATABASE_PASSWORD $MODE $GREETING"') == "not-a-secret calm $(HOME) costs $5\n"
    assert in_proxy("cat /run/secrets/key; id -u") == "a key\n1000\n"
