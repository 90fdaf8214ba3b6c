"""exec and port-forward by the Python `kubernetes` client, which speaks the channel sub-protocols."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.stream import portforward, stream

from tests.component.streams.test_kubectl_port_forward import _echo, listening
from tests.support.api import RunningApi

# the client leaves its sockets to the garbage collector, which may come at any line
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """This client leaves its sockets to the garbage collector: let it, here, and not in the middle of other tests."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def core(server: RunningApi) -> Any:
    return client.CoreV1Api(config.new_client_from_config(str(server.kubeconfig)))


def _exec(core: Any, *command: str, **options: Any) -> Any:
    method = core.connect_get_namespaced_pod_exec
    streams = {"stdin": False, "stdout": True, "stderr": True, "tty": False}
    return stream(method, "web", "default", command=list(command), **{**streams, **options})


async def test_output_of_a_command(core: Any) -> None:
    assert await asyncio.to_thread(_exec, core, "echo", "hello there") == "hello there\n"


async def test_a_conversation_and_the_exit_code(core: Any) -> None:
    def converse() -> tuple[str, int]:
        ws = _exec(core, "sh", "-c", "read x; echo got $x; exit 7", stdin=True, _preload_content=False)
        ws.write_stdin("words\n")
        ws.run_forever(timeout=60)
        said, code = ws.read_stdout(), ws.returncode
        ws.close()
        return said, code

    assert await asyncio.to_thread(converse) == ("got words\n", 7)


async def test_port_forward(core: Any) -> None:
    def talk(port: int) -> bytes:
        forwarded = portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports=str(port))
        connection = forwarded.socket(port)
        connection.setblocking(True)
        connection.sendall(b"x" * 300_000)
        received = b""
        while len(received) < 300_000:
            received += connection.recv(65536)
        forwarded.close()
        assert forwarded.error(port) is None
        return received

    async with listening(_echo) as port:
        assert await asyncio.to_thread(talk, port) == b"x" * 300_000


async def test_port_forward_to_nobody(core: Any) -> None:
    def fail() -> str:
        forwarded = portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports="1")
        connection: socket.socket = forwarded.socket(1)
        connection.setblocking(True)
        assert connection.recv(1) == b""
        connection.close()
        return str(forwarded.error(1))

    assert "connection refused" in await asyncio.to_thread(fail)
