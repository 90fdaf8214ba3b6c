"""The real kubectl against the whole program with real containers: what its users do all day."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.kubectl_running import in_terminal, lines, running
from tests.support.program import Program, eventually, program_path
from tests.support.waiting import LIMIT, WITHIN

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox:test
        command: [sh, -c, "echo serving; echo from $HOSTNAME > /www/index.html; exec httpd -f -p 8080 -h /www"]
        ports: [{containerPort: 8080}]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""
SHELL = """
apiVersion: v1
kind: Pod
metadata: {name: shell, labels: {app: shell}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"]
"""


@pytest.fixture(scope="module")
def shop(program: Program) -> Iterator[str]:
    """A namespace with the Deployment and Service `web` and the pod `shell`, for tests that only look."""
    program.kubectl("create", "namespace", "shop")
    program.kubectl("apply", "-n", "shop", "-f", "-", stdin=f"{WEB}---{SHELL}")
    program.kubectl("rollout", "status", "-n", "shop", "deployment/web", WITHIN)
    program.kubectl("wait", "-n", "shop", "--for=condition=Ready", "pod/shell", WITHIN)
    yield "shop"
    program.kubectl("delete", "namespace", "shop", "--wait=false")


@pytest.fixture
def web(program: Program, namespace: str) -> str:
    """A namespace of the test's own with `web` rolled out."""
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=WEB)
    program.kubectl("rollout", "status", "-n", namespace, "deployment/web", WITHIN)
    return namespace


def out(program: Program, *words: str) -> str:
    """kubectl's standard output."""
    return program.kubectl(*words).stdout


def test_get_in_all_outputs(program: Program, shop: str) -> None:
    def get(*words: str) -> str:
        return out(program, "get", "-n", shop, *words)

    assert re.search(r"^web\s+2/2\s+2\s+2\s+\d+[sm]", get("deployments"), re.MULTILINE)
    assert re.search(r"^shell\s+1/1\s+Running\s+0\s+\w+\s+10\.\S+", get("pods", "-o", "wide"), re.MULTILINE)
    assert yaml.safe_load(get("deployment/web", "-o", "yaml"))["spec"]["replicas"] == 2
    assert json.loads(get("pods", "-l", "app=web", "-o", "json"))["kind"] == "List"
    assert get("service/web", "-o", "name") == "service/web\n"
    assert get("deploy", "web", "-o", "jsonpath={.status.readyReplicas}") == "2"
    assert get("pods", "shell", "-o", "go-template={{.metadata.name}} {{.status.phase}}") == "shell Running"
    columns = get("pods", "-o", "custom-columns=NAME:.metadata.name,NODE:.spec.nodeName", "--no-headers")
    assert len(columns.split()) == 6
    assert "app=web" in get("pods", "--show-labels")
    assert get("pods", "--sort-by=.metadata.name", "-o", "name").startswith("pod/shell\n")
    assert "shell" not in get("pods", "-l", "app in (web)")
    assert get("pods", "--field-selector", "metadata.name=shell", "-o", "name") == "pod/shell\n"
    assert "deployment.apps/web" in get("all")
    assert "shop" in out(program, "get", "pods", "-A")
    assert "not found" in program.kubectl("get", "-n", shop, "pod", "nobody", check=False).stderr


def test_watch(program: Program, namespace: str) -> None:
    with running(program, "get", "-n", namespace, "configmaps", "-w", "--output-watch-events") as watching:
        lines(watching, "kube-root-ca.crt")
        program.kubectl("create", "-n", namespace, "configmap", "seen", "--from-literal=a=1")
        assert "ADDED" in lines(watching, "seen")[-1]
        program.kubectl("delete", "-n", namespace, "configmap", "seen")
        assert "DELETED" in lines(watching, "DELETED")[-1]


def test_describe(program: Program, shop: str) -> None:
    pod = out(program, "describe", "-n", shop, "pod", "shell")
    assert re.search(r"State:\s+Running", pod)
    for kind, name, told in (
        ("pod", "shell", "Container started|Started container main"),
        ("deployment", "web", "ScalingReplicaSet"),
        ("service", "web", r"Endpoints:\s+10\.\S+:8080,10\.\S+:8080"),
    ):
        eventually(
            lambda words=(kind, name), told=told: re.search(told, out(program, "describe", "-n", shop, *words)), told
        )
    node = out(program, "describe", "nodes")
    assert "Allocated resources" in node
    assert re.search(r"Ready\s+True", node)


def test_create_and_delete(program: Program, namespace: str) -> None:
    def create(*words: str) -> str:
        return out(program, "create", "-n", namespace, *words)

    script = "trap exit TERM; sleep 1000 & wait"
    made = create("deployment", "d", "--image=busybox:test", "--", "sh", "-c", script)
    assert made == "deployment.apps/d created\n"
    assert create("configmap", "c", "--from-literal=key=value") == "configmap/c created\n"
    assert create("secret", "generic", "s", "--from-literal=password=hidden") == "secret/s created\n"
    assert create("serviceaccount", "a") == "serviceaccount/a created\n"
    refused = program.kubectl("create", "-n", namespace, "configmap", "c", check=False)
    assert 'configmaps "c" already exists' in refused.stderr
    eventually(lambda: program.get("-n", namespace, "deploy/d")["status"]["readyReplicas"] == 1, "the pod")
    program.kubectl("delete", "-n", namespace, "deployment/d", "configmap/c", "secret/s", "--now")
    eventually(lambda: not program.get("-n", namespace, "pods")["items"], "the pods' end")


def test_apply_again_changes_only_what_changed(program: Program, web: str) -> None:
    def apply(manifest: str, *words: str) -> str:
        return program.kubectl("apply", "-n", web, "-f", "-", *words, stdin=manifest).stdout

    assert apply(WEB) == "deployment.apps/web unchanged\nservice/web unchanged\n"
    assert apply(WEB.replace("replicas: 2", "replicas: 1")) == "deployment.apps/web configured\nservice/web unchanged\n"
    program.kubectl("rollout", "status", "-n", web, "deployment/web", WITHIN)
    eventually(lambda: program.get("-n", web, "deployment/web")["status"]["replicas"] == 1, "one pod less")
    wrong = WEB.replace("replicas: 2", "replicaz: 2")
    refused = program.kubectl("apply", "-n", web, "-f", "-", stdin=wrong, check=False)
    assert 'unknown field "spec.replicaz"' in refused.stderr


def test_apply_on_the_server(program: Program, namespace: str) -> None:
    command = ("apply", "-n", namespace, "--server-side", "-f", "-")
    assert "deployment.apps/web serverside-applied" in program.kubectl(*command, stdin=WEB).stdout
    other = program.kubectl(
        *command, "--field-manager=other", stdin=WEB.replace("replicas: 2", "replicas: 3"), check=False
    )
    assert 'conflict with "kubectl": .spec.replicas' in other.stderr


def test_edit(program: Program, web: str) -> None:
    command = [program_path("kubectl"), "--kubeconfig", str(program.kubeconfig), "edit", "-n", web, "deployment/web"]
    editor = {**os.environ, "KUBE_EDITOR": "sed -i s/replicas:\\ 2/replicas:\\ 1/"}
    done = subprocess.run(command, env=editor, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
    assert done.stdout == "deployment.apps/web edited\n", done.stderr
    assert program.get("-n", web, "deployment/web")["spec"]["replicas"] == 1


def test_diff(program: Program, web: str) -> None:
    same = program.kubectl("diff", "-n", web, "-f", "-", stdin=WEB, check=False)
    assert (same.returncode, same.stdout) == (0, "")
    changed = program.kubectl("diff", "-n", web, "-f", "-", stdin=WEB.replace("port: 80,", "port: 81,"), check=False)
    assert changed.returncode == 1
    assert "+  - port: 81" in changed.stdout


def test_kustomize(program: Program, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: base}, data: {a: '1'}}")
    (tmp_path / "kustomization.yaml").write_text(
        f"namespace: {namespace}\nnamePrefix: my-\nresources: [base.yaml]\n"
        "configMapGenerator: [{name: made, literals: [b=2]}]\n"
    )
    assert "configmap/my-base created" in out(program, "apply", "-k", str(tmp_path))
    assert program.get("-n", namespace, "configmap/my-base")["data"] == {"a": "1"}


def test_logs(program: Program, shop: str) -> None:
    eventually(lambda: out(program, "logs", "-n", shop, "shell").startswith("line 1\nline 2\n"), "two lines")
    assert len(out(program, "logs", "-n", shop, "shell", "--tail=2").splitlines()) == 2
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z line 1\n", out(program, "logs", "-n", shop, "shell", "--timestamps"))
    assert out(program, "logs", "-n", shop, "-l", "app=web") == "serving\nserving\n"
    assert "[pod/web-" in out(program, "logs", "-n", shop, "deployment/web", "--all-pods", "--prefix")
    with running(program, "logs", "-n", shop, "-f", "shell", "--tail=1") as following:
        first = int(lines(following, "line")[0].split()[1])
        lines(following, f"line {first + 5}")


def test_exec(program: Program, shop: str) -> None:
    def run(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return program.kubectl("exec", "-n", shop, *words, stdin=stdin, check=False)

    assert run("shell", "--", "echo", "hello  there").stdout == "hello  there\n"
    assert run("-i", "shell", "--", "cat", stdin="fed\n").stdout == "fed\n"
    assert "serving" not in run("deployment/web", "--", "cat", "/www/index.html").stdout
    failed = run("shell", "--", "sh", "-c", "echo why >&2; exit 7")
    assert (failed.returncode, failed.stderr) == (7, "why\ncommand terminated with exit code 7\n")
    missing = run("shell", "--", "no-such-program")
    assert missing.returncode != 0
    assert "no-such-program" in missing.stderr


def test_exec_in_a_terminal(program: Program, shop: str) -> None:
    with in_terminal(program, "exec", "-n", shop, "-it", "shell", "--", "sh") as terminal:
        terminal.shows("# ")
        terminal.type("while ! stty size | grep '33 101'; do sleep 0.1; done; tty\r")
        terminal.shows("\n33 101")
        terminal.shows("/dev/pts/")
        terminal.resize(40, 120)
        terminal.type("while ! stty size | grep '40 120'; do sleep 0.1; done\r")
        terminal.shows("\n40 120")
        terminal.type("exit 3\r")
        assert terminal.process.wait(120) == 3


def test_attach_and_run(program: Program, namespace: str) -> None:
    words = ("run", "-n", namespace, "once", "-i", "--rm", "--restart=Never", "--image=busybox:test", "--quiet")
    done = program.kubectl(*words, "--", "sh", "-c", "read x; echo got $x", stdin="words\n")
    assert "got words" in done.stdout
    eventually(lambda: program.kubectl("get", "-n", namespace, "pod/once", check=False).returncode, "its end")


def test_cp(program: Program, shop: str, tmp_path: Path) -> None:
    data = os.urandom(2 << 20)
    (tmp_path / "there").write_bytes(data)
    program.kubectl("cp", "-n", shop, str(tmp_path / "there"), "shell:/tmp/copied")
    program.kubectl("cp", "-n", shop, "shell:/tmp/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


@pytest.mark.parametrize("target", ["deployment/web", "service/web"])
def test_port_forward(program: Program, shop: str, target: str) -> None:
    remote = "80" if target.startswith("service") else "8080"
    with running(program, "port-forward", "-n", shop, target, f":{remote}") as forwarding:
        found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", lines(forwarding, "127.0.0.1")[-1])
        assert found
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/index.html", timeout=60) as answer:
                assert answer.read().startswith(b"from web-")


def test_scale(program: Program, web: str) -> None:
    assert out(program, "scale", "-n", web, "deployment/web", "--replicas=3") == "deployment.apps/web scaled\n"
    eventually(lambda: program.get("-n", web, "deploy/web")["status"]["readyReplicas"] == 3, "three pods")
    refused = program.kubectl("scale", "-n", web, "deploy/web", "--current-replicas=9", "--replicas=1", check=False)
    assert "Expected replicas to be 9, was 3" in refused.stderr


def test_rollout(program: Program, web: str) -> None:
    def rollout(*words: str) -> str:
        return out(program, "rollout", words[0], "-n", web, "deployment/web", *words[1:])

    def command_of(key: str = "command") -> list[str]:
        spec = program.get("-n", web, "deployment/web")["spec"]["template"]["spec"]
        return list(spec["containers"][0].get(key) or [])

    before = command_of()
    program.kubectl("set", "env", "-n", web, "deployment/web", "COLOR=blue")
    program.kubectl("annotate", "-n", web, "deployment/web", "kubernetes.io/change-cause=blue it is")
    assert 'deployment "web" successfully rolled out' in rollout("status", WITHIN)
    eventually(lambda: re.search(r"^1\s.*^2\s+blue it is", rollout("history"), re.M | re.S), "both revisions")
    assert "COLOR" in rollout("history", "--revision=2")
    assert rollout("undo") == "deployment.apps/web rolled back\n"
    rollout("status", WITHIN)
    assert command_of("env") == []
    assert command_of() == before
    pods = {pod["metadata"]["uid"] for pod in program.get("-n", web, "pods", "-l", "app=web")["items"]}
    assert rollout("restart") == "deployment.apps/web restarted\n"
    rollout("status", WITHIN)
    running_now = program.get("-n", web, "pods", "--field-selector=status.phase=Running")["items"]
    fresh = [pod for pod in running_now if "deletionTimestamp" not in pod["metadata"]]
    assert len(fresh) == 2
    assert not pods & {pod["metadata"]["uid"] for pod in fresh}
    assert rollout("pause") == "deployment.apps/web paused\n"
    assert rollout("resume") == "deployment.apps/web resumed\n"


def test_top(program: Program, shop: str) -> None:
    def measured() -> bool:
        return "shell" in program.kubectl("top", "pod", "-n", shop, check=False).stdout

    eventually(measured, "the first measurement")
    assert re.search(r"^shell\s+\d+m\s+\d+Mi", out(program, "top", "pod", "-n", shop), re.MULTILINE)
    assert re.search(r"^shell\s+main\s+\d+m\s+\d+Mi", out(program, "top", "pod", "-n", shop, "--containers"), re.M)
    eventually(lambda: "web-" in out(program, "top", "pod", "-n", shop, "-l", "app=web"), "the others' measurement")
    assert "shell" not in out(program, "top", "pod", "-n", shop, "-l", "app=web")
    assert re.search(r"\d+m\s+\d+%\s+\d+Mi\s+\d+%", out(program, "top", "node"))


def test_wait(program: Program, web: str) -> None:
    assert "condition met" in out(program, "wait", "-n", web, "--for=condition=Available", "deployment/web")
    assert "condition met" in out(program, "wait", "-n", web, "--for=jsonpath={.status.phase}=Running", "pod", "--all")
    with running(program, "wait", "-n", web, "--for=delete", "deployment/web", WITHIN) as waiting:
        program.kubectl("delete", "-n", web, "deployment/web")
        assert waiting.wait(120) == 0
    late = program.kubectl("wait", "-n", web, "--for=condition=Nonsense", "svc/web", "--timeout=1s", check=False)
    assert "timed out waiting" in late.stderr


def test_label_annotate_and_patch(program: Program, web: str) -> None:
    assert out(program, "label", "-n", web, "service/web", "tier=front") == "service/web labeled\n"
    refused = program.kubectl("label", "-n", web, "service/web", "tier=back", check=False)
    assert "--overwrite is false" in refused.stderr
    assert out(program, "label", "-n", web, "svc/web", "tier=back", "--overwrite") == "service/web labeled\n"
    assert out(program, "label", "-n", web, "svc/web", "tier-") == "service/web unlabeled\n"
    assert out(program, "annotate", "-n", web, "svc/web", "note=words") == "service/web annotated\n"
    for kind, patch in (
        ("merge", '{"spec":{"replicas":1}}'),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":1}]'),
        (
            "strategic",
            '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}',
        ),
    ):
        assert "web patched" in out(program, "patch", "-n", web, "deploy/web", f"--type={kind}", "-p", patch)
    containers = program.get("-n", web, "deployment/web")["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in containers] == ["busybox:test"]


def test_what_the_api_says_about_itself(program: Program) -> None:
    explained = out(program, "explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "IntOrString" in explained
    assert "maximum number of pods" in explained
    assert "readinessProbe" in out(program, "explain", "pod.spec.containers", "--recursive")
    resources = out(program, "api-resources")
    assert re.search(r"^deployments\s+deploy\s+apps/v1\s+true\s+Deployment$", resources, re.MULTILINE)
    assert "pods" in out(program, "api-resources", "--namespaced=true", "-o", "name", "--verbs=list,watch").split()
    assert "apps/v1" in out(program, "api-versions").split()
    assert "v1.36" in out(program, "version")
    assert "is running at" in out(program, "cluster-info")


def test_replace_expose_and_events(program: Program, web: str) -> None:
    manifests = []

    def replaced() -> bool:
        """Unless the controller wrote a status in between."""
        manifests.append(out(program, "get", "-n", web, "deployment/web", "-o", "json"))
        changed = manifests[-1].replace('"replicas": 2', '"replicas": 1', 1)
        done = program.kubectl("replace", "-f", "-", stdin=changed, check=False)
        return done.stdout == "deployment.apps/web replaced\n"

    eventually(replaced, "the replacement")
    stale = program.kubectl("replace", "-f", "-", stdin=manifests[-1], check=False)
    assert "the object has been modified" in stale.stderr
    assert out(program, "expose", "-n", web, "deploy/web", "--name=second", "--port=81") == "service/second exposed\n"
    eventually(lambda: "Scheduled" in out(program, "events", "-n", web), "the events")


def test_dry_runs_change_nothing(program: Program, namespace: str) -> None:
    made = out(program, "create", "-n", namespace, "configmap", "c", "--dry-run=server", "-o", "yaml")
    assert yaml.safe_load(made)["metadata"]["uid"]
    assert "not found" in program.kubectl("get", "-n", namespace, "configmap/c", check=False).stderr
