"""Sign-on in front of an app, by the real Ingress: strangers are sent to sign in, members come back and are let in."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.images import busybox_archive
from tests.support.program import Program
from tests.support.signed_in import signed_in
from tests.support.waiting import WITHIN, eventually

HOST = "web.lab.localhost"
_PEOPLE = """
apiVersion: skerry.dev/v1alpha1
kind: User
metadata: {name: anna}
spec: {username: anna}
---
apiVersion: skerry.dev/v1alpha1
kind: Project
metadata: {name: lab}
spec: {owner: anna}
"""
_APP = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: lab, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: busybox:test
    command:
    - sh
    - -c
    - |
      mkdir -p /tmp/www/cgi-bin
      printf '#!/bin/sh\\nprintf "\\\\n$HTTP_X_AUTH_REQUEST_USER reads"' > /tmp/www/cgi-bin/who
      chmod +x /tmp/www/cgi-bin/who
      exec httpd -f -p 8080 -h /tmp/www
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 100m, memory: 64Mi}}
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: lab}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: lab, annotations: {skerry.dev/access: members}}
spec:
  rules:
  - host: web.lab.localhost
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""


class Visitor:
    """A browser that finds the app's host at the Ingress and the platform where it says it is."""

    def __init__(self, program: Program) -> None:
        announced = program.get("-n", "kube-public", "configmap/skerry-platform")["data"]
        self.platform = urlsplit(announced["url"])
        self._trust = ssl.create_default_context(cadata=announced["ca.crt"] + program.skerry("ca").stdout)
        self._address = json.loads(program.skerry("status", "-o", "json").stdout)["nodePorts"].partition(":")[0]
        service = program.get("-n", "kube-system", "service", "ingress")
        (port,) = (one for one in service["spec"]["ports"] if one["name"] == "https")
        self._port = port["port"] if service["status"]["loadBalancer"].get("ingress") else port["nodePort"]
        self.cookies: dict[str, SimpleCookie] = {}

    def get(self, url: str, **headers: str) -> tuple[int, str, str]:
        """Status, where it sends us, and what it says."""
        at = urlsplit(url)
        where = (self._address, self._port) if at.hostname == HOST else (at.hostname or "", at.port or 443)
        connection = http.client.HTTPSConnection(at.hostname or "", timeout=30, context=self._trust)
        plain = socket.create_connection(where, timeout=30)
        connection.sock = self._trust.wrap_socket(plain, server_hostname=at.hostname)
        jar = self.cookies.setdefault(at.hostname or "", SimpleCookie())
        sent = "; ".join(f"{name}={one.value}" for name, one in jar.items())
        connection.request("GET", f"{at.path}?{at.query}", headers={"Host": at.netloc, "Cookie": sent, **headers})
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            jar.load(line)
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location", ""), text


def test_members_are_let_in_and_strangers_sent_to_sign_in(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.platform = True
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(_PEOPLE)
    program.kubectl("wait", "--for=condition=Ready", "project/lab", WITHIN)
    eventually(lambda: program.kubectl("apply", "-f", "-", stdin=_APP, check=False).returncode == 0, "the app")
    program.kubectl("-n", "lab", "wait", "--for=condition=Ready", "pod/web", WITHIN)
    eventually(_asks_for(program, "-n", "kube-system", "service", "ingress"), "the Ingress listens")
    visitor = Visitor(program)
    wanted = f"https://{HOST}/cgi-bin/who?a=1&b=2"
    (status, sent_to, _) = eventually(lambda: _when_it_asks(visitor, wanted), "the sign-in page")
    assert (status, urlsplit(sent_to).netloc) == (302, visitor.platform.netloc)
    assert visitor.get(sent_to)[1].startswith("/identity/sign-in?next=")
    signed_in(program, "anna", "anna's browser", name="browser")
    visitor.cookies[visitor.platform.hostname or ""].load("__Host-skerry=anna's browser")
    visitor.cookies[visitor.platform.hostname or ""]["__Host-skerry"] = "anna's browser"
    back = eventually(lambda: _when_known(visitor, sent_to), "the session is known")
    assert back.startswith(f"https://{HOST}/.skerry/signed-in?code=")
    (status, path, _) = eventually(lambda: _when_served(visitor, back), "the door")
    assert (status, path) == (303, "/cgi-bin/who?a=1&b=2")
    eventually(lambda: visitor.get(f"https://{HOST}{path}")[::2] == (200, "anna reads"), "the app behind the door")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "c2tlcnJ5IHNrZXJyeSBza2U="
    assert visitor.get(f"https://{HOST}{path}", **upgrade)[0] != 403, "WebSockets are let in as well"
    program.kubectl("delete", "session/browser")
    assert eventually(lambda: _when_it_asks(visitor, wanted), "the session's end")[0] == 302


def _asks_for(program: Program, *words: str) -> Callable[[], bool]:
    return lambda: bool(program.get(*words)["spec"])


def _when_it_asks(visitor: Visitor, url: str) -> tuple[int, str, str] | None:
    answer = visitor.get(url)
    return answer if answer[0] == 302 else None


def _when_known(visitor: Visitor, url: str) -> str:
    location = visitor.get(url)[1]
    return location if HOST in urlsplit(location).netloc else ""


def _when_served(visitor: Visitor, url: str) -> tuple[int, str, str] | None:
    answer = visitor.get(url)
    return answer if answer[0] == 303 else None
