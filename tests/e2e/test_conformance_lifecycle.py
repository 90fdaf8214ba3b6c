"""Kubernetes' `test/e2e/common/node/{container_probe,lifecycle_hook,pods}.go`, `test/e2e/node/pre_stop.go` and what of
`test/e2e/network` and `test/e2e/common/network` sends packets, with busybox's nc and httpd for their servers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from tests.support.pod_python import HEALTH_SERVER, python_container
from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

SERVER = "mkdir -p /tmp/www/cgi-bin; echo welcome > /tmp/www/index.html; exec httpd -f -vv -p 8080 -h /tmp/www"
HOSTNAME = "mkdir -p /tmp/www; cat /etc/hostname > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, "conformance-lifecycle") as made:
        made.create(PODS)
        yield made


def probing(script: str, more: Any = None, **probes: Any) -> Any:
    return {"containers": [container(script, **probes)], **(more or {})}


def exec_probe(*command: str, **more: Any) -> Any:
    return {"exec": {"command": list(command)}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 60, **more}


def http_probe(path: str, **more: Any) -> Any:
    return {
        "httpGet": {"path": path, "port": 8080},
        "periodSeconds": 1,
        "failureThreshold": 1,
        "timeoutSeconds": 60,
        **more,
    }


def grpc_probe(port: int, service: str = "", **more: Any) -> Any:
    return {"grpc": {"port": port, "service": service}, "periodSeconds": 1, "failureThreshold": 1, **more}


def grpc_server() -> Any:
    """Its service `file` is well once /tmp/well is there."""
    main, volumes = python_container(
        HEALTH_SERVER,
        "5000",
        "/tmp/well",
        livenessProbe=grpc_probe(5000, **PATIENT),
        readinessProbe=grpc_probe(5000, "file"),
    )
    return {"containers": [main], "volumes": volumes}


PATIENT = {"failureThreshold": 60, "timeoutSeconds": 30}  # however busy the machine is
LISTENER = SERVER.replace(
    "echo welcome", "cd /tmp/www; touch poststart-exec prestop-exec poststart-http prestop-http; echo welcome"
)
"""It says in its log what it was asked for."""
HEALTH = "echo ok > /tmp/health; sleep 2; rm /tmp/health; exec sleep 600"
ENDS = "trap 'exit 0' TERM; while true; do sleep 0.1; done"
IGNORES = "trap '' TERM; while true; do sleep 1; done"
PODS: dict[str, Any] = {
    "ready": probing(SERVER, readinessProbe=http_probe("/", initialDelaySeconds=3)),
    "never-ready": probing("exec sleep 600", readinessProbe=exec_probe("false")),
    "live-exec": probing(HEALTH, livenessProbe=exec_probe("cat", "/tmp/health")),
    "live-kept": probing("exec sleep 600", livenessProbe=exec_probe("true", **PATIENT)),
    "live-http": probing(SERVER, livenessProbe=http_probe("/healthz", initialDelaySeconds=2)),
    "live-http-kept": probing(SERVER, livenessProbe=http_probe("/index.html?a=b", **PATIENT)),
    "live-tcp": probing(SERVER, livenessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1, **PATIENT}),
    "live-slow": probing(
        "exec sleep 600", livenessProbe=exec_probe("sleep", "10", timeoutSeconds=1, initialDelaySeconds=1)
    ),
    "live-grpc": probing("exec sleep 600", livenessProbe=grpc_probe(2333)),
    "ready-grpc": grpc_server(),
    "startup-fails": probing("exec sleep 600", startupProbe=exec_probe("false"), livenessProbe=exec_probe("true")),
    "startup-delays": probing(
        "exec sleep 600",
        startupProbe=exec_probe("false", failureThreshold=1000),
        livenessProbe=exec_probe("false"),
        readinessProbe=exec_probe("true"),
    ),
    "startup-enables": probing(
        "sleep 2; echo ok > /tmp/startup; exec sleep 600",
        startupProbe=exec_probe("cat", "/tmp/startup", failureThreshold=60),
        livenessProbe=exec_probe("false"),
    ),
    "own-grace": probing(
        IGNORES,
        {"terminationGracePeriodSeconds": 500},
        livenessProbe=exec_probe("false", terminationGracePeriodSeconds=2),
    ),
    "named-port": {
        "containers": [
            container(
                SERVER,
                ports=[{"name": "web", "containerPort": 8080}],
                readinessProbe={"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1},
            )
        ]
    },
    "listens": {"containers": [container(LISTENER, readinessProbe=http_probe("/"))]},
    "websocket": {"containers": [container("echo container is alive; exec sleep 600")]},
    "first": {
        "containers": [container(HOSTNAME, ports=[{"containerPort": 8080}], readinessProbe=http_probe("/"))],
    },
    "second": {
        "containers": [container(HOSTNAME, ports=[{"containerPort": 8080}], readinessProbe=http_probe("/"))],
    },
    "client": {"containers": [container("exec sleep 600")]},
}


def restarts(pods: PodReplays, name: str) -> int:
    return int(pods.main(name)["restartCount"])


@pytest.mark.parametrize(
    "name", ["live-exec", "live-http", "live-grpc", "live-slow", "startup-fails", "startup-enables", "own-grace"]
)
def test_restarted(pods: PodReplays, name: str) -> None:
    eventually(lambda: restarts(pods, name) >= 1, "the restart")


@pytest.mark.parametrize("name", ["live-kept", "live-http-kept", "live-tcp", "startup-delays", "never-ready"])
def test_not_restarted(pods: PodReplays, name: str) -> None:
    pods.running(name)
    assert restarts(pods, name) == 0


def test_readiness(pods: PodReplays) -> None:
    for name in ("ready", "named-port"):
        eventually(lambda name=name: pods.condition(name, "Ready")["status"] == "True", "readiness")
        assert restarts(pods, name) == 0
    started = pods.main("ready")["state"]["running"]["startedAt"]
    assert pods.condition("ready", "Ready")["lastTransitionTime"] > started
    for name in ("never-ready", "startup-delays"):
        pods.running(name)
        assert pods.condition(name, "Ready")["status"] == "False"
    assert pods.main("startup-delays")["started"] is False


def test_a_service_of_grpc_says_how_it_is(pods: PodReplays) -> None:
    """Alive all the time, and ready while its service is well."""
    pods.running("ready-grpc")
    assert pods.condition("ready-grpc", "Ready")["status"] == "False"
    for command, expected in (("touch", "True"), ("rm", "False")):
        pods.kubectl("exec", "ready-grpc", "--", "/bin/busybox", command, "/tmp/well")
        eventually(lambda now=expected: pods.condition("ready-grpc", "Ready")["status"] == now, expected)
    events = pods.kubectl("describe", "pod", "ready-grpc").stdout
    assert 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")' in events
    assert restarts(pods, "ready-grpc") == 0


HOOKED = ("exec", "http")


@pytest.mark.parametrize("how", HOOKED)
def test_hooks(pods: PodReplays, how: str) -> None:
    eventually(lambda: pods.condition("listens", "Ready")["status"] == "True", "the listener")
    address = pods.status("listens")["podIP"]

    def hook(stage: str) -> Any:
        if how == "exec":
            return {"exec": {"command": ["wget", "-q", "-O", "-", f"http://{address}:8080/{stage}-exec"]}}
        return {"httpGet": {"host": address, "path": f"/{stage}-http", "port": 8080}}

    name = f"hook-{how}"
    lifecycle = {"postStart": hook("poststart"), "preStop": hook("prestop")}
    spec = {"terminationGracePeriodSeconds": 60, "containers": [container(ENDS, lifecycle=lifecycle)]}
    pods.create({name: spec})
    pods.running(name)
    eventually(lambda: f"/poststart-{how}" in pods.logs("listens"), "the start")
    pods.kubectl("delete", f"pod/{name}", WITHIN)
    eventually(lambda: f"/prestop-{how}" in pods.logs("listens"), "the stop")


@contextlib.contextmanager
def _opened(pods: PodReplays, path: str, protocol: str) -> Iterator[websocket.WebSocket]:
    connection = RawApi(pods.program.kubeconfig).open()
    connection.connect()
    try:
        base = f"wss://{connection.host}:{connection.port}/api/v1/namespaces/{pods.namespace}/pods/"
        yield websocket.create_connection(base + path, subprotocols=[protocol], socket=connection.sock)
    finally:
        connection.close()


def _messages(socket: websocket.WebSocket) -> Iterator[bytes]:
    while True:
        code, message = socket.recv_data()
        if code == websocket.ABNF.OPCODE_CLOSE:
            return
        yield message


def test_a_command_over_a_websocket(pods: PodReplays) -> None:
    pods.running("websocket")
    query = "stderr=1&stdout=1&container=main&command=echo&command=remote+execution+test"
    with _opened(pods, f"websocket/exec?{query}", "channel.k8s.io") as socket:
        messages = list(_messages(socket))
    assert [one for one in messages if one[:1] != b"\x01" and len(one) > 1] == []
    assert b"remote execution test" in b"".join(one[1:] for one in messages)


def test_a_log_over_a_websocket(pods: PodReplays) -> None:
    pods.running("websocket")
    eventually(lambda: pods.logs("websocket"), "its word")  # a container is ready before it has said anything
    with _opened(pods, "websocket/log?container=main", "binary.k8s.io") as socket:
        assert b"".join(_messages(socket)) == b"container is alive\n"


def service(name: str, **spec: Any) -> Any:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"ports": ports, "selector": {"serve": "hostname"}, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def fetched(pods: PodReplays, host: str, port: int = 80) -> str:
    """The answer's body: the name of the pod that gave it."""
    script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 20 {host} {port} | tail -n 1"
    return pods.kubectl("exec", "client", "--", "sh", "-c", script).stdout.strip()


def address_of(pods: PodReplays, name: str) -> str:
    return str(pods.get(name, "service")["spec"]["clusterIP"])


def affine(pods: PodReplays, name: str, host: str, port: int = 80) -> None:
    """Affinity of clients, none, and again; by whatever way there is to the service."""
    eventually(lambda: fetched(pods, host, port), f"the service {name}")
    assert len({fetched(pods, host, port) for _ in range(8)}) == 1
    pods.kubectl("patch", f"service/{name}", "-p", '{"spec":{"sessionAffinity":"None"}}')
    eventually(lambda: len({fetched(pods, host, port) for _ in range(4)}) == 2, "no affinity")
    pods.kubectl("patch", f"service/{name}", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
    eventually(lambda: len({fetched(pods, host, port) for _ in range(8)}) == 1, "affinity again")


def test_services_serve(pods: PodReplays) -> None:
    for name in ("first", "second", "client"):
        eventually(lambda name=name: pods.condition(name, "Ready")["status"] == "True", name)
    pods.kubectl("label", "pod/first", "pod/second", "serve=hostname")
    sticky = {"sessionAffinity": "ClientIP"}
    pods.apply(service("balanced"), service("sticky", **sticky), service("sticky-node", type="NodePort", **sticky))
    pods.apply(service("node", type="NodePort"))
    address = address_of(pods, "balanced")
    seen: set[str] = set()

    def both() -> bool:
        seen.add(fetched(pods, address))
        return seen == {"first", "second"}

    eventually(both, "both backends")
    host = pods.status("client")["hostIP"]
    affine(pods, "sticky", address_of(pods, "sticky"))
    affine(pods, "sticky-node", host, pods.get("sticky-node", "service")["spec"]["ports"][0]["nodePort"])
    port = pods.get("node", "service")["spec"]["ports"][0]["nodePort"]
    assert pods.program.get("nodes")["items"][0]["status"]["addresses"][0]["address"] == host
    eventually(lambda: fetched(pods, host, port) in seen, "the node port")
    pods.kubectl("label", "pod/first", "serve-")
    eventually(lambda: {fetched(pods, address) for _ in range(4)} == {"second"}, "the pod's leaving")


def test_the_master_service(pods: PodReplays) -> None:
    get = pods.program.get
    assert [one["port"] for one in get("service/kubernetes")["spec"]["ports"]] == [443]
    (subset,) = get("endpoints/kubernetes")["subsets"]
    (one,) = get("endpointslices", "-l", "kubernetes.io/service-name=kubernetes")["items"]
    assert [(port["name"], port["port"]) for port in one["ports"]] == [("https", subset["ports"][0]["port"])]
    addresses = [address for endpoint in one["endpoints"] for address in endpoint["addresses"]]
    assert addresses == [address["ip"] for address in subset["addresses"]]


def test_variables_of_services(pods: PodReplays) -> None:
    pods.apply(service("fooservice", ports=[{"port": 8765, "targetPort": 8080}]))
    pods.create({"variables": {"restartPolicy": "Never", "containers": [container("env")]}})
    pods.ended("variables")
    for name in ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_8765_TCP_PORT", "PORT_8765_TCP_PROTO", "PORT_8765_TCP"):
        assert f"FOOSERVICE_{name}=" in pods.logs("variables")


def test_host_ports_by_address_and_protocol(pods: PodReplays) -> None:
    def with_port(name: str, **port: Any) -> Any:
        return {"containers": [container(HOSTNAME, name, ports=[{"containerPort": 8080, "hostPort": 54323, **port}])]}

    host = pods.running("client")["hostIP"]
    made = {
        "port1": with_port("port1", hostIP="127.0.0.1"),
        "port2": with_port("port2", hostIP=host),
        "port3": with_port("port3", hostIP=host, protocol="UDP"),
    }
    pods.create(made)
    for name in made:
        pods.running(name)
    eventually(lambda: fetched(pods, host, 54323) == "port2", "the pod of that address")
    pods.create({"port4": with_port("port4", hostIP="0.0.0.0")})
    eventually(lambda: pods.condition("port4", "PodScheduled")["reason"] == "Unschedulable", "the conflict")
