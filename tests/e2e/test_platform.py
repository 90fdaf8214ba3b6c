"""The platform beside the engine, as a user starts it: it answers, comes back when it dies, goes with the engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
_PROJECT = """
apiVersion: skerry.dev/v1alpha1
kind: Project
metadata: {name: lidar}
spec: {tier: free, owner: anna@uni.example, namespaces: [lidar, lidar-test]}
"""


def platform_of(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(program.skerry("status", "-o", "json").stdout)["platform"]
    return found


def page(program: Program, url: str) -> str:
    """By the platform's own authority, which the cluster tells."""
    announced = program.get("-n", "kube-public", "configmap/skerry-platform")
    context = ssl.create_default_context(cadata=announced["data"]["ca.crt"])
    with urllib.request.urlopen(url, timeout=60, context=context) as answer:
        text: str = answer.read().decode()
    return text


def processes(program: Program) -> list[int]:
    """Of the platform."""
    mark = f"{program.data_dir}/platform.kubeconfig".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"skerry.portal.program" in words and mark in words:
            found.append(int(directory.name))
    return found


def _runs_the_fifth_example(program: Program) -> None:
    """A release of the shipped catalogue, as `make up` makes it."""
    context = ["--build-context", f"programs={Path(shutil.which('busybox') or '').parent}"]
    program.skerry("image", "build", "-t", "hello:1", *context, str(EXAMPLES / "01-hello"))
    program.kubectl("apply", "-f", str(EXAMPLES / "05-release"))
    program.kubectl("wait", "--for=condition=Ready", "release/hello", WITHIN)
    address = json.loads(program.skerry("status", "-o", "json").stdout)["nodePorts"].partition(":")[0]

    def served() -> str:
        with urllib.request.urlopen(f"http://{address}:30080/", timeout=60) as answer:
            return str(answer.read().decode())

    eventually(lambda: "Hello from Skerry" in served(), "the page at the node port")
    status = program.get("release/hello")["status"]
    assert (status["phase"], status["revision"], status["url"][:4]) == ("Deployed", 1, "http")


def test_it_comes_back_and_goes_with_the_engine(fresh_program: Program) -> None:
    program = fresh_program
    program.platform = True
    printed = program.up()
    assert platform_of(program)["answers"]
    (link,) = re.findall(r"first operator, once: (\S+)", printed)
    assert "password" in page(program, link)
    program.apply(_PROJECT)
    program.kubectl("wait", "--for=condition=Ready", "project/lidar", WITHIN)
    assert {"lidar", "lidar-test"} <= {one["metadata"]["name"] for one in program.get("namespaces")["items"]}

    _runs_the_fifth_example(program)

    (first,) = processes(program)
    status = Path(f"/proc/{first}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    os.kill(first, signal.SIGKILL)
    eventually(lambda: processes(program) not in ([], [first]) and platform_of(program)["answers"], "it is back")

    program.kill_engine()
    eventually(lambda: processes(program) == [], "it goes with the engine")
    program.up()
    assert platform_of(program)["answers"]
    assert program.get("project/lidar")["status"]["phase"] == "Active"
    program.down()
    assert processes(program) == []
