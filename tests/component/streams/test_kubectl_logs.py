"""logs and top by the real kubectl."""

from __future__ import annotations

import asyncio

import pytest

from tests.component.streams.local_pods import LocalPods
from tests.support.kubectl import Kubectl
from tests.support.waiting import LIMIT, until


async def test_logs_and_their_tail(kubectl: Kubectl) -> None:
    assert (await kubectl.run("logs", "web")).out == b"one\ntwo\n"
    assert (await kubectl.run("logs", "web", "--tail", "1")).out == b"two\n"


async def test_following_shows_new_lines_and_ends_with_the_client(kubectl: Kubectl, pods: LocalPods) -> None:
    process = await kubectl.start("logs", "-f", "web")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readuntil(b"two\n"), LIMIT) == b"one\ntwo\n"
    with pods.log.open("a") as log:
        log.write("three\n")
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT) == b"three\n"
    process.kill()
    await process.communicate()
    following = pods.sessions[-1]._process  # type: ignore[attr-defined]
    await until(lambda: following.returncode is not None)


async def test_a_silent_log_is_followed_too(kubectl: Kubectl, pods: LocalPods) -> None:
    pods.log.write_text("")
    process = await kubectl.start("logs", "-f", "web")
    assert process.stdout is not None
    await asyncio.sleep(1.3)  # past the moment in which a failure would still be an answer
    with pods.log.open("a") as log:
        log.write("late\n")
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT) == b"late\n"
    process.kill()
    await process.communicate()


async def test_what_goes_wrong_before_the_first_line_is_an_answer(kubectl: Kubectl) -> None:
    done = await kubectl.run("logs", "-p", "web")
    assert 'Error from server (BadRequest): previous terminated container "main"' in done.err


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("tailLines=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("container=nope", "container nope is not valid for pod web"),
    ],
)
async def test_mistakes_are_answers(kubectl: Kubectl, query: str, message: str) -> None:
    done = await kubectl.run("get", "--raw", f"/api/v1/namespaces/default/pods/web/log?{query}")
    assert message in done.err


async def test_top_shows_pods_containers_and_nodes(kubectl: Kubectl) -> None:
    pods = (await kubectl.run("top", "pod")).out.split()
    assert pods[3] == b"web"
    assert pods[4].endswith(b"m")
    assert pods[5].endswith(b"Mi")
    assert b"main" in (await kubectl.run("top", "pod", "--containers")).out
    nodes = (await kubectl.run("top", "node")).out
    assert b"250m" in nodes
    assert b"512Mi" in nodes
