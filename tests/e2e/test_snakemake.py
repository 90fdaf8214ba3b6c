"""Snakemake with its Kubernetes executor: a workflow's rules run as Jobs and hand their files on through S3.

Snakemake itself runs in a pod under a service account, its jobs in pods of the same image. No file system is shared:
the sources of the workflow and all files go through an S3 server (JuiceFS' gateway) behind a Service. Before each job
Snakemake installs its storage plug-in with pip, here from a wheel in the image.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.debian import Contents, build_python_image
from tests.support.program import Program, eventually
from tests.support.waiting import WITH_IMAGES, WITHIN

pytestmark = pytest.mark.timeout(WITH_IMAGES)
LOCK = Path(__file__).with_name("requirements-snakemake.lock")
IMAGE = "snakemake:test"
NAMESPACE = "workflows"
SNAKEFILE = """
rule birds:
    output: "birds/{island}.txt"
    shell: "for bird in tern gull puffin; do echo {wildcards.island} $bird; done > {output}"

rule count:
    input: "birds/hulda.txt", "birds/ragna.txt"
    output: "count.txt"
    shell: "cat {input} | wc -l > {output}"

rule report:
    input: "count.txt"
    output: "report.txt"
    run:
        with open(input[0]) as count, open(output[0], "w") as report:
            print(int(count.read()), "birds", file=report)

rule wreck:
    output: "wreck.txt"
    shell: "echo the ship is aground; exit 3"

rule salvage:
    input: "wreck.txt"
    output: "salvage.txt"
    shell: "cp {input} {output}"
"""
MANIFEST = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: snakemake}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: snakemake}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [create, delete]}
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, delete]}
- {apiGroups: [batch], resources: [jobs, jobs/status], verbs: [get, create, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: snakemake}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: snakemake}
subjects: [{kind: ServiceAccount, name: snakemake, namespace: workflows}]
---
apiVersion: v1
kind: Service
metadata: {name: s3}
spec:
  selector: {app: s3}
  ports: [{port: 80, targetPort: 9000}]
---
apiVersion: v1
kind: Pod
metadata: {name: s3, labels: {app: s3}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: gateway
    image: snakemake:test
    command: [sh, -c]
    args:
    - juicefs format --storage file --bucket /data/blocks sqlite3:///data/meta.db lake &&
      exec juicefs gateway --no-usage-report --no-banner --cache-dir /data/cache sqlite3:///data/meta.db 0.0.0.0:9000
    env:
    - {name: MINIO_ROOT_USER, valueFrom: {secretKeyRef: {name: s3, key: SNAKEMAKE_STORAGE_S3_ACCESS_KEY}}}
    - {name: MINIO_ROOT_PASSWORD, valueFrom: {secretKeyRef: {name: s3, key: SNAKEMAKE_STORAGE_S3_SECRET_KEY}}}
    readinessProbe: {httpGet: {path: /minio/health/ready, port: 9000}, periodSeconds: 1, failureThreshold: 1}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
"""
COMMAND = """
cp /etc/workflow/Snakefile . && SNAKEMAKE_STORAGE_S3_ENDPOINT_URL=http://$S3_SERVICE_HOST exec snakemake
--executor kubernetes --kubernetes-namespace workflows --container-image snakemake:test --jobs 2
--seconds-between-status-checks 1 --default-resources mem_mb=64 disk_mb=16
--default-storage-provider s3 --default-storage-prefix s3://lake
"""
READ = """
import boto3, os, sys
key, secret = os.environ["MINIO_ROOT_USER"], os.environ["MINIO_ROOT_PASSWORD"]
s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:9000", aws_access_key_id=key, aws_secret_access_key=secret)
print(s3.get_object(Bucket="lake", Key=sys.argv[1])["Body"].read().decode(), end="")
"""


@pytest.fixture(scope="module")
def workflows(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The namespace, the image, and a ready S3 server."""
    contents = Contents(
        LOCK,
        debian=("bash", "dash", "coreutils", "git", "python-is-python3"),
        sources=("connection-pool",),
        wheels=("snakemake-storage-plugin-s3",),
        byte_code=True,
    )
    build_python_image(program, tmp_path_factory.mktemp("snakemake"), contents, IMAGE)
    program.kubectl("create", "namespace", NAMESPACE)
    _in_namespace(program, "create", "configmap", "workflow", f"--from-literal=Snakefile={SNAKEFILE}")
    keys = (f"--from-literal=SNAKEMAKE_STORAGE_S3_{name}_KEY={secrets.token_hex()}" for name in ("ACCESS", "SECRET"))
    _in_namespace(program, "create", "secret", "generic", "s3", *keys)
    program.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=MANIFEST)
    _in_namespace(program, "wait", "pod/s3", "--for=condition=Ready", WITHIN)
    yield
    program.kubectl("delete", "namespace", NAMESPACE)


def _in_namespace(program: Program, *words: str) -> str:
    return program.kubectl("-n", NAMESPACE, *words).stdout


def _run(program: Program, target: str) -> tuple[str, str]:
    """(phase, log) of the pod in which Snakemake makes `target`, when it is over."""
    container = {
        "name": "snakemake",
        "image": IMAGE,
        "command": ["sh", "-c", COMMAND.replace("\n", " ") + target],
        "workingDir": "/work",
        "envFrom": [{"secretRef": {"name": "s3"}}],
        "volumeMounts": [{"name": "workflow", "mountPath": "/etc/workflow"}, {"name": "work", "mountPath": "/work"}],
    }
    volumes = [{"name": "workflow", "configMap": {"name": "workflow"}}, {"name": "work", "emptyDir": {}}]
    spec = {"serviceAccountName": "snakemake", "restartPolicy": "Never", "containers": [container], "volumes": volumes}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": target, "namespace": NAMESPACE}, "spec": spec}
    program.apply(json.dumps(pod))
    phase = eventually(lambda: _ended(program, target), "the workflow's end", 400)
    return phase, _in_namespace(program, "logs", target)


def _ended(program: Program, pod: str) -> str:
    phase = program.get("-n", NAMESPACE, "pod", pod)["status"]["phase"]
    return phase if phase in ("Succeeded", "Failed") else ""


def _jobs(program: Program) -> list[Any]:
    jobs: list[Any] = program.get("-n", NAMESPACE, "jobs", "-l", "app=snakemake")["items"]
    return jobs


def _logs_of_jobs(program: Program) -> str:
    return _in_namespace(program, "logs", "--selector=batch.kubernetes.io/job-name", "--prefix", "--tail=80")


def _told(program: Program, kind: str, reason: str) -> set[str]:
    """Names of what events of that reason are about."""
    events = program.get("-n", NAMESPACE, "events", f"--field-selector=involvedObject.kind={kind},reason={reason}")
    return {event["involvedObject"]["name"] for event in events["items"]}


def test_rules_run_as_jobs_and_hand_their_files_on(workflows: None, program: Program) -> None:
    phase, log = _run(program, "report.txt")
    assert phase == "Succeeded", f"{log}\n{_logs_of_jobs(program)}"
    assert "4 of 4 steps (100%) done" in log
    assert _in_namespace(program, "exec", "s3", "--", "python", "-c", READ, "report.txt") == "6 birds\n"
    eventually(lambda: len(_told(program, "Job", "SuccessfulCreate")) >= 4, "the jobs' events")
    jobs = _told(program, "Job", "SuccessfulCreate")
    assert len(jobs) == 4, jobs
    eventually(lambda: {pod.rpartition("-")[0] for pod in _told(program, "Pod", "Started")} >= jobs, "the pods' events")
    eventually(lambda: not _jobs(program), "the jobs, which Snakemake deletes, to be gone")
    assert [one["metadata"]["name"] for one in program.get("-n", NAMESPACE, "secrets")["items"]] == ["s3"]


def test_a_rule_that_fails_ends_the_workflow(workflows: None, program: Program) -> None:
    phase, log = _run(program, "salvage.txt")
    assert phase == "Failed", log
    assert "rule wreck:" in log
    assert "rule salvage:" not in log
    (wrecked,) = re.findall(r"kubectl describe job (\S+)", log)
    eventually(lambda: wrecked in _told(program, "Job", "BackoffLimitExceeded"), "the job's failure")
