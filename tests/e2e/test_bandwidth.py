"""Bandwidth annotations with real containers: they hold from the first byte, and what is wrong is said."""

from __future__ import annotations

import subprocess
import time
import urllib.request

from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

_BYTES = 500_000
_SLOWEST = 8 * (_BYTES - 100_000) / 1_000_000  # seconds: what is in buckets and queues comes sooner


def pod(name: str, egress: str) -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  annotations: {{kubernetes.io/egress-bandwidth: "{egress}"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {BUSYBOX}
    command: [sh, -c, "mkdir /w; head -c {_BYTES} /dev/zero > /w/file; exec httpd -f -p 8080 -h /w"]
    readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
"""


def devices() -> str:
    return subprocess.run(["ip", "link", "show", "type", "ifb"], capture_output=True, text=True, check=True).stdout


def test_a_pods_traffic_is_limited_while_it_lives(program: Program, namespace: str) -> None:
    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=pod("slow", "1M"))
    program.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/slow", WITHIN)
    address = program.get("-n", namespace, "pod", "slow")["status"]["podIP"]
    begun = time.monotonic()
    with urllib.request.urlopen(f"http://{address}:8080/file", timeout=120) as answer:
        assert len(answer.read()) == _BYTES
    assert time.monotonic() - begun > _SLOWEST
    device = "".join(f"{int(part):02x}" for part in address.split("."))
    assert device in devices()
    program.kubectl("-n", namespace, "delete", "pod", "slow")
    eventually(lambda: device not in devices(), "the end of what limited it")


def test_a_limit_that_is_none_keeps_the_pod_from_starting(program: Program, namespace: str) -> None:
    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=pod("wrong", "10"))
    ask = ("-n", namespace, "get", "events", "--field-selector", "reason=FailedCreatePodSandBox")
    eventually(lambda: "unreasonably small" in program.kubectl(*ask).stdout, "an event")
    program.kubectl("-n", namespace, "delete", "pod", "wrong", WITHIN)
