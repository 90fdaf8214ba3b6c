"""Dynamic DNS in a whole engine: an Ingress and a Service get records at a real BIND, which lead to where they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dns_servers import KEY, ZONE, Bind, DnsServerProcess, running
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

NAMESPACE = "named"
DOMAIN = """
apiVersion: v1
kind: Secret
metadata: {{name: dns-key, namespace: kube-system}}
stringData: {{secret: {key.secret}}}
---
apiVersion: skerry.dev/v1alpha1
kind: Domain
metadata: {{name: named}}
spec:
  domain: {zone}
  server: {server}
  tsig: {{keyName: {key.name}, secretRef: {{namespace: kube-system, name: dns-key}}}}
"""
HOSTS = f"""
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {{external-dns.alpha.kubernetes.io/hostname: direct.{ZONE}}}
spec:
  type: LoadBalancer
  selector: {{app: web}}
  ports: [{{port: 8391}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  rules:
  - host: web.{ZONE}
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 8391}}}}}}}}
  - host: web.elsewhere.net
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 8391}}}}}}}}
"""
ADDRESS = "jsonpath={.status.loadBalancer.ingress[0].ip}"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServerProcess]:
    with running(Bind(tmp_path_factory.mktemp("bind"))) as started:
        yield started


@pytest.fixture
def domain(program: Program, server: DnsServerProcess) -> Iterator[None]:
    manifest = DOMAIN.format(key=KEY, zone=ZONE, server=server.target)
    program.kubectl("create", "namespace", NAMESPACE)
    program.kubectl("apply", "-f", "-", stdin=manifest)
    program.kubectl("wait", "--for=condition=Ready", "domain/named", WITHIN)
    yield
    program.kubectl("delete", "-f", "-", stdin=manifest)  # the key goes at the same time
    program.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_hosts_lead_to_where_things_are(program: Program, server: DnsServerProcess, domain: None) -> None:
    kubectl = ("-n", NAMESPACE)
    program.kubectl(*kubectl, "apply", "-f", "-", stdin=HOSTS)
    for kind, host in (("service", f"direct.{ZONE}"), ("ingress", f"web.{ZONE}")):
        values = eventually(lambda host=host: server.values(host), host)  # type: ignore[misc]
        assert values == [program.kubectl(*kubectl, "get", kind, "web", "-o", ADDRESS).stdout]
    told = ("get", "events", "--field-selector=reason=OutOfDomain", "-o", "jsonpath={.items[*].message}")
    eventually(lambda: "web.elsewhere.net" in program.kubectl(*kubectl, *told).stdout, "the event")
    eventually(lambda: "2 published" in program.kubectl("describe", "domain", "named").stdout, "the Domain's own word")
    program.kubectl(*kubectl, "delete", "service/web", "ingress/web")
    eventually(lambda: not server.values(f"web.{ZONE}") and not server.values(f"direct.{ZONE}"), "no records")
