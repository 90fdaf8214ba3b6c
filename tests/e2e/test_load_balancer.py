"""Services of type LoadBalancer with real containers: the talk's manifest at the node's own address, and pools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.component.network.lan import Lan
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.program import Program
from tests.support.waiting import eventually

APP = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: my-app}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: my-app}}}}
  template:
    metadata: {{labels: {{app: my-app}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: {BUSYBOX}
        command: [sh, -c, "mkdir /tmp/www; echo hello > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: my-loadbalancer-service
spec:
  selector:
    app: my-app
  ports:
  - protocol: TCP
    port: 80
    targetPort: 8080
  type: LoadBalancer
"""
POOLS = """
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: public, namespace: metallb-system}
spec: {addresses: [198.51.100.50-198.51.100.51]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: public, namespace: metallb-system}
spec: {interfaces: [sklan0]}
"""


@pytest.fixture
def app(fresh_program: Program, tmp_path: Path) -> Program:
    fresh_program.up()
    fresh_program.skerry("image", "load", str(busybox_archive(tmp_path)))
    fresh_program.apply(APP)
    return fresh_program


@pytest.fixture
def lan() -> Iterator[Lan]:
    made = Lan("sklan0")
    yield made
    made.close()


def address(program: Program, name: str = "my-loadbalancer-service") -> str:
    return str(program.get("service", name)["status"]["loadBalancer"]["ingress"][0]["ip"])


def page(url: str, *prefix: str) -> str:
    script = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=30).read().decode(), end='')"
    command = [*prefix, sys.executable, "-c", script, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_talks_manifest_gets_the_nodes_address(app: Program) -> None:
    app.apply(SERVICE)
    where = eventually(lambda: address(app), "an address")
    eventually(lambda: page(f"http://{where}/") == "hello\n", "the app's page")
    app.apply(SERVICE.replace("my-loadbalancer-service", "late"))
    events = "get", "events", "--field-selector", "reason=AllocationFailed"
    eventually(lambda: "taken by Service default/my-loadbalancer-service" in app.kubectl(*events).stdout, "an event")
    app.kubectl("delete", "service", "my-loadbalancer-service")
    assert eventually(lambda: address(app, "late"), "the next one's turn") == where


def test_an_address_of_a_pool_is_announced_until_the_machine_is_down(app: Program, lan: Lan) -> None:
    app.apply(POOLS)
    app.apply(SERVICE)
    assert eventually(lambda: address(app), "an address") == "198.51.100.50"
    eventually(lambda: page("http://198.51.100.50/", *lan.inside) == "hello\n", "the app's page on the network")
    app.kill_engine()
    lan.run("ip", "neighbour", "flush", "all")
    assert page("http://198.51.100.50/", *lan.inside) == "hello\n", "without the engine"
    app.up()
    assert address(app) == "198.51.100.50"
    app.kill_engine()
    app.down()
    for words in (["neighbour", "show", "proxy"], ["route", "show"]):
        shown = subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
        assert "198.51.100.5" not in shown.replace("198.51.100.0/24", "")
