"""Probes against real containers."""

from __future__ import annotations

import pytest

from skerry.kube.objects import Obj
from tests.component.node.node import Node, container, pod, ready, restarted, status_of

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]

HTTPD = ["sh", "-c", "mkdir -p /tmp/w; echo ok > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"]


def exec_probe(*command: str, **more: int) -> Obj:
    return {"exec": {"command": list(command)}, "periodSeconds": 1, **more}


async def test_readiness_follows_a_file(node: Node) -> None:
    await node.create(pod("doors", container(readinessProbe=exec_probe("cat", "/tmp/open", failureThreshold=1))))
    unready = await node.until("doors", lambda pod: pod.get("status", {}).get("phase") == "Running")
    assert not ready(unready)
    await node.exec("doors", "touch", "/tmp/open")
    await node.until("doors", ready)
    await node.exec("doors", "rm", "/tmp/open")
    await node.until("doors", lambda pod: not ready(pod))
    await node.until_told("doors", "Unhealthy", "Readiness probe failed: ")


async def test_failed_liveness_restarts(node: Node) -> None:
    probe = exec_probe("false", failureThreshold=1)
    await node.create(pod("sick", container(livenessProbe=probe), terminationGracePeriodSeconds=1))
    await node.until("sick", restarted(1))
    await node.until_told("sick", "Killing", "Container main failed liveness probe, will be restarted")
    await node.until_told("sick", "Unhealthy")


async def test_startup_probe_holds_the_others_back(node: Node) -> None:
    main = container(
        startupProbe=exec_probe("cat", "/tmp/started", failureThreshold=1000),
        livenessProbe=exec_probe("cat", "/tmp/started", failureThreshold=1, timeoutSeconds=60),
    )
    await node.create(pod("slow", main))
    await node.until("slow", lambda pod: pod.get("status", {}).get("phase") == "Running")
    await node.until_told("slow", "Unhealthy", "Startup probe failed: ")
    waiting = status_of(await node.get("slow"))
    assert (waiting["started"], waiting["ready"], waiting["restartCount"]) == (False, False, 0)
    await node.exec("slow", "touch", "/tmp/started")
    await node.until("slow", ready)


async def test_http_and_tcp(node: Node) -> None:
    port = [{"name": "web", "containerPort": 8080}]
    http = {"httpGet": {"path": "/index.html", "port": "web"}, "periodSeconds": 1}
    tcp = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    await node.create(pod("http", container(HTTPD, ports=port, readinessProbe=http, livenessProbe=tcp)))
    await node.until("http", ready)
    missing = {"httpGet": {"path": "/none", "port": 8080}, "periodSeconds": 1}
    await node.create(pod("http404", container(HTTPD, readinessProbe=missing)))
    await node.until("http404", lambda pod: pod.get("status", {}).get("phase") == "Running")
    await node.until_told("http404", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
