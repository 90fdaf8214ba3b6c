"""Network policies as users write them, with containers: the policy of a talk, and tables of who reaches whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.images import BUSYBOX
from tests.support.program import Program
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


def pod(namespace: str, name: str) -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{pod: {name}}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: {BUSYBOX}
    command: [sh, -c, "echo {namespace}/{name} > /www/index.html; exec httpd -f -p 80 -h /www"]
---
"""


class Cluster:
    def __init__(self, program: Program) -> None:
        self.program = program

    def address(self, namespace: str, name: str) -> str:
        return str(self.program.get("-n", namespace, "pod", name)["status"]["podIP"])

    def runs(self, namespace: str, name: str, script: str) -> str:
        """What a script in a pod prints."""
        return self.program.kubectl("-n", namespace, "exec", name, "--", "sh", "-c", script, check=False).stdout

    def reaches(self, namespace: str, name: str, url: str) -> bool:
        return bool(self.runs(namespace, name, f"wget -q -T 1 -O - http://{url}"))


@pytest.fixture(scope="module")
def cluster(program: Program) -> Iterator[Cluster]:
    namespaces = ("jupyter", "elsewhere")
    for namespace in namespaces:
        program.kubectl("create", "namespace", namespace)
    program.apply("".join(pod(one, name) for one in namespaces for name in ("a", "b")))
    for namespace in namespaces:
        program.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/a", "pod/b", "--timeout=60s")
    yield Cluster(program)
    for namespace in namespaces:
        program.kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_isolation_of_a_namespace(cluster: Cluster) -> None:
    friend, stranger = cluster.address("jupyter", "b"), cluster.address("elsewhere", "a")
    assert cluster.reaches("jupyter", "a", stranger)
    cluster.program.apply(NAMESPACE_ISOLATION)
    eventually(lambda: not cluster.reaches("jupyter", "a", stranger), "the other namespace cut off")
    assert cluster.reaches("jupyter", "a", friend)
    assert "Address" in cluster.runs("jupyter", "a", "nslookup -type=a kubernetes.default.svc.cluster.local")
    assert cluster.reaches("elsewhere", "a", friend), "it says nothing about what comes in"
