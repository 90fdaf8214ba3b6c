"""Into real containers: exec, attach, logs, port-forward, metrics."""

from __future__ import annotations

import asyncio
import re

import pytest

from skerry.engine.api.pod_access import PodAccess, StreamSession
from skerry.engine.node.access.pod_access import NodePodAccess
from skerry.kube.errors import BadRequest, InternalError
from skerry.kube.objects import Obj
from skerry.kube.pod_streams import STDERR, STDOUT, LogOptions, StreamOptions
from tests.component.runtime.instance import Instance
from tests.support.waiting import LIMIT, until

pytestmark = pytest.mark.root


async def collect(session: StreamSession) -> tuple[bytes, bytes, int]:
    """Standard output, standard error, exit code."""
    got = {STDOUT: b"", STDERR: b""}
    async for stream, data in session.output():
        got[stream] += data
    code = await session.wait()
    await session.close()
    return got[STDOUT], got[STDERR], code


async def text_of(access: PodAccess, pod: Obj, options: LogOptions) -> str:
    return b"".join([chunk async for chunk in access.logs(pod, "main", options)]).decode()


async def eventually_log(access: PodAccess, pod: Obj, word: str) -> str:
    async def written() -> str:
        text = await text_of(access, pod, LogOptions())
        return text if word in text else ""

    return await until(written, word)


async def test_exec(instance: Instance, access: NodePodAccess) -> None:
    """Separate streams, exit code, environment and user of the container; then a few ways to end badly."""
    contract: PodAccess = access  # structural typing is checked here
    pod = (await instance.run_pod()).obj

    async def run(*command: str, **options: bool) -> tuple[bytes, bytes, int]:
        async with asyncio.timeout(LIMIT):
            return await collect(await contract.exec(pod, "main", command, StreamOptions(**options)))

    assert await run("sh", "-c", "echo out; echo err >&2; exit 7") == (b"out\n", b"err\n", 7)
    assert await run("sh", "-c", "kill -9 $$") == (b"", b"", 137)
    out, err, code = await run("nope")
    assert (out, code) == (b"", 127)
    assert b"nope" in err
    _, err, code = await run("/etc/passwd")
    assert code == 126
    assert err
    out, _, code = await run("sh", "-c", "test -t 1 && echo tty $TERM", tty=True)
    assert (out, code) == (b"tty xterm\r\n", 0)
    # a process left in the background holds the pipes; the command's own end is what counts
    out, _, code = await run("sh", "-c", "sleep 1000 & echo done")
    assert (out, code) == (b"done\n", 0)
    big, _, code = await run("sh", "-c", "head -c 3000000 /dev/zero")
    assert (len(big), code) == (3_000_000, 0)
    assert not list((instance.config.paths.run / "exec").iterdir())


async def test_exec_stdin(instance: Instance, access: NodePodAccess) -> None:
    """What is written arrives, in order and whole, and its end too."""
    pod = (await instance.run_pod()).obj
    session = await access.exec(pod, "main", ["wc", "-c"], StreamOptions(stdin=True))

    async def feed() -> None:
        for _ in range(40):
            await session.write_stdin(b"x" * 50_000)
        await session.close_stdin()

    feeding = asyncio.create_task(feed())
    async with asyncio.timeout(LIMIT):
        assert await collect(session) == (b"2000000\n", b"", 0)
    await feeding
    # writing to a process that does not read ends when the process does
    session = await access.exec(pod, "main", ["sleep", "0.3"], StreamOptions(stdin=True))
    async with asyncio.timeout(LIMIT):
        await session.write_stdin(b"x" * 1_000_000)
    await session.close()


async def test_exec_close_kills(instance: Instance, access: NodePodAccess) -> None:
    """A client that goes away takes its command along; closing twice is harmless."""
    pod = (await instance.run_pod()).obj
    session = await access.exec(pod, "main", ["sleep", "987"], StreamOptions())
    await session.close()
    await session.close()
    out, _, _ = await collect(await access.exec(pod, "main", ["sh", "-c", "ps | grep '[s]leep 987'"], StreamOptions()))
    assert out == b""


async def test_exec_terminal_resize(instance: Instance, access: NodePodAccess) -> None:
    pod = (await instance.run_pod()).obj
    session = await access.exec(pod, "main", ["sh", "-c", "read go; stty size"], StreamOptions(stdin=True, tty=True))
    await session.resize(101, 33)
    await session.write_stdin(b"\n")
    async with asyncio.timeout(LIMIT):
        out, _, code = await collect(session)
    assert b"33 101" in out
    assert code == 0


async def test_attach(instance: Instance, access: NodePodAccess) -> None:
    """Input with its end, both outputs, and the container's exit code."""
    pod = (await instance.run_pod(command=("sh", "-c", "cat; echo bye >&2; exit 5"), stdin=True)).obj
    session = await access.attach(pod, "main", StreamOptions(stdin=True))
    await session.write_stdin(b"hello\n")
    await session.close_stdin()
    async with asyncio.timeout(LIMIT):
        assert await collect(session) == (b"hello\n", b"bye\n", 5)


async def test_attach_detach_leaves_container(instance: Instance, access: NodePodAccess) -> None:
    pod = (await instance.run_pod(command=("sh", "-c", "while :; do echo tick; sleep 0.05; done"))).obj
    session = await access.attach(pod, "main", StreamOptions())
    async for stream, data in session.output():
        assert (stream, data[:4]) == (STDOUT, b"tick")
        break
    await session.close()
    assert (await collect(await access.exec(pod, "main", ["true"], StreamOptions())))[2] == 0


async def test_logs(instance: Instance, access: NodePodAccess) -> None:
    """Tail, limit, timestamps, streams, previous; a long line is one line."""
    long_line = "head -c 40000 /dev/zero | od -An -v -tx1 -w40000"
    script = f"echo oops >&2; sleep 0.1; for i in 1 2 3; do echo line $i; done; {long_line}; sleep 60"
    pod = (await instance.run_pod(command=("sh", "-c", script))).obj
    text = await eventually_log(access, pod, " 00\n")
    assert text.startswith("oops\nline 1\nline 2\nline 3\n")
    assert text.splitlines()[4].count(" 00") == 40000
    assert (await text_of(access, pod, LogOptions(stream="Stderr"))) == "oops\n"
    assert (await text_of(access, pod, LogOptions(limit_bytes=10))) == "oops\nline "
    assert (await text_of(access, pod, LogOptions(tail_lines=0))) == ""
    assert (await text_of(access, pod, LogOptions(tail_lines=100))) == text
    assert len((await text_of(access, pod, LogOptions(tail_lines=2))).splitlines()) == 2
    first = (await text_of(access, pod, LogOptions(timestamps=True, limit_bytes=60))).splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) oops", first)
    with pytest.raises(BadRequest, match="previous terminated container"):
        await text_of(access, pod, LogOptions(previous=True))


async def test_logs_follow_until_the_end_across_rotation(instance: Instance, access: NodePodAccess) -> None:
    """Follow gives what is written as it is written, also to the next file, and ends with the container."""
    script = "i=0; while [ $i -lt 30 ]; do echo $i; i=$((i+1)); sleep 0.05; done"
    pod = await instance.run_pod(command=("sh", "-c", script))
    seen: list[str] = []
    rotated = False
    async with asyncio.timeout(LIMIT):
        async for chunk in access.logs(pod.obj, "main", LogOptions(follow=True)):
            seen += chunk.decode().split()
            if len(seen) > 10 and not rotated:
                rotated = True
                pod.log.rename(pod.log.with_suffix(".old"))
                await instance.cri.reopen_container_log(pod.container)
    assert rotated
    assert seen == [str(number) for number in range(30)]


async def test_port_forward(instance: Instance, access: NodePodAccess) -> None:
    """Into a pod of its own network and into one of the host's; a port nobody listens on is refused by name."""
    pod = (await instance.run_pod(command=("sh", "-c", "echo hi > /www/x; httpd -f -p 127.0.0.1:80 -h /www"))).obj

    async def fetch() -> bytes:
        reader, writer = await access.port_forward(pod, 80)
        writer.write(b"GET /x HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def answered() -> bytes:
        try:
            return await fetch()
        except InternalError:
            return b""

    answer = await until(answered, "the server in the pod")
    assert answer.endswith(b"\r\n\r\nhi\n")
    with pytest.raises(InternalError, match="81"):
        await access.port_forward(pod, 81)


async def test_port_forward_host_network(instance: Instance, access: NodePodAccess) -> None:
    served = asyncio.Event()
    server = await asyncio.start_server(lambda _reader, writer: (served.set(), writer.close())[0], "127.0.0.1", 0)
    pod = (await instance.run_pod(host_network=True)).obj
    _, writer = await access.port_forward(pod, server.sockets[0].getsockname()[1])
    async with asyncio.timeout(LIMIT):
        await served.wait()
    writer.close()
    server.close()


async def test_metrics(instance: Instance, access: NodePodAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy pod shows more CPU than an idle one; a second question is answered without a wait."""
    busy = await instance.run_pod("busy", ("sh", "-c", "while :; do :; done"))
    await instance.run_pod("idle", ("sleep", "60"))
    by_name = {one["metadata"]["name"]: one for one in await access.pod_metrics()}
    assert set(by_name) == {"busy", "idle"}
    assert by_name["busy"]["metadata"]["labels"] == {"app": "test"}

    def nanocores(metric: Obj) -> int:
        return int(metric["containers"][0]["usage"]["cpu"].removesuffix("n"))

    assert nanocores(by_name["busy"]) > 10 * nanocores(by_name["idle"])
    assert int(by_name["busy"]["containers"][0]["usage"]["memory"].removesuffix("Ki")) > 0
    with monkeypatch.context() as patched:
        patched.setattr("skerry.engine.node.access.metrics._WINDOW", 3600.0)  # nobody waits for a second sample
        (node,) = await access.node_metrics()
    assert int(node["usage"]["cpu"].removesuffix("n")) >= nanocores(by_name["busy"]) // 2
    await instance.cri.stop_pod_sandbox(busy.sandbox)
    assert {one["metadata"]["name"] for one in await access.pod_metrics()} == {"idle"}
