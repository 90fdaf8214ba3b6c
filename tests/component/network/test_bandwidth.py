"""Limits on bandwidth with real transfers: what passes, and what is left afterwards."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.network.bandwidth.keeper import BandwidthKeeper
from skerry.engine.network.bandwidth.limits import EGRESS, INGRESS
from skerry.engine.network.commands import CommandError
from skerry.engine.network.host import remove_network
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS
from tests.component.network.netns import Pod
from tests.component.network.test_announcing import Events
from tests.support.collections import Collections
from tests.support.waiting import until

pytestmark = pytest.mark.root

MEGABIT = 1_000_000
_SECONDS = 2.0
_AT_ONCE = 0.03  # of a second: what the bucket and the queue hold

# Sends as fast as it can to whoever connects, for as long as they stay.
_SOURCE = """
import socket, sys
server = socket.create_server((sys.argv[1], 9000)); print("ready", flush=True)
while True:
    peer, _ = server.accept()
    try:
        while True: peer.sendall(bytes(65536))
    except OSError:
        peer.close()
"""
# How many bits per second come in while it listens. The time is counted from before the connection is there: what comes
# in while the program is not let run is counted as well.
_SINK = """
import socket, sys, time
begun, got = time.monotonic(), 0
peer = socket.create_connection((sys.argv[1], 9000), 10)
while time.monotonic() < begun + float(sys.argv[2]):
    got += len(peer.recv(65536))
print(got * 8 / (time.monotonic() - begun))
"""


class Shaping:
    """A keeper at work, and the pod it looks after."""

    def __init__(self, config: EngineConfig, pod: Pod) -> None:
        self.api = Collections()
        self.events = Events()
        self.informers = Informers(self.api)  # type: ignore[arg-type]  # only lists and watches are needed
        self.keeper = BandwidthKeeper(config, self.informers, self.events)  # type: ignore[arg-type]
        self.pod = pod
        self.inside = ["nsenter", "--net", "--target", str(pod.process.pid)]

    async def annotate(self, **limits: str) -> Obj:
        """As the API has the pod."""
        names = {"ingress": INGRESS, "egress": EGRESS}
        annotations = {names[key]: value for key, value in limits.items()}
        made: Obj = {"metadata": {"name": "one", "namespace": "default", "uid": "uid-one", "annotations": annotations}}
        self.api.put(PODS, made)
        return made

    async def holds(self, rate: float, source: list[str], sink: list[str], address: str) -> None:
        """Never more than the limit comes through, and, if the machine finds the time, nearly as much."""
        command = [*source, sys.executable, "-c", _SOURCE, address]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as sender:
            assert sender.stdout is not None
            await asyncio.to_thread(sender.stdout.readline)

            async def measured() -> bool:
                listen = [*sink, sys.executable, "-c", _SINK, address, str(_SECONDS)]
                done = await asyncio.to_thread(subprocess.run, listen, capture_output=True, text=True, check=True)
                passed = float(done.stdout)
                most = rate * 1.02 + rate * _AT_ONCE
                if passed > most + 8 * 64_000 / _SECONDS:
                    raise RuntimeError(f"{passed:.0f} bit/s passed, the limit is {rate:.0f}")
                return passed > rate * 0.87  # headers are counted as well: 0.96 of the rate is what can be had

            try:
                await until(measured, "the rate that is allowed")
            finally:
                sender.kill()


@pytest.fixture
async def shaping(config: EngineConfig) -> AsyncIterator[Shaping]:
    pod = Pod(config, "one")
    made = Shaping(config, pod)
    await made.informers.start()
    made.keeper.start()
    yield made
    await made.keeper.close()
    await made.informers.close()
    pod.close()
    await remove_network(config)


def devices() -> list[str]:
    shown: list[dict[str, Any]] = json.loads(
        subprocess.run(["ip", "-j", "link", "show", "type", "ifb"], capture_output=True, check=True).stdout or "[]"
    )
    return [one["ifname"] for one in shown if one]


async def test_what_comes_in_and_what_goes_out_is_limited(shaping: Shaping, config: EngineConfig) -> None:
    made = await shaping.annotate(ingress="20M", egress="10M")
    shaping.keeper.attached(made, shaping.pod.address)
    await shaping.keeper.ready("uid-one")
    await shaping.holds(20 * MEGABIT, [], shaping.inside, "10.64.0.1")
    await shaping.holds(10 * MEGABIT, shaping.inside, [], shaping.pod.address)
    assert devices() == ["skc000-0a400002"]


async def test_limits_follow_the_annotations(shaping: Shaping) -> None:
    shaping.keeper.attached(await shaping.annotate(egress="10M"), shaping.pod.address)
    await shaping.keeper.ready("uid-one")
    await shaping.annotate(egress="40M")
    await until(lambda: "rate 40Mbit" in qdiscs())
    await shaping.holds(40 * MEGABIT, shaping.inside, [], shaping.pod.address)
    await shaping.annotate(egress="nonsense")
    await until(lambda: EGRESS in shaping.events.of("InvalidBandwidth"))
    assert "rate 40Mbit" in qdiscs(), "what is wrong changes nothing"
    await shaping.annotate()
    await until(lambda: not devices())
    assert "tbf" not in qdiscs()


async def test_nothing_is_left_of_a_pod_that_is_gone(shaping: Shaping, config: EngineConfig) -> None:
    made = await shaping.annotate(ingress="1M", egress="1M")
    shaping.keeper.attached(made, shaping.pod.address)
    await shaping.keeper.ready("uid-one")
    assert devices()
    shaping.keeper.detached("uid-one")
    await until(lambda: not devices())
    subprocess.run(["ip", "link", "add", "skc000-0a400063", "type", "ifb"], check=True)
    subprocess.run(["ip", "link", "add", "skffff-0a400063", "type", "ifb"], check=True)
    again = BandwidthKeeper(config, shaping.informers, shaping.events)  # type: ignore[arg-type]
    again.start()
    await again.close()
    assert devices() == ["skffff-0a400063"], (
        "that of a pod that went with its engine is gone, another instance's is not"
    )


async def test_the_next_engine_takes_over_and_removal_needs_none(shaping: Shaping, config: EngineConfig) -> None:
    made = await shaping.annotate(egress="1M")
    for _ in range(2):
        keeper = BandwidthKeeper(config, shaping.informers, shaping.events)  # type: ignore[arg-type]
        keeper.start()
        keeper.attached(made, shaping.pod.address)
        await keeper.ready("uid-one")
        assert devices() == ["skc000-0a400002"]
        await keeper.close()
    await remove_network(config)
    assert devices() == []


async def test_a_limit_that_cannot_be_set_is_said_by_name(shaping: Shaping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.network.bandwidth.shaping._LATENCY", "nonsense")  # as if tbf were not there
    shaping.keeper.attached(await shaping.annotate(ingress="1M"), shaping.pod.address)
    with pytest.raises(CommandError, match=r"kubernetes\.io/ingress-bandwidth: this machine cannot limit it"):
        await shaping.keeper.ready("uid-one")
    assert INGRESS in shaping.events.of("BandwidthNotLimited")
    monkeypatch.undo()
    await shaping.keeper.ready("uid-one")
    assert "rate 1Mbit" in qdiscs()


def qdiscs() -> str:
    return subprocess.run(["tc", "qdisc", "show"], capture_output=True, text=True, check=True).stdout
