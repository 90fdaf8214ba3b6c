"""Kubernetes' conformance tests of how pods are reached: `test/e2e/network/{proxy,service}.go`,
`test/e2e/common/network/networking.go`, and of replicas that serve, `test/e2e/apps/{replica_set,rc}.go`.

Busybox stands for their images, and `porter` in this machine's Python for what busybox cannot do.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import porter
from tests.support.extension_server import issue_certificate
from tests.support.pod_python import python_container
from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually
from tests.support.raw_api import RawApi

NAMESPACE = "conformance-network"
LINK = '<a href="/{}">test</a>'
PORTS = (
    "80=json", f"1080={LINK.format('rewriteme')}", "160=foo", "162=bar", "udp:80",
    f"tls:443={LINK.format('tlsrewriteme')}", "tls:460=tls baz", "tls:462=tls qux",
)  # fmt: skip


@pytest.fixture(scope="module")
def pods(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodReplays]:
    folder = tmp_path_factory.mktemp("porter")
    with pod_replays(program, NAMESPACE) as made:
        made.create({"porter": porter_spec(folder)}, labels={"serves": "ports"})
        made.create({"asks": asking_spec(), "asks-from-host": asking_spec(hostNetwork=True)})
        made.create({"client": {"containers": [container("exec sleep 10000")]}})
        yield made


def porter_spec(folder: Path) -> Any:
    certificate, key, _ = issue_certificate(folder, "porter")
    pair = ("--pair", str(certificate), str(key))
    named = {"dest1": 160, "dest2": 162, "tlsdest1": 460, "tlsdest2": 462}
    main, volumes = python_container(
        Path(porter.__file__).resolve(),
        *PORTS,
        *pair,
        sees=[folder],
        ports=[{"containerPort": 80}, *({"name": name, "containerPort": port} for name, port in named.items())],
        readinessProbe={"httpGet": {"port": 80}, "initialDelaySeconds": 1, "periodSeconds": 1},
    )
    return {"containers": [main], "volumes": volumes}


def asking_spec(**more: Any) -> Any:
    main, volumes = python_container(Path(porter.__file__).resolve())
    return {"containers": [{**main, "command": ["sleep", "10000"]}], "volumes": volumes, **more}


def ready(pods: PodReplays, name: str) -> None:
    eventually(lambda: pods.condition(name, "Ready")["status"] == "True", f"{name} to be ready", 240)


class Proxied:
    """What comes through the API server, as it comes."""

    def __init__(self, pods: PodReplays) -> None:
        self._connection = RawApi(pods.program.kubeconfig).open()

    def ask(self, method: str, path: str) -> http.client.HTTPResponse:
        self._connection.request(method, f"/api/v1/namespaces/{NAMESPACE}/{path}")
        answer = self._connection.getresponse()
        self.body = answer.read().decode()
        return answer

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def proxied(pods: PodReplays) -> Iterator[Proxied]:
    made = Proxied(pods)
    yield made
    made.close()


SERVICE_PORTS = [
    {"name": "portname1", "port": 80, "targetPort": "dest1"},
    {"name": "portname2", "port": 81, "targetPort": 162},
    {"name": "tlsportname1", "port": 443, "targetPort": "tlsdest1"},
    {"name": "tlsportname2", "port": 444, "targetPort": 462},
]


def service(name: str, ports: list[Any]) -> Any:
    spec = {"selector": {"serves": "ports"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def test_proxies_through_a_service_and_a_pod(pods: PodReplays, proxied: Proxied) -> None:
    pods.apply(service("many", SERVICE_PORTS))
    ready(pods, "porter")
    eventually(lambda: pods.get("many", "endpoints")["subsets"][0]["addresses"], "the endpoints")
    base = f"/api/v1/namespaces/{NAMESPACE}/"
    expected = {
        "services/many:portname1/proxy/": "foo",
        "services/http:many:portname1/proxy/": "foo",
        "services/many:portname2/proxy/": "bar",
        "services/http:many:portname2/proxy/": "bar",
        "services/https:many:tlsportname1/proxy/": "tls baz",
        "services/https:many:tlsportname2/proxy/": "tls qux",
        "pods/porter:160/proxy/": "foo",
        "pods/http:porter:162/proxy/": "bar",
        "pods/https:porter:460/proxy/": "tls baz",
        "pods/porter:1080/proxy/": f'<a href="{base}pods/porter:1080/proxy/rewriteme">test</a>',
        "pods/http:porter:1080/proxy/": f'<a href="{base}pods/http:porter:1080/proxy/rewriteme">test</a>',
        "pods/https:porter:443/proxy/": f'<a href="{base}pods/https:porter:443/proxy/tlsrewriteme">test</a>',
    }
    for path, body in expected.items():
        assert (proxied.ask("GET", path).status, proxied.body) == (200, body), path


METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def test_valid_responses_to_all_methods_through_proxies(pods: PodReplays, proxied: Proxied) -> None:
    pods.apply(service("one", [{"port": 80, "targetPort": 80}]))
    ready(pods, "porter")
    eventually(lambda: pods.get("one", "endpoints")["subsets"][0]["addresses"], "the endpoints")
    for base in ("pods/porter/proxy", "services/one/proxy"):
        for method in METHODS:
            answer = proxied.ask(method, f"{base}/some/path/with/{method}")
            assert answer.status == 200
            if method != "HEAD":
                assert json.loads(proxied.body) == {
                    "Method": method,
                    "Body": "foo",
                    "Path": f"/some/path/with/{method}",
                }
            answer = proxied.ask(method, f"{base}?method={method}")
            if method in ("GET", "HEAD"):
                assert answer.status == 301
            else:
                said = json.loads(proxied.body)
                assert (answer.status, said["Method"], said["Path"]) == (200, method, f"/?method={method}")


ASKS = """
import socket, sys, urllib.request
host, kind = sys.argv[1:]
if kind == "tcp":
    print(urllib.request.urlopen(f"http://{host}/", timeout=1).status)
else:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(1)
        one.connect((host, 80))
        one.send(b"who")
        print(one.recv(100).decode())
"""


def answered(pods: PodReplays, name: str, address: str, kind: str) -> bool:
    done = pods.kubectl("exec", name, "--", "/usr/bin/python3", "-c", ASKS, address, kind, check=False)
    return done.stdout in ("200\n", "udp who\n")


@pytest.mark.parametrize("asker", ["asks", "asks-from-host"])
def test_communication_of_pods(pods: PodReplays, asker: str) -> None:
    """`test/e2e/common/network/networking.go`: from a pod and from its node, by TCP and by UDP."""
    ready(pods, "porter")
    ready(pods, asker)
    for kind in ("tcp", "udp"):
        eventually(lambda kind=kind: answered(pods, asker, pods.status("porter")["podIP"], kind), f"{kind}")


def test_serves_endpoints_on_the_same_port_by_different_protocols(pods: PodReplays) -> None:
    tcp, udp = ({"name": kind, "port": 80, "targetPort": 80, "protocol": kind.upper()} for kind in ("tcp", "udp"))
    pods.apply(service("both", [tcp, udp]))
    ready(pods, "porter")
    address = pods.get("both", "service")["spec"]["clusterIP"]

    def answers(kind: str) -> bool:
        return answered(pods, "asks", address, kind)

    for served in ({"tcp", "udp"}, {"tcp"}, {"udp"}):
        ports = [port for port in (tcp, udp) if port["name"] in served]
        pods.kubectl("patch", "service/both", "--type=json", "-p",
                     json.dumps([{"op": "replace", "path": "/spec/ports", "value": ports}]))  # fmt: skip
        eventually(lambda served=served: {kind for kind in ("tcp", "udp") if answers(kind)} == served, f"only {served}")

    def protocols() -> list[str]:
        (one,) = pods.listed("endpointslices", "kubernetes.io/service-name=both")
        return [port["protocol"] for port in one["ports"]]

    eventually(lambda: protocols() == ["UDP"], "the slice without the other port")


def test_serves_endpoints_of_several_ports(pods: PodReplays) -> None:
    """`test/e2e/network/service.go`: each port has the endpoints of the pods that have it, as they come and go."""
    made = {
        name: {"containers": [container(SERVES.format(port=port), ports=[{"name": name, "containerPort": port}])]}
        for name, port in (("port-a", 8100), ("port-b", 8101))
    }
    ports = [{"name": name, "port": 80 + number, "targetPort": name} for number, name in enumerate(made)]
    both = {"selector": {"serves": "one-each"}, "ports": ports}
    pods.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "multi"}, "spec": both})

    def subsets() -> dict[tuple[str, int], list[str]]:
        found = pods.get("multi", "endpoints").get("subsets", ())
        return {
            (port["name"], port["port"]): sorted(one["targetRef"]["name"] for one in each["addresses"])
            for each in found
            for port in each["ports"]
        }

    expected: dict[tuple[str, int], list[str]] = {}
    eventually(lambda: subsets() == {}, "no endpoints")
    for (name, spec), port in zip(made.items(), (8100, 8101), strict=True):
        pods.create({name: spec}, labels={"serves": "one-each"})
        expected = {**expected, (name, port): [name]}
        eventually(lambda expected=expected: subsets() == expected, f"the endpoints {expected}")
    address = pods.get("multi", "service")["spec"]["clusterIP"]
    for number, name in enumerate(made):
        eventually(lambda at=80 + number, name=name: asked(pods, address, at) == name, name)
    for name in made:
        pods.kubectl("delete", f"pod/{name}")
        expected = {key: value for key, value in expected.items() if key[0] != name}
        eventually(lambda expected=expected: subsets() == expected, f"the endpoints {expected}")


SERVES = "mkdir -p /tmp/www; hostname > /tmp/www/index.html; exec httpd -f -p {port} -h /tmp/www"


def asked(pods: PodReplays, host: str, port: int) -> str:
    return pods.kubectl("exec", "client", "--", "wget", "-q", "-O-", f"http://{host}:{port}/",
                        check=False).stdout.strip()  # fmt: skip


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_serves_a_basic_image_on_each_replica(pods: PodReplays, proxied: Proxied, kind: str) -> None:
    labels = {"name": kind.lower()}
    serves = {"containers": [container(SERVES.format(port=9376), ports=[{"containerPort": 9376}])]}
    template = {"metadata": {"labels": labels}, "spec": {**serves, "terminationGracePeriodSeconds": 0}}
    version, selector = ("apps/v1", {"matchLabels": labels}) if kind == "ReplicaSet" else ("v1", labels)
    spec = {"replicas": 2, "selector": selector, "template": template}
    pods.apply({"apiVersion": version, "kind": kind, "metadata": {"name": "basic"}, "spec": spec})
    selects = f"name={kind.lower()}"
    eventually(lambda: len(pods.listed("pods", selects)) == 2, "two pods")
    for name in [one["metadata"]["name"] for one in pods.listed("pods", selects)]:
        pods.running(name)
        eventually(lambda name=name: own_name(proxied, name) == name, f"an answer of {name}")
    pods.kubectl("delete", f"{kind.lower()}/basic", "--wait=false")


def own_name(proxied: Proxied, name: str) -> str:
    answer = proxied.ask("GET", f"pods/{name}:9376/proxy/")
    return proxied.body.strip() if answer.status == 200 else ""


def test_changes_of_type_are_followed(pods: PodReplays) -> None:
    """From an ExternalName to a NodePort, and to an ExternalName again; each reached as what it is."""
    outside = {"type": "ExternalName", "externalName": f"one.{NAMESPACE}.svc.cluster.local"}
    pods.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "externalname"}, "spec": outside})
    pods.apply(service("one", [{"port": 80, "targetPort": 80}]))
    ready(pods, "porter")
    node = pods.running("client")["hostIP"]
    inside = {"type": "NodePort", "externalName": None, "selector": {"serves": "ports"}, "ports": [PORT]}
    pods.kubectl("patch", "service/externalname", "-p", json.dumps({"spec": inside}))
    made = pods.get("externalname", "service")["spec"]
    for host, port in (("externalname", 80), (made["clusterIP"], 80), (node, made["ports"][0]["nodePort"])):
        eventually(lambda host=host, port=port: reached(pods, host, port), f"{host}:{port}")
    pods.kubectl("patch", "service/externalname", "-p", json.dumps({"spec": outside}))
    assert "clusterIP" not in pods.get("externalname", "service")["spec"]
    canonical = f"canonical name = one.{NAMESPACE}.svc.cluster.local"
    words = ("nslookup", f"externalname.{NAMESPACE}.svc.cluster.local")
    eventually(lambda: canonical in pods.kubectl("exec", "client", "--", *words, check=False).stdout, "the name")


PORT = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}


def reached(pods: PodReplays, host: str, port: int) -> bool:
    """From a pod, by the C library's resolver."""
    url = f"http://{host}:{port}/"
    script = f"import urllib.request as u; print(u.urlopen('{url}', timeout=2).status)"
    return pods.kubectl("exec", "asks", "--", "/usr/bin/python3", "-c", script, check=False).stdout == "200\n"
