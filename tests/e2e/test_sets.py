"""StatefulSets and DaemonSets with real containers: names, order, a rolling update, a pod that ends, one per node."""

from __future__ import annotations

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

_SETS = """
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        env: [{name: ROUND, value: "1"}]
        command: [httpd, -f, -p, "8080"]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "busybox:test", command: [sleep, "1000"]}]
"""


def test_sets_of_real_containers(program: Program, namespace: str) -> None:
    def kubectl(*words: str) -> str:
        return program.kubectl("-n", namespace, *words).stdout

    def uids(selector: str) -> set[str]:
        return {pod["metadata"]["uid"] for pod in program.get("-n", namespace, "pods", "-l", selector)["items"]}

    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=_SETS)
    kubectl("rollout", "status", "statefulset/db", WITHIN)
    kubectl("rollout", "status", "daemonset/agent", WITHIN)
    assert kubectl("exec", "db-1", "--", "cat", "/etc/hostname").strip() == "db-1"
    (daemon,) = program.get("-n", namespace, "pods", "-l", "app=agent")["items"]
    (node,) = program.get("nodes")["items"]
    assert daemon["spec"]["nodeName"] == node["metadata"]["name"]

    before = uids("app=db")
    kubectl("set", "env", "statefulset/db", "ROUND=2")
    kubectl("rollout", "status", "statefulset/db", WITHIN)
    assert not before & uids("app=db")
    assert "ROUND=2" in kubectl("exec", "db-0", "--", "env")
    kubectl("rollout", "undo", "statefulset/db")
    kubectl("rollout", "status", "statefulset/db", WITHIN)
    assert "ROUND=1" in kubectl("exec", "db-0", "--", "env")

    first = uids("app=agent")
    kubectl("delete", "pod", daemon["metadata"]["name"])
    eventually(lambda: len(uids("app=agent") - first) == 1, "another daemon pod")
    kubectl("rollout", "status", "daemonset/agent", WITHIN)
    kubectl("delete", "statefulset/db", "daemonset/agent", "--cascade=foreground", WITHIN)
    assert not program.get("-n", namespace, "pods")["items"]
