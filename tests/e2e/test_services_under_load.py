"""Services as their users need them: nothing is lost while what is behind them changes, from the host and from pods.

The rules themselves are tested in tests/component/network, names in test_dns.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import pod_server
from tests.support.images import BUSYBOX
from tests.support.load import CLIENT, Load
from tests.support.pod_python import python_container
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

_PAUSE = "0.005"  # seconds: some hundred requests a second from each load
_PAGE = Path(__file__).parents[2] / "docs/resources/service.md"
_SCRIPT = Path(pod_server.__file__).resolve()
HOST = "under-load.example.com"


def pod_spec(*ports: int, **more: Any) -> dict[str, Any]:
    """A pod that answers on these ports; the first is called `web`."""
    container, volumes = python_container(
        _SCRIPT,
        *map(str, ports),
        env=[{"name": "VERSION", "value": "1"}],
        ports=[{"name": "web", "containerPort": ports[0]}],
        **{"readinessProbe": {"httpGet": {"port": "web"}, "periodSeconds": 1}, **more},
    )
    return {"containers": [container], "volumes": volumes}


def pod(name: str, *ports: int, **container: Any) -> dict[str, Any]:
    """A pod of the app."""
    spec = {**pod_spec(*ports, **container), "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec}


def service(name: str, *ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Service of the app."""
    wanted = list(ports) or [{"port": 80, "targetPort": "web"}]
    whole = {"selector": {"app": "web"}, "ports": wanted, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": whole}


def ingress() -> dict[str, Any]:
    """The app under a name."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}}
    return {**kind, "spec": {"rules": [rule]}}


class App:
    """What is served in a namespace, and who asks."""

    def __init__(self, program: Program, namespace: str) -> None:
        self.program = program
        self.namespace = namespace

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.program.kubectl("-n", self.namespace, *words, stdin=stdin).stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def deploy(self, replicas: int) -> None:
        """A Deployment as one that must not lose requests: it is told to go some seconds before it is stopped."""
        template = {
            "metadata": {"labels": {"app": "web"}},
            "spec": pod_spec(8080, lifecycle={"preStop": {"sleep": {"seconds": 3}}}),
        }
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
        self.apply({**deployment, "spec": {**spec, "strategy": strategy}}, service("web", type="NodePort"))
        self.rolled_out()

    def rolled_out(self) -> None:
        self.kubectl("rollout", "status", "deployment/web", WITHIN)

    def ready(self, *pods: str) -> None:
        self.kubectl("wait", "--for=condition=Ready", WITHIN, *(f"pod/{name}" for name in pods))

    def get(self, *words: str) -> Any:
        return self.program.get("-n", self.namespace, *words)

    def address(self, name: str = "web") -> str:
        """The cluster address of a Service."""
        return str(self.get("service", name)["spec"]["clusterIP"])

    def node_port(self) -> tuple[str, int]:
        """Where the host offers it, which need not be the node's address: another instance may have had that before."""
        address = json.loads(self.program.skerry("status", "-o", "json").stdout)["nodePorts"].partition(":")[0]
        return address, int(self.get("service", "web")["spec"]["ports"][0]["nodePort"])

    def ingress_address(self) -> tuple[str, int]:
        """Where the Ingress answers, once it does."""
        place: tuple[str, int] = eventually(self.program.ingress, "the Ingress's Service")
        eventually(lambda: ask(*place), "the Ingress answers")
        return place

    def inside(self, name: str, address: str, port: int = 80) -> str:
        """Which server answers a pod."""
        script = f"import urllib.request as u; print(u.urlopen('http://{address}:{port}/', timeout=20).read().decode())"
        return str(json.loads(self.kubectl("exec", name, "--", sys.executable, "-I", "-c", script))["server"])

    @contextmanager
    def load(self, directory: Path, places: Sequence[tuple[str, int]]) -> Iterator[list[Load]]:
        """Clients of the host at each of these addresses and ports."""
        loads, clients = [], []
        try:
            for number, (address, port) in enumerate(places):
                loads.append(Load(directory / f"load{number}"))
                words = [sys.executable, "-P", str(CLIENT), HOST, address, str(port), _PAUSE]
                with loads[-1].path.open("w") as notes:
                    clients.append(subprocess.Popen(words, stdout=notes))
            yield loads
        finally:
            for client in clients:
                client.kill()
                client.wait()


@pytest.fixture
def app(program: Program, namespace: str) -> App:
    return App(program, namespace)


def ask(address: str, port: int = 80) -> str:
    """Which server answers the host."""
    connection = http.client.HTTPConnection(address, port, timeout=30)
    try:
        return asked(connection)
    finally:
        connection.close()


def asked(connection: http.client.HTTPConnection) -> str:
    """Which server answers on a connection that stays."""
    connection.request("GET", "/", headers={"Host": HOST})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return str(json.loads(body)["server"])


def versions(load: Load) -> set[str]:
    """Of the servers that answered last."""
    return {said.partition(" ")[0] for _, said in load.answers()[-20:]}


def test_a_rolling_update_under_load_loses_no_request(app: App, tmp_path: Path) -> None:
    """At the cluster address, at the node port, through an Ingress."""
    app.deploy(3)
    app.apply(ingress())
    ways = [(app.address(), 80), app.node_port(), app.ingress_address()]
    with app.load(tmp_path, ways) as loads:
        for load in loads:
            eventually(lambda load=load: len(load.answers()) > 40, "requests before")
        app.kubectl("set", "env", "deployment/web", "VERSION=2")
        app.rolled_out()
        eventually(lambda: len(app.get("pods")["items"]) == 3, "the old pods are gone")
        for load in loads:
            eventually(lambda load=load: versions(load) == {"2"}, "the new version alone")
            eventually(lambda load=load: {"1", "2"} <= {said[:1] for _, said in load.answers()}, "both answered")
        assert [load.failures() for load in loads] == [[], [], []]
        direct = loads[:2]  # Caddy closes kept connections that were idle for 0.3 s when its configuration changes
        assert [load.repeated() for load in direct] == [[], []]
        for load, (address, port) in zip(loads, ways, strict=True):
            print(load.said(f"rolling update at {address}:{port}"))


def test_scaling_under_load_loses_no_request(app: App, tmp_path: Path) -> None:
    app.deploy(1)
    with app.load(tmp_path, [(app.address(), 80)]) as (load,):
        for replicas in (4, 1, 3):
            app.kubectl("scale", "deployment/web", f"--replicas={replicas}")
            app.rolled_out()
            eventually(lambda replicas=replicas: len(app.get("pods")["items"]) == replicas, "the pods")
            seen = len(load.answers())
            eventually(lambda seen=seen: len(load.answers()) > seen + 40, "requests after it")
        assert (load.failures(), load.repeated()) == ([], [])


def test_open_connections_stay_while_other_endpoints_come_and_go(app: App) -> None:
    app.deploy(2)
    kept = http.client.HTTPConnection(app.address(), 80, timeout=30)
    mine = asked(kept)
    app.kubectl("scale", "deployment/web", "--replicas=4")
    app.rolled_out()
    assert asked(kept) == mine
    others = [one["metadata"]["name"] for one in app.get("pods")["items"] if one["metadata"]["name"] not in mine]
    app.kubectl("delete", "pod", "--now", *others)
    app.rolled_out()
    assert asked(kept) == mine

    leaving = mine.split()[1]
    app.kubectl("delete", "pod", "--wait=false", leaving)
    eventually(lambda: all(ask(app.address()) != mine for _ in range(10)), "new connections go elsewhere")
    assert asked(kept) == mine, "an endpoint that terminates keeps what it has"
    eventually(lambda: asked_or_closed(kept) != mine, "until it ends")
    kept.close()


def asked_or_closed(connection: http.client.HTTPConnection) -> str:
    try:
        return asked(connection)
    except (OSError, http.client.HTTPException):
        return "closed"


def test_ports_of_a_service(app: App) -> None:
    """Several, datagrams too; a name leads to each pod's own number."""
    several = service(
        "several",
        {"name": "web", "port": 80, "targetPort": "web"},
        {"name": "more", "port": 81, "targetPort": 9001},
        {"name": "datagrams", "port": 53, "targetPort": 9001, "protocol": "UDP"},
    )
    app.apply(pod("one", 8080, 9001), pod("two", 8090, 9001), several)
    app.ready("one", "two")
    address = app.address("several")
    for port in (80, 81):
        eventually(lambda port=port: {ask(address, port) for _ in range(6)} == {"1 one", "1 two"}, f"port {port}")
        eventually(
            lambda port=port: {app.inside("one", address, port) for _ in range(6)} == {"1 one", "1 two"},
            f"port {port} from a pod, itself too",
        )

    def datagram() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(b"?", (address, 53))
            return str(json.loads(client.recv(100))["server"])

    eventually(lambda: {datagram() for _ in range(6)} == {"1 one", "1 two"}, "datagrams")


def test_a_pod_that_is_not_ready_is_reached_where_that_is_wanted(app: App) -> None:
    never = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    early = service("early", publishNotReadyAddresses=True)
    app.apply(
        pod("unready", 8080, readinessProbe=never), pod("client", 8081, readinessProbe=None), service("web"), early
    )
    app.kubectl("label", "pod/client", "app=client", "--overwrite")
    app.ready("client")
    eventually(lambda: ask(app.address("early")) == "1 unready", "the pod answers")
    assert app.inside("client", app.address("early")) == "1 unready"
    with pytest.raises(ConnectionRefusedError):
        ask(app.address("web"))


def test_a_service_without_selector_goes_where_its_endpoints_say(app: App) -> None:
    app.apply(pod("one", 8080), service("elsewhere", {"port": 80, "targetPort": 8080}, selector=None))
    app.ready("one")
    where = app.get("pod", "one")["status"]["podIP"]
    eventually(lambda: refused(app.address("elsewhere")), "nobody yet")
    subsets = [{"addresses": [{"ip": where}], "ports": [{"port": 8080}]}]
    app.apply({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "elsewhere"}, "subsets": subsets})
    eventually(lambda: ask(app.address("elsewhere")) == "1 one", "the endpoints count")
    assert app.inside("one", app.address("elsewhere")) == "1 one"


def refused(address: str) -> bool:
    try:
        ask(address)
    except ConnectionRefusedError:
        return True
    return False


def test_the_example_of_the_page(app: App) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text(), re.S)
    app.kubectl("apply", "-f", "-", stdin=example.replace("image: busybox", f"image: {BUSYBOX}"))
    app.kubectl("rollout", "status", "deployment/counter", WITHIN)
    names = {one["metadata"]["name"] for one in app.get("pods")["items"]}
    asked = ["exec", "deployment/counter", "--", "wget", "-q", "-O-", f"http://counter.{app.namespace}/"]
    assert {eventually(lambda: app.kubectl(*asked).strip(), "an answer") for _ in range(10)} <= names
