"""A thousand pods under a hundred network policies: their rules loaded as a whole, and one more pod.

Measured from objects to the end of `nft`, in a network namespace of its own (`python -m benchmarks.policy_rules` prints
both in milliseconds); the floor is `nft` with the finished text. Ten policies select the pods of each of ten
namespaces; every rule names pods of two namespaces, a block of addresses and ports.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import Row
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import Party, party_of
from skerry.engine.network.policy.policies import policy_of
from skerry.engine.network.policy.table import change, whole
from skerry.kube.objects import Obj

_PODS, _POLICIES, _NAMESPACES, _TIMES = 1000, 100, 10, 5
_LABELS = {f"team-{number}": {"team": str(number)} for number in range(_NAMESPACES)}


async def measure() -> list[Row]:
    """Both rows."""
    command = ["unshare", "--net", sys.executable, "-m", "benchmarks.policy_rules"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found = json.loads(output)
    return [
        Row("policies loaded, 1,000 pods x 100", found["whole"], "ms", found["whole floor"], 1000),
        Row("one pod added to 1,000", found["change"], "ms", found["change floor"], 50),
    ]


def _policy(number: int) -> Obj:
    own, other = number % _NAMESPACES, (number + 1) % _NAMESPACES
    friends = [
        {"podSelector": {"matchLabels": {"app": f"app-{number % 7}"}}},
        {"namespaceSelector": {"matchLabels": {"team": str(other)}}},
        {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}},
    ]
    ports = [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": "http"}]
    spec = {
        "podSelector": {} if number < _NAMESPACES else {"matchLabels": {"app": f"app-{number % 7}"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": friends, "ports": ports}],
        "egress": [{"to": friends}],
    }
    return {"metadata": {"name": f"policy-{number}", "namespace": f"team-{own}"}, "spec": spec}


def _party(number: int) -> Party:
    labels = {"app": f"app-{number % 7}", "pod": str(number)}
    metadata = {"name": f"pod-{number}", "namespace": f"team-{number % _NAMESPACES}", "labels": labels}
    ports = [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "main", "ports": ports}]}}
    return party_of(pod, (f"10.64.{number // 250}.{number % 250 + 2}",))


def _load(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def _milliseconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _measure_here() -> dict[str, float]:
    paths = Paths(Path("/nowhere"), Path("/nowhere"))
    config = EngineConfig("be2c", paths, "here", "127.0.0.1", 0, "10.64.0.0/16", "10.65.0.0/16")
    objects = [_policy(number) for number in range(_POLICIES)]
    times: dict[str, list[float]] = {"whole": [], "whole floor": [], "change": [], "change floor": []}
    for turn in range(_TIMES):
        parties = [_party(number) for number in range(_PODS)]
        membership = Membership([policy_of(one) for one in objects], _LABELS)
        old = table_of(config, World(membership, parties))
        fresh = World(Membership([policy_of(one) for one in objects], _LABELS), parties)
        times["whole"].append(_milliseconds(lambda fresh=fresh: _load(whole(table_of(config, fresh)))))  # type: ignore[misc]
        times["whole floor"].append(_milliseconds(lambda old=old: _load(whole(old))))  # type: ignore[misc]
        wider = World(membership, [*parties, _party(_PODS + turn)])
        times["change"].append(_milliseconds(lambda old=old, wider=wider: _load(change(old, table_of(config, wider)))))  # type: ignore[misc]
        back = change(table_of(config, wider), old)
        times["change floor"].append(_milliseconds(lambda back=back: _load(back)))  # type: ignore[misc]
    return {name: statistics.median(found) for name, found in times.items()}


if __name__ == "__main__":
    print(json.dumps(_measure_here()))
