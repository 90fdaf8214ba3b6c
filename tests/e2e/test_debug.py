"""kubectl debug against real pods: a container added, a copy made, a shell on the node."""

from __future__ import annotations

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "busybox:test", command: [sh, -c, "exec sleep 4321"]}
"""


def test_kubectl_debug(program: Program, namespace: str) -> None:
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=POD)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", WITHIN)
    debug = ("debug", "-n", namespace, "web", "--image=busybox:test", "--image-pull-policy=IfNotPresent")
    script = ("--", "sh", "-c", "read line; echo got $line; ps")
    attached = program.kubectl(*debug, "-i", "--target=main", "-c", "look", *script, stdin="typed\n")
    assert "got typed" in attached.stdout
    assert "sleep 4321" in attached.stdout
    logs = ("logs", "-n", namespace, "web", "-c", "look")
    eventually(lambda: "sleep 4321" in program.kubectl(*logs).stdout, "the log of what was attached to")
    copied = ("--copy-to=copy", "--share-processes", "--same-node", "-c", "beside", "--", "sleep", "1000")
    program.kubectl(*debug, *copied)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/copy", WITHIN)
    processes = program.kubectl("exec", "-n", namespace, "copy", "-c", "beside", "--", "ps").stdout
    assert "sleep 4321" in processes


def test_kubectl_debug_node(program: Program, namespace: str) -> None:
    node = program.kubectl("get", "nodes", "-o", "name").stdout.strip()
    look = ("--image=busybox:test", "--image-pull-policy=IfNotPresent", "--", "ls", "/host/etc/os-release")
    said = program.kubectl("debug", "-n", namespace, node, "--attach=false", *look)
    name = said.stdout.split("Creating debugging pod ")[1].split()[0]

    def logged() -> bool:
        return "os-release" in program.kubectl("logs", "-n", namespace, name).stdout

    program.kubectl("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", WITHIN)
    eventually(logged, "the log of the debugging pod")
