"""An instance with two IP families, as a user makes it: pods and Services have both, policies hold in both."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.instance import kernel_has_ipv6
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

pytestmark = pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")

FORWARDING = Path("/proc/sys/net/ipv6/conf/all/forwarding")
WEB = f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {BUSYBOX}
    command: [sh, -c, "echo $MY_ADDRESSES > /www/index.html; exec httpd -f -p 8080 -h /www"]
    env: [{{name: MY_ADDRESSES, valueFrom: {{fieldRef: {{fieldPath: status.podIPs}}}}}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: main, image: {BUSYBOX}, command: [sleep, "9999"]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  selector: {{app: web}}
  ipFamilyPolicy: PreferDualStack
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: six}}
spec:
  selector: {{app: web}}
  ipFamilies: [IPv6]
  ports: [{{port: 80, targetPort: 8080}}]
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - host: web.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""


class Client:
    """Fetches pages from the pod `client`."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def fetch(self, address: str) -> str:
        script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 {address} 80 | tail -n 1"
        return self.program.kubectl("exec", "client", "--", "sh", "-c", script, check=False).stdout.strip()


def test_two_families(fresh_program: Program, tmp_path: Path) -> None:
    program, forwarded = fresh_program, FORWARDING.read_text()
    program.options = ("--ip-families", "IPv4,IPv6")
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(WEB)
    program.kubectl("wait", "--for=condition=Ready", "pod", "--all", WITHIN)
    _check_objects(program)
    _check_traffic(program)
    _check_edges(program)
    _check_policy(program)
    program.down()
    assert FORWARDING.read_text() == forwarded
    program.up()
    again = program.skerry("up", "--ip-families", "IPv4", check=False)
    assert again.returncode != 0
    assert "was made with IPv4,IPv6" in again.stderr


def _check_objects(program: Program) -> None:
    (node,) = program.get("nodes")["items"]
    assert [":" in one for one in node["spec"]["podCIDRs"]] == [False, True]
    addresses = [one["ip"] for one in program.get("pod", "web")["status"]["podIPs"]]
    assert [":" in one for one in addresses] == [False, True]
    spec = program.get("service", "web")["spec"]
    assert spec["ipFamilies"] == ["IPv4", "IPv6"]
    assert [":" in one for one in spec["clusterIPs"]] == [False, True]

    def families() -> list[str]:
        slices = program.get("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
        return sorted(one["addressType"] for one in slices)

    eventually(lambda: families() == ["IPv4", "IPv6"], "slices of both families")


def _check_traffic(program: Program) -> None:
    client, shown = Client(program), ",".join(one["ip"] for one in program.get("pod", "web")["status"]["podIPs"])
    for address in program.get("service", "web")["spec"]["clusterIPs"]:
        eventually(lambda address=address: client.fetch(address) == shown, address)  # type: ignore[misc]


def _check_edges(program: Program) -> None:
    """Ingress, the API and the DNS server at IPv6 addresses."""
    program.apply(INGRESS)
    shown = ",".join(one["ip"] for one in program.get("pod", "web")["status"]["podIPs"])
    eventually(lambda: _six(program.get("endpoints", "ingress", "-n", "kube-system")), "the Ingress' IPv6 address")
    address, port = _six(program.get("endpoints", "ingress", "-n", "kube-system"))[0]
    eventually(lambda: _ask(address, port) == shown, f"web.example.com at {address}")
    port = json.loads((program.data_dir / "instance.json").read_text())["port"]
    answer = program.kubectl("--server", f"https://[::1]:{port}", "get", "--raw", "/version").stdout
    assert "gitVersion" in answer
    server = program.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIPs"][1]
    question = ("nslookup", "-type=aaaa", "web.default.svc.cluster.local", server)
    six = program.get("service", "web")["spec"]["clusterIPs"][1]
    asked = lambda: program.kubectl("exec", "client", "--", *question, check=False).stdout  # noqa: E731
    eventually(lambda: f"Address: {six}" in asked(), f"AAAA by {server}")


def _six(endpoints: Any) -> list[tuple[str, int]]:
    """Its IPv6 addresses and the port called http."""
    subsets = endpoints.get("subsets") or ()
    ports = {one["name"]: one["port"] for subset in subsets for one in subset["ports"]}
    found = [one["ip"] for subset in subsets for one in subset["addresses"]]
    return [(address, ports["http"]) for address in found if ":" in address]


def _ask(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": "web.example.com"})
        return connection.getresponse().read().decode().strip()
    finally:
        connection.close()


def _check_policy(program: Program) -> None:
    client, address = Client(program), program.get("service", "six")["spec"]["clusterIP"]
    program.apply(DENY)
    eventually(lambda: client.fetch(address) == "", "cut off by the policy")
    program.kubectl("delete", "networkpolicy", "deny")
    eventually(lambda: client.fetch(address) != "", "let in again")
