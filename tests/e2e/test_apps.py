"""Apps of the catalogue on the whole engine: images by their recipes, charts by Helm, under the strictest Pod Security.

Each chart's own test says whether the app does what it is for: a page comes, a cell gives a result, a screen answers,
an editor greets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.charts import CHARTS, build_images, opened
from tests.support.helm import Helm
from tests.support.program import Program, eventually
from tests.support.waiting import WITH_IMAGES

pytestmark = pytest.mark.timeout(WITH_IMAGES)
NAMESPACE = "apps"
_WAIT = ("--wait", "--timeout", "180s")


@pytest.fixture(scope="module")
def helm(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helm]:
    """In a namespace that admits what Pod Security's "restricted" admits."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": NAMESPACE, "labels": labels}
    program.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
    yield Helm(program.kubeconfig, tmp_path_factory.mktemp("helm"), NAMESPACE)
    program.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def passes_its_own_test(helm: Helm, release: str) -> None:
    told = helm("test", release, "--logs", "--timeout", "180s")
    assert "Phase:          Succeeded" in told


def test_pages_of_an_image_and_of_a_site(program: Program, helm: Helm) -> None:
    build_images(program, "web-application", "static-site")
    helm("install", "hello", str(CHARTS / "web-application"), "--set", "replicas=2", *_WAIT)
    pages = '{"index.html":"<p>first</p>","about/index.html":"<p>about</p>","404.html":"<p>not here</p>"}'
    helm("install", "site", str(CHARTS / "static-site"), "--set-json", f"pages={pages}", *_WAIT)
    passes_its_own_test(helm, "hello")
    passes_its_own_test(helm, "site")

    def answer(path: str) -> tuple[int, str]:
        return opened(program, f"site.{NAMESPACE}.localhost", path)

    eventually(lambda: answer("/") == (200, "<p>first</p>"), "the site")
    assert answer("/about/") == (200, "<p>about</p>")
    assert answer("/nothing") == (404, "<p>not here</p>")
    assert answer("/.git/config")[0] == 403
    eventually(lambda: "Hello from Skerry" in opened(program, f"hello.{NAMESPACE}.localhost")[1], "the hello page")

    helm("upgrade", "site", str(CHARTS / "static-site"), "--set-json", 'pages={"index.html":"<p>second</p>"}', *_WAIT)
    eventually(lambda: answer("/") == (200, "<p>second</p>"), "the other page")
    for release in ("hello", "site"):
        helm("uninstall", release, "--wait")


def test_jupyterlab_executes_a_cell_and_keeps_its_home(program: Program, helm: Helm) -> None:
    build_images(program, "jupyterlab")
    helm("install", "notebook", str(CHARTS / "jupyterlab"), "--set", "resources.cpu=500m", *_WAIT)
    passes_its_own_test(helm, "notebook")
    pod = ("exec", "-n", NAMESPACE, "deployment/notebook", "--")
    program.kubectl(*pod, "sh", "-c", "echo kept >result.txt && git --version && pip --version")
    assert program.kubectl(*pod, "touch", "/opt/python/more", check=False).returncode != 0

    helm("uninstall", "notebook", "--wait")
    helm("install", "notebook", str(CHARTS / "jupyterlab"), "--set", "resources.cpu=500m,resources.memory=1Gi", *_WAIT)
    assert program.kubectl(*pod, "cat", "result.txt").stdout == "kept\n"
    helm("uninstall", "notebook", "--wait")


def test_a_desktop_shows_its_screen(program: Program, helm: Helm) -> None:
    build_images(program, "desktop")
    helm("install", "desk", str(CHARTS / "desktop"), *_WAIT)
    passes_its_own_test(helm, "desk")
    look = ("exec", "-n", NAMESPACE, "deployment/desk", "--", "ps", "-eo", "comm")
    eventually(lambda: {"Xtigervnc", "icewm", "xterm"} <= set(program.kubectl(*look).stdout.split()), "what it shows")
    helm("uninstall", "desk", "--wait")


def test_an_editor_opens_and_what_is_compiled_in_it_runs(program: Program, helm: Helm) -> None:
    build_images(program, "code-server")
    helm("install", "editor", str(CHARTS / "code-server"), *_WAIT)
    passes_its_own_test(helm, "editor")
    eventually(lambda: 'name="password"' in opened(program, f"editor.{NAMESPACE}.localhost", "/login")[1], "its door")

    pod = ("exec", "-n", NAMESPACE, "deployment/editor", "--")
    terminal = "require('node-pty').spawn('python', ['-c', 'print(6 * 7)']).onData(said => process.stdout.write(said))"
    told = program.kubectl(*pod, "sh", "-c", 'cd /opt/node_modules && node -e "$0"', terminal).stdout
    assert told.strip() == "42"
    watcher = "require('@parcel/watcher').getEventsSince"
    program.kubectl(*pod, "sh", "-c", 'cd /opt/node_modules && node -p "$0" && npm --version', watcher)
    search = "/opt/node_modules/@vscode/ripgrep-universal/bin/linux-x64/rg"
    program.kubectl(*pod, "sh", "-c", f"echo found >work/note && {search} found work")
    logs = "cat .local/share/code-server/logs/*/remoteagent.log"
    eventually(lambda: "Extension host agent started" in program.kubectl(*pod, "sh", "-c", logs).stdout, "its log")
    assert program.kubectl(*pod, "touch", "/opt/node_modules/more", check=False).returncode != 0
    helm("uninstall", "editor", "--wait")
