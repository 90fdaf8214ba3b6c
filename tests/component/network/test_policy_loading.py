"""Changes of the policies' table in a real kernel: step by step it becomes what it would be if loaded as a whole."""

from __future__ import annotations

import random
import subprocess
from typing import Any

import pytest

from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import Group, Listener, NamedPort, Party
from skerry.engine.network.policy.policies import Policy, policy_of
from skerry.engine.network.policy.table import change, whole
from tests.unit.network.test_tables import config

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("host")]


def nft(*words: str, text: str = "") -> str:
    done = subprocess.run(["nft", *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout


def rules() -> list[str]:
    """The table, without the order of its parts."""
    parts = nft("list", "table", "inet", config().policy_table).split("\n\t}")
    return sorted(" ".join(part.split()) for part in parts)


def some_policy(number: int, choose: random.Random) -> Policy:
    def selector() -> dict[str, Any]:
        return {"matchLabels": {"app": choose.choice("ab")}} if choose.random() < 0.7 else {}

    def rule(side: str) -> dict[str, Any]:
        block = {"ipBlock": {"cidr": f"10.{choose.randint(0, 9)}.0.0/16", "except": []}}
        peers = [{"podSelector": selector()}, {"namespaceSelector": selector()}, block]
        ports = [{"port": 80}, {"port": "web"}, {"protocol": "UDP"}, {"port": 90, "endPort": 99}]
        return {side: choose.sample(peers, choose.randint(0, 2)), "ports": choose.sample(ports, choose.randint(0, 2))}

    spec = {
        "podSelector": selector(),
        "policyTypes": choose.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": [rule("from") for _ in range(choose.randint(0, 2))],
        "egress": [rule("to") for _ in range(choose.randint(0, 2))],
    }
    return policy_of({"metadata": {"name": f"p{number}", "namespace": choose.choice("xy")}, "spec": spec})


def some_party(number: int, choose: random.Random) -> Party:
    group = Group(choose.choice("xy"), (("app", choose.choice("abc")),))
    return Party((f"10.64.0.{number + 2}",), group, (NamedPort("tcp", "web", choose.choice((80, 81))),))


@pytest.mark.parametrize("seed", range(4))
def test_changes_lead_where_a_whole_load_leads(seed: int) -> None:
    choose = random.Random(seed)
    policies: dict[int, Policy] = {}
    parties: dict[int, Party] = {}
    names = [Listener("10.64.0.1", "udp", 10053, 53, "dns", Group("x", (("app", "a"),)))]
    loaded = table_of(config(), World(Membership((), {})))
    nft("-f", "-", text=whole(loaded))
    for _ in range(12):
        for number in choose.sample(range(5), 2):
            parties.pop(number, None)
            policies.pop(number, None)
            if choose.random() < 0.7:
                parties[number] = some_party(number, choose)
                policies[number] = some_policy(number, choose)
        namespaces = {"x": {"app": choose.choice("ab")}, "y": {"skerry.dev/cloud-metadata": "allowed"}}
        membership = Membership([policies[number] for number in sorted(policies)], namespaces)
        links = frozenset(f"veth{number}" for number in parties)
        wanted = table_of(config(), World(membership, list(parties.values()), names, links))
        nft("-f", "-", text=change(loaded, wanted))
        loaded, stepped = wanted, rules()
        nft("-f", "-", text=whole(wanted))
        assert stepped == rules()
