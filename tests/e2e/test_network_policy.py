"""Network policies as users write them, with containers: the policy of a talk, the examples of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.reach import Reach, Target
from tests.support.waiting import eventually

DOCUMENT = Path(__file__).parents[2] / "docs" / "resources" / "networkpolicy.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
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
WRONG = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: wrong}
spec:
  podSelector: {}
  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]
"""
LOOKUP = "import socket; print(socket.gethostbyname('kubernetes.default'))"
METADATA = "169.254.169.254"
ASK_METADATA = f"""
import socket
try:
    print(socket.create_connection(("{METADATA}", 80), 5))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def reach(program: Program) -> Iterator[Reach]:
    namespaces = ("jupyter", "lab", "elsewhere")
    for namespace in namespaces:
        program.kubectl("create", "namespace", namespace)
    found = Reach(program)
    found.start(["jupyter/a", "jupyter/b", "elsewhere/a", "lab/other"])
    found.start(["elsewhere/partner"], team="partners")
    found.start(["lab/web"], app="web")
    yield found
    program.kubectl("delete", "namespace", *namespaces, "--wait=false")


def python(reach: Reach, pod: str, script: str) -> str:
    """What a script in a pod prints."""
    namespace, _, name = pod.partition("/")
    words = ("exec", "-n", namespace, name, "--", "/usr/bin/python3", "-c", script)
    return reach.program.kubectl(*words, check=False).stdout.strip()


def test_the_isolation_of_a_namespace(reach: Reach) -> None:
    friend, stranger = Target(reach.addresses["jupyter/b"]), Target(reach.addresses["elsewhere/a"])
    eventually(lambda: reach.reaches("jupyter/a", stranger), "everybody reached before")
    reach.program.apply(NAMESPACE_ISOLATION)
    eventually(lambda: not reach.reaches("jupyter/a", stranger), "the other namespace cut off")
    eventually(lambda: reach.reaches("jupyter/a", friend), "a pod of the namespace reached")
    eventually(lambda: python(reach, "jupyter/a", LOOKUP).endswith(".0.1"), "names, which are served in kube-system")
    eventually(lambda: reach.reaches("elsewhere/a", friend), "what comes in, of which it says nothing")


def test_the_examples_of_the_documentation(reach: Reach) -> None:
    alone, partners, archive = EXAMPLES
    web = Target(reach.addresses["lab/web"])
    reach.program.apply(alone)
    eventually(lambda: not reach.reaches("elsewhere/partner", web), "on its own")
    eventually(lambda: not reach.reaches("lab/web", Target(reach.addresses["elsewhere/a"])), "kept inside")
    eventually(lambda: reach.reaches("lab/other", web), "pods of the namespace reached")
    eventually(lambda: python(reach, "lab/web", LOOKUP).endswith(".0.1"), "names")
    reach.program.apply(partners.replace("port: web", "port: serve-80-tcp"))
    eventually(lambda: reach.reaches("elsewhere/partner", web), "the partners let in")
    assert not reach.reaches("elsewhere/partner", web._replace(port=81))
    assert not reach.reaches("elsewhere/a", web)
    near, _, last = reach.addresses["elsewhere/a"].rpartition(".")
    but = "128/25" if int(last) < 128 else "0/25"  # the half of the network the pod is not in
    block = archive.replace("198.51.100.128/25", f"{near}.{but}").replace("198.51.100.", f"{near}.")
    block = block.replace("8000, endPort: 8080", "80, endPort: 80")
    reach.program.apply(block)
    eventually(lambda: reach.reaches("lab/web", Target(reach.addresses["elsewhere/a"])), "the block let out to")
    assert not reach.reaches("lab/other", Target(reach.addresses["elsewhere/a"]))


def test_an_illegal_network_is_refused_by_name(reach: Reach) -> None:
    done = reach.program.kubectl("apply", "-f", "-", stdin=WRONG, check=False)
    assert done.returncode != 0
    assert "spec.ingress[0].from[0].ipBlock.cidr: Invalid value" in done.stderr


def test_a_policy_is_created_without_a_warning(reach: Reach) -> None:
    done = reach.program.kubectl("apply", "-f", "-", "--dry-run=server", stdin=NAMESPACE_ISOLATION)
    assert done.stderr == ""


def test_a_clouds_metadata_is_refused_at_once(reach: Reach) -> None:
    assert python(reach, "elsewhere/a", ASK_METADATA) == "ConnectionRefusedError"
