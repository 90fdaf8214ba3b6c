"""The Ingress of EGI's talk, unchanged: a certificate of an ACME server, served by the Ingress, for an app in a pod."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.component.certificates.test_ingresses import EGI, EGI_HOST, EGI_SECRET
from tests.support.images import BUSYBOX
from tests.support.pebble import Pebble, pebble
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

APP = f"""
apiVersion: v1
kind: Pod
metadata: {{name: app, labels: {{app: webinar}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {BUSYBOX}
    command: [sh, -c, "mkdir -p /www && echo the app of the webinar >/www/index.html && exec httpd -f -p 8080 -h /www"]
---
apiVersion: v1
kind: Service
metadata: {{name: egi-webinar-application-service}}
spec:
  selector: {{app: webinar}}
  ports: [{{port: 8080}}]
"""


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Pebble]:
    """Looks for answers where the Ingress serves."""
    with pebble(tmp_path, http_port=80) as server:
        yield server


def issuer(server: Pebble) -> str:
    acme = {
        "server": server.directory,
        "email": "ops@example.org",
        "caBundle": server.bundle,
        "privateKeySecretRef": {"name": "letsencrypt-prod"},
        "solvers": [{"http01": {"ingress": {"ingressClassName": "nginx"}}}],
    }
    noted = {"skerry.dev/nameservers": server.nameserver}
    return json.dumps(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "ClusterIssuer",
            "metadata": {"name": "letsencrypt-prod", "annotations": noted},
            "spec": {"acme": acme},
        }
    )


def get(address: str, host: str, root: str) -> str:
    """The page, over TLS that is checked."""
    context = ssl.create_default_context(cadata=root)
    with (
        socket.create_connection((address, 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        connection = http.client.HTTPConnection(host)
        connection.sock = secure
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            return answer.read().decode()


def address_of(program: Program, namespace: str) -> str:
    status = program.get("-n", namespace, "ingress/egi-webinar-application-ingress")["status"]
    return str(status["loadBalancer"]["ingress"][0]["ip"])


def test_the_ingress_of_egi_is_served_with_a_certificate_of_letsencrypt(
    program: Program, namespace: str, acme: Pebble
) -> None:
    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=APP)
    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=EGI)
    address = eventually(lambda: address_of(program, namespace), "an address")
    acme.set_dns("add-a", host=EGI_HOST, addresses=[address])
    program.apply(issuer(acme))
    try:
        program.kubectl("wait", "--for=condition=Ready", "clusterissuer/letsencrypt-prod", WITHIN)
        for state in ("create", "condition=Ready"):
            program.kubectl("-n", namespace, "wait", f"--for={state}", f"certificate/{EGI_SECRET}", WITHIN)
        program.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/app", WITHIN)

        def page() -> str:
            try:
                return get(address, EGI_HOST, acme.root())
            except (ssl.SSLError, http.client.HTTPException) as error:
                raise OSError(error) from error

        eventually(lambda: page() == "the app of the webinar\n", "the page over TLS")
        describe = ("-n", namespace, "describe", "ingress")
        told = f'Certificate "{EGI_SECRET}" is ready'
        eventually(lambda: told in program.kubectl(*describe).stdout, "the Ingress' event")
    finally:
        program.kubectl("delete", "clusterissuer", "letsencrypt-prod")
