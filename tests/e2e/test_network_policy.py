"""Network policies as users write them, with containers: the policy of a talk, and who reaches whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.program import Program
from tests.support.reach import Reach, Target
from tests.support.waiting import eventually

NAMESPACE_ISOLATION = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: namespace-isolation
  namespace: jupyter
spec:
  podSelector: {}
  policyTypes:
    - Egress
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: jupyter
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
"""
LOOKUP = "import socket; print(socket.gethostbyname('kubernetes.default'))"


@pytest.fixture(scope="module")
def talk(program: Program) -> Iterator[Reach]:
    pods = ["jupyter/a", "jupyter/b", "elsewhere/a"]
    namespaces = ("jupyter", "elsewhere")
    for namespace in namespaces:
        program.kubectl("create", "namespace", namespace)
    reach = Reach(program)
    reach.start(pods)
    yield reach
    for namespace in namespaces:
        program.kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_isolation_of_a_namespace(talk: Reach) -> None:
    friend, stranger = Target(talk.addresses["jupyter/b"]), Target(talk.addresses["elsewhere/a"])
    eventually(lambda: talk.reaches("jupyter/a", stranger), "everybody reached before")
    talk.program.apply(NAMESPACE_ISOLATION)
    eventually(lambda: not talk.reaches("jupyter/a", stranger), "the other namespace cut off")
    assert talk.reaches("jupyter/a", friend)
    looked_up = talk.program.kubectl("-n", "jupyter", "exec", "a", "--", "/usr/bin/python3", "-c", LOOKUP).stdout
    assert looked_up.endswith(".0.1\n"), "names are served in kube-system"
    assert talk.reaches("elsewhere/a", friend), "it says nothing about what comes in"
