"""Random policies, pods and namespaces of a small world, in which much overlaps.

Drawn by `random` from a seed: hypothesis' own draws prefer what is simple, and simple worlds have few policies.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from skerry.kube.objects import Obj

NAMESPACES = ("x", "y", "z")
_KEYS, _VALUES = ("a", "b"), ("1", "2")
_BLOCKS: list[Obj] = [
    {"cidr": "0.0.0.0/0"},
    {"cidr": "10.64.0.0/30"},
    {"cidr": "10.64.0.0/28", "except": ["10.64.0.4/30", "10.64.0.6/31"]},
    {"cidr": "10.64.0.5/32"},
    {"cidr": "2001:db8::/32"},
]
_PORTS: list[Obj] = [{}, {"port": 80}, {"port": 81}, {"port": 80, "endPort": 90}, {"port": "web"}, {"port": "none"}]


@dataclass(frozen=True)
class Sample:
    """Everything that decides."""

    namespaces: dict[str, dict[str, str]]
    pods: list[Obj]
    policies: list[Obj]


class _Drawing:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def sample(self) -> Sample:
        """A few pods and policies in three namespaces."""
        return Sample(
            namespaces={name: self._labels() for name in NAMESPACES},
            pods=[self._pod(number) for number in range(self._random.randint(2, 6))],
            policies=[self._policy(number) for number in range(self._random.randint(0, 4))],
        )

    def _often(self) -> bool:
        return self._random.random() < 0.6

    def _labels(self) -> dict[str, str]:
        return {key: self._random.choice(_VALUES) for key in _KEYS if self._often()}

    def _selector(self) -> Obj:
        found: Obj = {}
        if self._often():
            found["matchLabels"] = {self._random.choice(_KEYS): self._random.choice(_VALUES)}
        if not self._often():
            found["matchExpressions"] = [self._expression()]
        return found

    def _expression(self) -> Obj:
        operator = self._random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        found: Obj = {"key": self._random.choice(_KEYS), "operator": operator}
        if operator in ("In", "NotIn"):
            found["values"] = self._random.sample(_VALUES, self._random.randint(1, 2))
        return found

    def _pod(self, number: int) -> Obj:
        web = self._random.choice((0, 80, 81))
        ports: list[dict[str, Any]] = [{"name": "web", "containerPort": web, "protocol": "TCP"}]
        namespace = self._random.choice(NAMESPACES)
        return {
            "metadata": {"name": f"p{number}", "uid": f"u{number}", "namespace": namespace, "labels": self._labels()},
            "spec": {"containers": [{"name": "main", "ports": ports if web else []}]},
            "status": {"podIP": f"10.64.0.{number + 2}"},
        }

    def _policy(self, number: int) -> Obj:
        spec: Obj = {"podSelector": self._selector() if self._often() else {}}
        if self._often():
            spec["policyTypes"] = self._random.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
        for direction, side in (("ingress", "from"), ("egress", "to")):
            if self._often():
                spec[direction] = [self._rule(side) for _ in range(self._random.randint(0, 2))]
        return {"metadata": {"name": f"n{number}", "namespace": self._random.choice(NAMESPACES)}, "spec": spec}

    def _rule(self, side: str) -> Obj:
        rule: Obj = {}
        if self._often():
            rule[side] = [self._peer() for _ in range(self._random.randint(0, 2))]
        if self._often():
            rule["ports"] = [self._port() for _ in range(self._random.randint(0, 2))]
        return rule

    def _peer(self) -> Obj:
        kind = self._random.choice(("pods", "namespaces", "both", "block"))
        if kind == "block":
            return {"ipBlock": self._random.choice(_BLOCKS)}
        found: Obj = {"podSelector": self._selector()} if kind != "namespaces" else {}
        return found if kind == "pods" else {**found, "namespaceSelector": self._selector()}

    def _port(self) -> Obj:
        return {"protocol": self._random.choice(("TCP", "UDP")), **self._random.choice(_PORTS)}


def worlds() -> st.SearchStrategy[Sample]:
    """Any of them."""
    return st.integers(0, 2**32).map(lambda seed: _Drawing(seed).sample())
