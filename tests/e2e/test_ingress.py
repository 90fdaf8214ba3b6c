"""Ingress as users meet it: the manifests of the talks, unchanged, with real containers, by kubectl and HTTP."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator

import pytest

from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

_APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: {image}
        command:
        - sh
        - -c
        - mkdir -p /www/v2; for at in /www /www/v2; do echo {name} > $at/index.html; done; exec httpd -f -p 8080 -h /www
        readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: {port}, targetPort: 8080}}]
"""
# As the slides have it: LifeWatch ERIC's virtual labs
_LIFEWATCH = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: minimal-ingress
spec:
  ingressClassName: nginx
  rules:
  - host: api.example.com
    http:
      paths:
      - path: /v2/
        pathType: Prefix
        backend:
          service:
            name: my-service
            port:
              number: 80
"""
# EGI's container platform, both
_EGI = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: my-ingress
spec:
  rules:
  - host: example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: my-service
            port:
              number: 80
"""
_EGI_HOST = "egi-webinar.xrosinec.dyn.cloud.e-infra.cz"
_EGI_TLS = f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: egi-webinar-application-ingress
  annotations:
    kubernetes.io/ingress.class: "nginx"
    kubernetes.io/tls-acme: "true"
    cert-manager.io/cluster-issuer: "letsencrypt-prod"
spec:
  tls:
  - hosts:
    - "{_EGI_HOST}"
    secretName: egi-webinar-xrosinec-dyn-clout-e-infra-cz-tls
  rules:
  - host: "{_EGI_HOST}"
    http:
      paths:
      - backend:
          service:
            name: egi-webinar-application-service
            port:
              number: 8080
        pathType: ImplementationSpecific
"""


@pytest.fixture(scope="module")
def apps(program: Program) -> Iterator[str]:
    """A namespace with the two Services that the manifests name."""
    program.kubectl("create", "namespace", "talks")
    for name, port in (("my-service", 80), ("egi-webinar-application-service", 8080)):
        manifest = _APP.format(name=name, port=port, image=BUSYBOX)
        program.kubectl("-n", "talks", "apply", "-f", "-", stdin=manifest)
    for name in ("my-service", "egi-webinar-application-service"):
        program.kubectl("-n", "talks", "rollout", "status", f"deployment/{name}", WITHIN)
    yield "talks"
    program.kubectl("delete", "namespace", "talks", "--wait=false")


class Door:
    """Where requests come in: the instance's loopback address, at 80 and 443 or, where these are taken, node ports."""

    def __init__(self, program: Program) -> None:
        status = json.loads((program.data_dir / "status.json").read_text())
        self._address = status["nodePorts"].partition(":")[0]
        self._program = program

    def port(self, name: str) -> int:
        service = self._program.get("-n", "kube-system", "service/ingress")
        port = next(one for one in service["spec"]["ports"] if one["name"] == name)
        given = (service.get("status", {}).get("loadBalancer") or {}).get("ingress")
        return int(port["port"] if given else port["nodePort"])

    def ask(self, host: str, target: str = "/", *, tls: bool = False) -> tuple[int, str, str]:
        """Status, Location and body."""
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._address, self.port("https"), context=context, timeout=30
            )
        else:
            connection = http.client.HTTPConnection(self._address, self.port("http"), timeout=30)
        try:
            connection.request("GET", target, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location", ""), answer.read().decode()
        finally:
            connection.close()


def test_the_manifests_of_the_talks_run_unchanged(program: Program, apps: str) -> None:
    program.kubectl("-n", apps, "apply", "-f", "-", stdin="---".join((_LIFEWATCH, _EGI, _EGI_TLS)))
    door = Door(program)
    eventually(lambda: door.ask("example.com") == (200, "", "my-service\n"), "EGI's host")
    eventually(lambda: door.ask("api.example.com", "/v2/") == (200, "", "my-service\n"), "LifeWatch's path")
    assert door.ask("api.example.com", "/")[0] == 404
    redirected = (308, f"https://{_EGI_HOST}/x", "")
    eventually(lambda: door.ask(_EGI_HOST, "/x") == redirected, "https only")
    answer = (200, "", "egi-webinar-application-service\n")
    eventually(lambda: door.ask(_EGI_HOST, tls=True) == answer, "EGI's host with TLS")
    describe = ("-n", apps, "describe", "ingress", "my-ingress")
    eventually(lambda: "Sync" in program.kubectl(*describe).stdout, "the event")
    assert "example.com" in program.kubectl(*describe).stdout


def test_caddy_outlives_the_engine_and_is_shown(program: Program, apps: str) -> None:
    program.kubectl("-n", apps, "apply", "-f", "-", stdin=_EGI)
    door = Door(program)
    eventually(lambda: door.ask("example.com")[0] == 200, "the host")
    port = door.port("http")
    eventually(lambda: "caddy " in program.skerry("status").stdout, "Caddy's version")
    program.kill_engine()
    connection = http.client.HTTPConnection(door._address, port, timeout=30)
    connection.request("GET", "/", headers={"Host": "example.com"})
    assert connection.getresponse().status == 200
    connection.close()
    program.up()
    eventually(lambda: door.ask("example.com")[0] == 200, "the host, with the next engine")
