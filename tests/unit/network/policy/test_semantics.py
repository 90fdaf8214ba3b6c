"""The rules let through what the semantics of NetworkPolicy let through, and nothing else."""

from __future__ import annotations

from hypothesis import given, settings

from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import party_of
from skerry.engine.network.policy.policies import policy_of
from skerry.engine.network.policy.table import Table
from tests.unit.network.policy.judging import Packet, passes
from tests.unit.network.policy.samples import Sample, worlds
from tests.unit.network.policy.semantics import Connection, allowed
from tests.unit.network.test_tables import config


def table(sample: Sample) -> Table:
    policies = [policy_of(one) for one in sample.policies]
    parties = [party_of(pod, (pod["status"]["podIP"],)) for pod in sample.pods]
    return table_of(config(), World(Membership(policies, sample.namespaces), parties))


@settings(max_examples=300)
@given(worlds())
def test_every_connection_is_judged_as_the_objects_say(sample: Sample) -> None:
    rules = table(sample)
    for source in sample.pods:
        for target in sample.pods:
            for protocol, port in (("TCP", 80), ("TCP", 81), ("UDP", 80), ("TCP", 9000)):
                packet = Packet(source["status"]["podIP"], target["status"]["podIP"], protocol.lower(), port)
                asked = Connection(source, target, protocol, port)
                assert passes(rules, packet) == allowed(sample, asked), (packet, rules)
