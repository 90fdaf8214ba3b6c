"""Random policies, pods and namespaces of a small world, in which much overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from skerry.kube.objects import Obj

NAMESPACES = ("x", "y", "z")
_VALUES = ("1", "2")
labels = st.dictionaries(st.sampled_from(("a", "b")), st.sampled_from(_VALUES))
_expressions = st.one_of(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        st.sampled_from(("a", "b")),
        st.sampled_from(("In", "NotIn")),
        st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2),
    ),
    st.builds(
        lambda key, operator: {"key": key, "operator": operator},
        st.sampled_from(("a", "b")),
        st.sampled_from(("Exists", "DoesNotExist")),
    ),
)
selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": labels, "matchExpressions": st.lists(_expressions, max_size=2)}
)
_blocks = st.sampled_from(
    [
        {"cidr": "0.0.0.0/0"},
        {"cidr": "10.64.0.0/29"},
        {"cidr": "10.64.0.0/28", "except": ["10.64.0.4/30", "10.64.0.6/31"]},
        {"cidr": "10.64.0.5/32"},
        {"cidr": "2001:db8::/32"},
    ]
)
_peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": selectors}),
    st.fixed_dictionaries({"ipBlock": _blocks}),
)
_ports = st.builds(
    lambda protocol, port: {"protocol": protocol, **port},
    st.sampled_from(("TCP", "UDP")),
    st.sampled_from([{}, {"port": 80}, {"port": 81}, {"port": 80, "endPort": 90}, {"port": "web"}, {"port": "none"}]),
)
_PORT_LISTS = st.lists(_ports, max_size=2)


def _rules(side: str) -> st.SearchStrategy[list[Obj]]:
    return st.lists(
        st.fixed_dictionaries({}, optional={side: st.lists(_peers, max_size=2), "ports": _PORT_LISTS}), max_size=2
    )


specs = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": _rules("from"),
        "egress": _rules("to"),
    },
)


@dataclass(frozen=True)
class Sample:
    """Everything that decides."""

    namespaces: dict[str, dict[str, str]]
    pods: list[Obj]
    policies: list[Obj]


def _pod(number: int, namespace: str, own: dict[str, str], web: int) -> Obj:
    ports: list[dict[str, Any]] = [{"name": "web", "containerPort": web, "protocol": "TCP"}]
    return {
        "metadata": {"name": f"p{number}", "uid": f"u{number}", "namespace": namespace, "labels": own},
        "spec": {"containers": [{"name": "main", "ports": ports if web else []}]},
        "status": {"podIP": f"10.64.0.{number + 2}"},
    }


@st.composite
def worlds(draw: st.DrawFn) -> Sample:
    """A few pods and policies in three namespaces."""
    namespaces = {name: draw(labels) for name in NAMESPACES}
    pods = [
        _pod(number, draw(st.sampled_from(NAMESPACES)), draw(labels), draw(st.sampled_from((0, 80, 81))))
        for number in range(draw(st.integers(2, 6)))
    ]
    policies = [
        {"metadata": {"name": f"n{number}", "namespace": draw(st.sampled_from(NAMESPACES))}, "spec": spec}
        for number, spec in enumerate(draw(st.lists(specs, max_size=4)))
    ]
    return Sample(namespaces, pods, policies)
