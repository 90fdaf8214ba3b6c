"""Cluster DNS as pods see it: their resolv.conf, the busybox resolver, names of services and pods."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

NAMESPACE = "names"
DOMAIN = f"{NAMESPACE}.svc.cluster.local"
MANIFEST = f"""
apiVersion: v1
kind: Pod
metadata: {{name: client, labels: {{app: web}}}}
spec:
  hostname: one
  subdomain: peers
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {BUSYBOX}
    command: [sh, -c, "exec httpd -f -p 8080 -h /www"]
    volumeMounts:
    - {{name: usr, mountPath: /usr, readOnly: true}}
    - {{name: lib, mountPath: /lib, readOnly: true}}
    - {{name: lib64, mountPath: /lib64, readOnly: true}}
  volumes:
  - {{name: usr, hostPath: {{path: /usr}}}}
  - {{name: lib, hostPath: {{path: /usr/lib}}}}
  - {{name: lib64, hostPath: {{path: /usr/lib64}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: peers}}
spec:
  clusterIP: None
  selector: {{app: web}}
  ports: [{{name: http, port: 8080}}]
---
apiVersion: v1
kind: Service
metadata: {{name: alias}}
spec:
  type: ExternalName
  externalName: web.{NAMESPACE}.svc.cluster.local
"""


class Names:
    """Asks from inside the pod `client`."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self.program.kubectl("-n", NAMESPACE, "exec", "client", "--", *command, check=False)

    def address(self, name: str) -> str:
        """As programs resolve it, by the C library of the machine: busybox has none that can."""
        return self.run("/usr/bin/getent", "ahostsv4", name).stdout.partition(" ")[0]

    def lookup(self, name: str, kind: str = "a") -> str:
        """What busybox's nslookup prints; errors as well."""
        done = self.run("nslookup", f"-type={kind}", name)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def names(program: Program) -> Iterator[Names]:
    program.kubectl("create", "namespace", NAMESPACE)
    program.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=MANIFEST)
    program.kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/client", WITHIN)
    yield Names(program)
    program.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_services_are_found_by_the_search_path(names: Names) -> None:
    address = names.program.get("-n", NAMESPACE, "service/web")["spec"]["clusterIP"]
    for name in ("web", f"web.{NAMESPACE}", f"web.{NAMESPACE}.svc", f"web.{DOMAIN}", "alias"):
        eventually(lambda name=name: names.address(name) == address, name)  # type: ignore[misc]
    assert names.address("kubernetes.default").endswith(".0.1")


def test_names_of_services(names: Names) -> None:
    eventually(lambda: ".0.1\n" in names.lookup("kubernetes.default.svc.cluster.local"), "the API's name")
    address = names.program.get("-n", NAMESPACE, "service/web")["spec"]["clusterIP"]
    eventually(lambda: f"Address: {address}\n" in names.lookup(f"web.{DOMAIN}"), "the service's name")
    assert f"name = web.{DOMAIN}" in names.run("nslookup", address).stdout
    assert f"canonical name = web.{DOMAIN}" in names.lookup(f"alias.{DOMAIN}")
    assert f"Address: {address}\n" in names.lookup(f"alias.{DOMAIN}")


def test_a_headless_service_names_its_pods(names: Names) -> None:
    address = names.program.get("-n", NAMESPACE, "pod/client")["status"]["podIP"]
    eventually(lambda: f"Address: {address}\n" in names.lookup(f"peers.{DOMAIN}"), "the service's endpoints")
    assert f"Address: {address}\n" in names.lookup(f"one.peers.{DOMAIN}")
    assert f"name = one.peers.{DOMAIN}" in names.run("nslookup", address).stdout
    assert names.run("hostname", "-f").stdout == f"one.peers.{DOMAIN}\n"
    assert f"8080 one.peers.{DOMAIN}" in names.lookup(f"_http._tcp.peers.{DOMAIN}", "srv")
    dashed = address.replace(".", "-")
    assert f"Address: {address}\n" in names.lookup(f"{dashed}.{NAMESPACE}.pod.cluster.local")


def test_the_hosts_file_and_questions_by_tcp(names: Names) -> None:
    """`test/e2e/network/dns.go`: entries of the pod's own names, and each name by UDP and by TCP."""
    address = names.program.get("-n", NAMESPACE, "pod/client")["status"]["podIP"]
    for name in (f"one.peers.{DOMAIN}", "one"):
        assert names.run("/usr/bin/getent", "-s", "files", "hosts", name).stdout.split()[0] == address
    for options in ("ndots:5", "use-vc"):
        for name in (f"web.{DOMAIN}", "web", f"peers.{DOMAIN}", f"one.peers.{DOMAIN}", "kubernetes.default"):
            asked = names.run("env", f"RES_OPTIONS={options}", "/usr/bin/getent", "-s", "dns", "ahostsv4", name)
            assert asked.stdout, (options, name)


def test_a_name_that_does_not_exist_is_denied(names: Names) -> None:
    assert "NXDOMAIN" in names.lookup(f"nobody.{DOMAIN}")


def test_what_the_machine_cannot_resolve_fails_quickly(names: Names) -> None:
    """A stub resolver of a machine without a network gives up; ours must give up no later than clients do."""
    started = time.monotonic()
    names.lookup("nobody.invalid.")
    assert time.monotonic() - started < 60


def test_the_dns_service_looks_as_users_know_it(names: Names) -> None:
    service = names.program.get("-n", "kube-system", "service", "kube-dns")
    resolv_conf = names.run("cat", "/etc/resolv.conf").stdout
    assert f"nameserver {service['spec']['clusterIP']}\n" in resolv_conf
    assert f"search {NAMESPACE}.svc.cluster.local svc.cluster.local cluster.local" in resolv_conf
    assert "options ndots:5" in resolv_conf
    assert {(port["name"], port["port"], port["protocol"]) for port in service["spec"]["ports"]} == {
        ("dns", 53, "UDP"),
        ("dns-tcp", 53, "TCP"),
    }
    assert service["metadata"]["labels"]["k8s-app"] == "kube-dns"
    slices = names.program.get("-n", "kube-system", "endpointslices", "-l", "kubernetes.io/service-name=kube-dns")
    assert len(slices["items"]) == 1
    assert len(slices["items"][0]["endpoints"]) == 1


def test_what_does_not_fit_into_resolv_conf_is_told(names: Names) -> None:
    """Three servers are all that C libraries ask; the cluster's is the first of them."""
    servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    crowded = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "crowded"},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": BUSYBOX, "command": ["sleep", "1000"]}],
            "dnsConfig": {"nameservers": servers, "options": [{"name": "ndots", "value": "2"}]},
        },
    }
    program = names.program
    program.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(crowded))
    program.kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/crowded", WITHIN)
    resolv_conf = program.kubectl("-n", NAMESPACE, "exec", "crowded", "--", "cat", "/etc/resolv.conf").stdout
    assert [line for line in resolv_conf.splitlines() if line.startswith("nameserver")][1:] == [
        "nameserver 192.0.2.1",
        "nameserver 192.0.2.2",
    ]
    assert "options ndots:2" in resolv_conf
    told = ("get", "events", "--field-selector=reason=DNSConfigForming", "-o", "jsonpath={.items[*].message}")
    eventually(lambda: "192.0.2.2" in program.kubectl("-n", NAMESPACE, *told).stdout, "the event")


def test_localhost_names_stay_in_the_pod(names: Names) -> None:
    assert "Address: 127.0.0.1\n" in names.lookup("web.team.localhost")
