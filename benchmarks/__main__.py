"""`python -m benchmarks [NAME...]`: run all benchmarks or those named, print the table, write `build/bench.json`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from tests.support.program import Program

from benchmarks import (
    acme,
    api_speed,
    charts,
    footprint,
    gateway,
    ingress,
    jobs,
    latency,
    launching,
    names,
    policy_rules,
    portal,
    projects,
    quota,
    records,
    releases,
    rollouts,
    scheduling,
    service_rules,
    session,
    signing_in,
    signing_in_elsewhere,
    storage,
    testing_clusters,
)
from benchmarks.endpoint import of_kubeconfig
from benchmarks.results import HEADINGS, Row, line, show, write
from skerry.kube.http_client import HttpClient

OUTPUT = Path("build/bench.json")
FOOTPRINT = {"start": footprint.start, "memory": footprint.memory, "idle": footprint.idle_cpu}
API = {
    "get": api_speed.get,
    "post": api_speed.post,
    "list": api_speed.list_thousand,
    "pods": api_speed.list_pods,
    "watch": api_speed.fan_out,
}
OTHERS: dict[str, Callable[[Program, HttpClient], Awaitable[list[Row]]]] = {
    "testing": lambda program, client: testing_clusters.measure(),
    "scheduling": lambda program, client: _one(scheduling.measure()),
    "helm": lambda program, client: _one(charts.install(client, program.kubeconfig)),
    "rollouts": lambda program, client: rollouts.measure(client),
    "names": lambda program, client: _one(names.measure(client)),
    "latency": latency.measure,
    "ingress": lambda program, client: ingress.measure(client, program.run_dir),
    "services": lambda program, client: service_rules.measure(),
    "policies": lambda program, client: policy_rules.measure(),
    "acme": lambda program, client: _one(acme.measure(client)),
    "storage": storage.measure,
    "gateway": lambda program, client: gateway.measure(),
    "sign-in": lambda program, client: signing_in.measure(),
    "sign-in-elsewhere": lambda program, client: _one(signing_in_elsewhere.measure()),
    "quota": lambda program, client: _one(quota.measure()),
    "jobs": lambda program, client: _one(jobs.measure(client)),
    "projects": lambda program, client: projects.measure(),
    "portal": lambda program, client: portal.measure(),
    "releases": lambda program, client: releases.measure(),
    "launching": lambda program, client: launching.measure(),
    "records": lambda program, client: asyncio.to_thread(records.measure),
}
NAMES = (*FOOTPRINT, *API, *OTHERS)


async def measure(program: Program, chosen: list[str]) -> AsyncIterator[Row]:
    """The rows, as they come: first what needs an engine that has done nothing yet."""
    for name in (name for name in FOOTPRINT if name in chosen):
        yield await FOOTPRINT[name](program)
    async with HttpClient.from_kubeconfig(program.kubeconfig) as client:
        for name in (name for name in API if name in chosen):
            yield await API[name](of_kubeconfig(program.kubeconfig), client, program.data_dir)
        for name in (name for name in OTHERS if name in chosen):
            for row in await OTHERS[name](program, client):
                yield row


async def _one(measuring: Awaitable[Row]) -> list[Row]:
    return [await measuring]


async def run(program: Program, chosen: list[str]) -> list[Row]:
    """Measure and print."""
    print(line(*HEADINGS), flush=True)
    rows = []
    async for row in measure(program, chosen):
        print(show(row), flush=True)
        rows.append(row)
    return rows


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is given")
    chosen = parser.parse_args().names or list(NAMES)
    if unknown := sorted(set(chosen) - set(NAMES)):
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if os.geteuid() != 0:
        print("benchmarks: containers need root", file=sys.stderr)
        return 1
    with session.program() as program:
        write(asyncio.run(run(program, chosen)), OUTPUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
