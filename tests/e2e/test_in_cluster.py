"""A program in a pod calls the API as its service account: address, authority and token are all it finds there."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

import jwt
import yaml

from tests.support.program import Program, eventually, program_path
from tests.support.waiting import WITHIN

MANIFEST = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: app}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: app}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: app, namespace: NAMESPACE}]
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  serviceAccountName: app
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, fsGroup: 2000}
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    volumeMounts: [{name: kubectl, mountPath: /bin/kubectl}]
  volumes:
  - name: kubectl
    hostPath: {path: KUBECTL, type: File}
"""
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def test_kubectl_in_a_pod_finds_the_api_and_is_its_service_account(program: Program, namespace: str) -> None:
    manifest = MANIFEST.replace("KUBECTL", program_path("kubectl")).replace("NAMESPACE", namespace)
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)
    program.kubectl("wait", "-n", namespace, "pod/caller", "--for=condition=Ready", WITHIN)
    inside = ("exec", "-n", namespace, "caller", "--")
    cache = "--cache-dir=/tmp/kube"
    assert program.kubectl(*inside, "kubectl", cache, "get", "pods", "-o", "name").stdout == "pod/caller\n"
    refused = program.kubectl(*inside, "kubectl", cache, "delete", "pod", "caller", check=False)
    assert f'User "system:serviceaccount:{namespace}:app" cannot delete resource "pods"' in refused.stderr
    assert program.kubectl(*inside, "ls", "-lnL", TOKEN).stdout.split()[:4] == ["-rw-r-----", "1", "1000", "2000"]
    token = program.kubectl(*inside, "cat", TOKEN).stdout
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["kubernetes.io"]["pod"]["name"] == "caller"
    assert answer(program, token) == 200
    program.kubectl("delete", "-n", namespace, "pod", "caller")
    eventually(lambda: answer(program, token) == 401, "the end of the token")


def answer(program: Program, token: str) -> int:
    """What the API says to a holder of this token who has no certificate."""
    server = yaml.safe_load(program.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    context = ssl.create_default_context(cafile=str(program.data_dir / "pki" / "ca.crt"))
    request = urllib.request.Request(f"{server}/api", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=context) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
