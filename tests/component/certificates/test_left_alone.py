"""A machine left alone for years: whatever the day, a client that reads today's kubeconfig is served.

The machine's clock itself goes on, under everything that runs: real TLS clients and the server judge by it.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from skerry.engine.api import certificate_renewal
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import Connection, load_kubeconfig
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from tests.support.controllers import World, running_controllers
from tests.support.machine_time import MachineTime, run_scenario
from tests.support.waiting import until

DAY = timedelta(days=1)


async def is_served(connection: Connection) -> bool:
    """On a connection of its own."""
    async with HttpClient(connection) as client:
        return bool((await client.list(NAMESPACES)).items)


async def is_served_to_the_administrator(world: World) -> bool:
    return await is_served(load_kubeconfig(world.api.kubeconfig))


async def pods_connection(world: World) -> Connection:
    """What a pod of kube-system would have: a token of today, and the authority that is published."""
    asked = {"metadata": {"name": "generic-garbage-collector"}, "spec": {}}
    made = await world.client.create(SERVICE_ACCOUNTS, asked, "kube-system", "token")
    published = await world.client.get(CONFIG_MAPS, "kube-root-ca.crt", "kube-system")
    return Connection(world.api.url, ca=published["data"]["ca.crt"].encode(), token=made["status"]["token"])


async def have_pods_account(world: World) -> None:
    await world.client.create(
        SERVICE_ACCOUNTS, {"metadata": {"name": "generic-garbage-collector"}}, "kube-system"
    )  # it may list everything


async def two_years_in_steps(time: MachineTime) -> None:
    """It is never refused, not even for a moment: certificates are renewed 30 days before they end."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_controllers(folder=Path(folder)) as world:
            await have_pods_account(world)
            copies = []
            for days in range(0, 740, 20):
                time.set(days * DAY)
                before = load_kubeconfig(world.api.kubeconfig)
                assert await is_served(before)
                await world.api.server.certificates.look()
                assert await is_served_to_the_administrator(world)
                assert await is_served(await pods_connection(world))
                assert await is_served(before)
                copies.append(before.client_certificate)
            assert len(set(copies)) == 3


def test_two_years_in_steps() -> None:
    run_scenario(two_years_in_steps)


async def months_at_once(time: MachineTime) -> None:
    """A machine that slept: when it wakes up, all is well within a look, whatever had ended."""
    certificate_renewal.LOOK_SECONDS = 0.05
    with tempfile.TemporaryDirectory() as folder:
        async with running_controllers(folder=Path(folder)) as world:
            await have_pods_account(world)
            for days in (300, 700, 4000, 8000, 7300):
                time.set(days * DAY)
                await until(lambda: is_served_again(world), f"served on day {days}")


async def is_served_again(world: World) -> bool:
    try:
        return await is_served_to_the_administrator(world) and await is_served(await pods_connection(world))
    except Exception:
        return False


def test_months_at_once() -> None:
    run_scenario(months_at_once)


async def started_again_after_years(time: MachineTime) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for days in (0, 300, 730, 5000):
            time.set(days * DAY)
            async with running_controllers(folder=Path(folder), register=False) as world:
                assert await is_served_to_the_administrator(world)


def test_started_again_after_years() -> None:
    run_scenario(started_again_after_years)
