"""Start, memory and idle CPU of an engine without work. Nothing beneath us does the same, so there is no floor."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections.abc import Callable

from tests.support.program import Program, eventually
from tests.support.raw_api import RawApi

from benchmarks import processes
from benchmarks.results import Row
from skerry.cli.engine_process import start_detached
from skerry.cli.instance_files import process_start

STARTS = 3
SETTLE = 5.0
"""Seconds after the start before an engine counts as idle."""
IDLE = 20.0
_LOOK_EVERY = 0.01


async def start(program: Program) -> Row:
    """From an engine process to its node being Ready, containerd being up, the database empty. Median."""
    seconds = [await asyncio.to_thread(_start_once, program) for _ in range(STARTS)]
    return Row("start to node Ready", statistics.median(seconds), "s", None, 1.0)


async def memory(program: Program) -> Row:
    """Resident memory of all the engine's processes, idle."""
    await asyncio.sleep(SETTLE)
    pids = processes.engine_processes(program.engine_pid())
    return Row("memory of the engine, idle", processes.resident_megabytes(pids), "MB", None, 110)


async def idle_cpu(program: Program) -> Row:
    """CPU time of all the engine's processes over a while of idleness."""
    await asyncio.sleep(SETTLE)
    pids = processes.engine_processes(program.engine_pid())
    before, begun = processes.cpu_seconds(pids), time.perf_counter()
    await asyncio.sleep(IDLE)
    used = processes.cpu_seconds(pids) - before
    return Row("idle CPU, of one core", 100 * used / (time.perf_counter() - begun), "%", None, 1.0)


def _start_once(program: Program) -> float:
    """End the engine, forget its objects, start it, wait. The process is the one `skerry up` starts."""
    pid = program.engine_pid()
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: process_start(pid) is None, "the engine's end", 20)
    for file in program.data_dir.glob("store.db*"):
        file.unlink()
    begun = time.perf_counter()
    start_detached(program.data_dir, program.data_dir / "log" / "engine.log", *program.options)
    _wait_for(lambda: _node_is_ready(program))
    return time.perf_counter() - begun


def _node_is_ready(program: Program) -> bool:
    api = RawApi(program.kubeconfig)
    try:
        code, nodes = api.call("GET", "/api/v1/nodes")
    except OSError:
        return False
    finally:
        api.close()
    conditions = [c for node in nodes.get("items", ()) for c in node.get("status", {}).get("conditions", ())]
    return code == 200 and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Look every ten milliseconds: the resolution of what is measured."""
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            raise RuntimeError("the node did not become Ready")
        time.sleep(_LOOK_EVERY)
