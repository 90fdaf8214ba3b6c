"""Jobs with real containers: successes counted, an exit code that ends one early, indexes, suspension, CronJobs."""

from __future__ import annotations

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

_JOBS = """
apiVersion: batch/v1
kind: Job
metadata: {name: three}
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: "busybox:test", command: [sh, -c, "echo $JOB_COMPLETION_INDEX $(hostname)"]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: failing}
spec:
  backoffLimit: 6
  podFailurePolicy:
    rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:test", command: [sh, -c, "exit 42"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: stopped}
spec:
  podReplacementPolicy: Failed
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "busybox:test", command: [sleep, "1000"]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  timeZone: Europe/Berlin
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers: [{name: main, image: "busybox:test", command: ["true"]}]
"""


def test_jobs_of_real_containers(program: Program, namespace: str) -> None:
    def kubectl(*words: str) -> str:
        return program.kubectl("-n", namespace, *words).stdout

    def status(name: str) -> dict[str, object]:
        found: dict[str, object] = program.get("-n", namespace, "job", name)["status"]
        return found

    def pods(name: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = program.get("-n", namespace, "pods", "-l", f"job-name={name}")["items"]
        return found

    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=_JOBS)
    kubectl("wait", "--for=condition=complete", "job/three", WITHIN)
    assert (status("three")["succeeded"], status("three")["completedIndexes"]) == (3, "0-2")
    assert sorted(kubectl("logs", "-l", "job-name=three", "--tail=-1").splitlines()) == [
        "0 three-0", "1 three-1", "2 three-2",
    ]  # fmt: skip

    kubectl("wait", "--for=condition=failed", "job/failing", WITHIN)
    assert status("failing")["failed"] == 1
    told = "exit code 42 matching FailJob rule at index 0"
    eventually(lambda: told in kubectl("describe", "job", "failing"), "the event")

    kubectl("create", "job", "now", "--from=cronjob/nightly")
    kubectl("wait", "--for=condition=complete", "job/now", WITHIN)

    eventually(lambda: status("stopped").get("ready") == 1, "the long one runs")
    kubectl("delete", "pod", "-l", "job-name=stopped", "--wait=true", WITHIN)
    eventually(lambda: status("stopped").get("failed") == 1, "what was deleted counts once it has ended")
    kubectl("patch", "job", "stopped", "--type=merge", "-p", '{"spec": {"suspend": true}}')
    eventually(lambda: not pods("stopped"), "a suspended Job has no pods")
    kubectl("delete", "job", "three", "failing", "stopped", "now", WITHIN)
    eventually(lambda: not pods("three"), "its pods go with it")
