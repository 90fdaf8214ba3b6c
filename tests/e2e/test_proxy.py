"""HTTP through the API server to pods and services, as `kubectl get --raw` and `kubectl proxy` users do."""

from __future__ import annotations

from tests.support.program import Program, eventually

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:test
    ports: [{containerPort: 8080}]
    command: [sh, -c, "mkdir -p /www/a; echo '<a href=\\"/b\\">page</a>' > /www/index.html; echo hello > /www/a/x.txt;
      exec httpd -f -p 8080 -h /www"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: site}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


def test_pods_and_services_through_the_api_server(program: Program, namespace: str) -> None:
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=MANIFEST)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", "--timeout=60s")
    base = f"/api/v1/namespaces/{namespace}"

    def raw(path: str, check: bool = True) -> str:
        done = program.kubectl("get", "--raw", f"{base}{path}", check=check)
        return done.stdout if done.returncode == 0 else done.stderr

    assert raw("/pods/web/proxy/a/x.txt") == "hello\n"
    assert raw("/pods/http:web:8080/proxy/") == f'<a href="{base}/pods/http:web:8080/proxy/b">page</a>\n'
    eventually(lambda: raw("/services/site:80/proxy/a/x.txt", check=False) == "hello\n", "the service's endpoints")
    assert raw("/services/site:http/proxy/a/x.txt") == "hello\n"
    node = program.kubectl("get", "nodes", "-o", "name").stdout.strip()
    asked = f"/api/v1/nodes/{node.removeprefix('node/')}:10250/proxy"
    assert program.kubectl("get", "--raw", f"{asked}/healthz").stdout == "ok"
    assert '"PodList"' in program.kubectl("get", "--raw", f"{asked}/pods").stdout
    assert "no service port 99 found" in raw("/services/site:99/proxy/", check=False)
    assert "NotFound" in raw("/pods/web/proxy/none", check=False)
