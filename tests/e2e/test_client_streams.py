"""Logs, exec and port-forward of client libraries, in real containers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import kr8s
import lightkube
import pytest
from kr8s.asyncio.objects import Pod as Kr8sPod
from kubernetes_asyncio import client as asyncio_client
from kubernetes_asyncio import config as asyncio_config
from kubernetes_asyncio.stream import WsApiClient

from tests.support.javascript import Javascript
from tests.support.program import Program
from tests.support.waiting import WITHIN

pytestmark = [
    # this release of kr8s says so of every server after 1.35
    pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning"),
    # libraries leave sockets to the garbage collector, which may come at any line
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]
NAMESPACE = "streams-of-clients"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "echo begun; echo serving; echo page > /www/index.html; exec httpd -f -p 8080 -h /www"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
"""


@pytest.fixture(autouse=True)
def own_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of these clients leave certificates behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def pod(program: Program) -> Iterator[str]:
    program.kubectl("create", "namespace", NAMESPACE)
    program.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=POD)
    program.kubectl("wait", "-n", NAMESPACE, "pod/web", "--for=condition=Ready", WITHIN)
    yield "web"
    program.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


async def test_kr8s(program: Program, pod: str) -> None:
    api = await kr8s.asyncio.api(kubeconfig=str(program.kubeconfig), namespace=NAMESPACE)
    found = await Kr8sPod.get(pod, api=api)
    assert [line async for line in found.logs()] == ["begun", "serving"]
    done = await found.exec(["sh", "-c", "echo out; echo err >&2"])
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 0)
    assert (await found.exec(["sh", "-c", "exit 7"], check=False)).returncode == 7
    async with (
        found.portforward(remote_port=8080) as port,
        aiohttp.request("GET", f"http://127.0.0.1:{port}/index.html") as answer,
    ):
        assert await answer.text() == "page\n"


async def test_kubernetes_asyncio(program: Program, pod: str, tmp_path: Path) -> None:
    configuration = asyncio_client.Configuration()
    await asyncio_config.load_kube_config(
        str(program.kubeconfig), client_configuration=configuration, temp_file_path=str(tmp_path)
    )
    async with WsApiClient(configuration) as connection:
        core = asyncio_client.CoreV1Api(connection)
        words = {"stdout": True, "stderr": True, "stdin": False, "tty": False}
        answer = await core.connect_get_namespaced_pod_exec(
            pod, NAMESPACE, command=["echo", "hello  there"], **words, _preload_content=True
        )
        assert answer == "hello  there\n"
        socket = await core.connect_get_namespaced_pod_exec(
            pod, NAMESPACE, command=["sh", "-c", "exit 7"], **words, _preload_content=False
        )
        async with socket as stream:
            last = [message.data async for message in stream][-1]
        assert WsApiClient.parse_error_data(last[1:].decode()) == 7
    async with asyncio_client.ApiClient(configuration) as connection:
        assert await asyncio_client.CoreV1Api(connection).read_namespaced_pod_log(pod, NAMESPACE) == "begun\nserving\n"


def test_lightkube(program: Program, pod: str) -> None:
    config = lightkube.KubeConfig.from_file(str(program.kubeconfig))
    client = lightkube.Client(config=config, namespace=NAMESPACE)
    assert list(client.log(pod, tail_lines=1)) == ["serving\n"]
    following = client.log(pod, follow=True)
    assert (next(iter(following))) == "begun\n"


def test_client_node(program: Program, pod: str, javascript: Javascript) -> None:
    seen = javascript.run("streams.mjs", str(program.kubeconfig), NAMESPACE, pod)
    assert (seen["echo"]["out"], seen["echo"]["status"]) == ("hello  there\n", "Success")
    assert (seen["failed"]["err"], seen["failed"]["causes"][0]["message"]) == ("why\n", "7")
    assert seen["fed"]["out"] == "fed\n"
    assert seen["log"] == "serving\n"
