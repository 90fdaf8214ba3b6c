"""The services of the shipped catalogue, installed by the real Helm where Pod Security is at its strictest."""

from __future__ import annotations

import json
import socket
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest

from tests.support.charts import build_images
from tests.support.helm import Helm
from tests.support.program import Program
from tests.support.waiting import WITH_IMAGES, WITHIN, eventually

pytestmark = pytest.mark.timeout(WITH_IMAGES)
_ROOT = Path(__file__).parents[2]
_RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@pytest.fixture
def helm(program: Program, namespace: str, tmp_path: Path) -> Helm:
    program.kubectl("label", "namespace", namespace, _RESTRICTED)
    return Helm(program.kubeconfig, tmp_path, namespace)


class Database:
    """A release `db` of the chart postgresql."""

    def __init__(self, program: Program, helm: Helm) -> None:
        self.program, self.helm, self.namespace = program, helm, helm.namespace

    def is_as(self, *values: str) -> None:
        """Install or upgrade it with these values, and wait until it is ready."""
        words = [word for value in values for word in ("--set", value)]
        chart = str(_ROOT / "charts" / "postgresql")
        self.helm("upgrade", "--install", "db", chart, *words, "--wait", "--timeout=180s")

    def kubectl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.program.kubectl("-n", self.namespace, *words, check=check)

    def ask(self, query: str, pod: str = "db-0") -> str:
        """What psql answers as the superuser inside of a pod."""
        words = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-qAt", "-c", query, "app"]
        return self.kubectl("exec", pod, "--", *words).stdout.strip()

    def follows(self, query: str, answer: str) -> None:
        """Wait until the replica gives this answer."""
        eventually(lambda: self.ask(query, "db-replica-0-0") == answer, f"the replica: {query}")

    def backup(self, name: str) -> list[str]:
        """Make one at once; the names of those there are."""
        self.kubectl("create", "job", "--from=cronjob/db-backup", name)
        self.kubectl("wait", f"job/{name}", "--for=condition=Complete", WITHIN)
        listed = self.kubectl("exec", "db-0", "--", "find", "/backups", "-name", "*.dump", "-printf", r"%f\n").stdout
        return sorted(listed.split())

    def secret(self) -> str:
        return json.dumps(self.program.get("-n", self.namespace, "secret", "db")["data"])


def test_a_database_is_followed_backed_up_and_restored(program: Program, helm: Helm) -> None:
    build_images(program, "postgresql")
    database = Database(program, helm)
    database.is_as("storage.size=256Mi", "backups.size=128Mi", "backups.keep=2")
    database.helm("test", "db")
    database.ask("create table numbers (n int); insert into numbers select generate_series(1, 1000)")
    sums = "select count(*), sum(n) from numbers"
    database.follows(sums, "1000|500500")
    secret = database.secret()

    database.kubectl("delete", "pod", "db-0", "--wait")
    for state in ("create", "condition=Ready"):
        database.kubectl("wait", "pod/db-0", f"--for={state}", WITHIN)
    assert database.ask(sums) == "1000|500500", "its data outlives the pod"

    first = database.backup("first")
    database.ask("drop table numbers; create table others (n int)")
    database.is_as("storage.size=256Mi", "backups.size=128Mi", "backups.keep=2", "restore=latest")
    assert database.ask(sums) == "1000|500500", "what was dropped is back"
    assert database.ask("select to_regclass('others')") == "", "and what came later is gone"
    database.ask("insert into numbers values (0)")
    database.follows(sums, "1001|500500")

    more = ("storage.size=256Mi", "backups.size=128Mi", "backups.keep=1", "restore=latest", "settings.work_mem=5MB")
    database.is_as(*more)
    assert database.ask("show work_mem") == "5MB"
    assert database.ask(sums) == "1001|500500", "a backup is restored once"
    (kept,) = database.backup("second")
    assert kept not in first, "older ones go"
    assert database.secret() == secret, "its passwords stay"

    chart = str(_ROOT / "charts" / "postgresql")
    wrong = ("upgrade", "db", chart, "--reuse-values", "--set", "restore=gone.dump", "--wait", "--timeout=10s")
    assert "not ready" in helm.fails(*wrong)
    eventually(lambda: "there is no backup gone.dump" in database.kubectl("logs", "db-0").stdout, "what it says")
    database.is_as(*more)
    assert database.ask(sums) == "1001|500500", "nothing is lost, and nobody has to help"


class Store:
    """S3 of a release `s3` at its address, by curl, which signs."""

    def __init__(self, program: Program, namespace: str) -> None:
        keys = program.get("-n", namespace, "secret", "s3")["data"]
        self._key = ":".join(b64decode(keys[f"AWS_{one}"]).decode() for one in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        service = program.get("service", "ingress", "-n", "kube-system")
        self._to = f"::{service['status']['loadBalancer']['ingress'][0]['ip']}:80"
        self._url = f"http://s3.{namespace}.localhost"

    def ask(self, method: str, path: str, body: str = "", *, signed: bool = True) -> tuple[int, str]:
        """(code, answer)."""
        words = ["-s", "--connect-to", self._to, "-X", method, "-w", "\n%{http_code}", self._url + path]
        words += ["--upload-file", "-"] if body else []
        words += ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", self._key] if signed else []
        done = subprocess.run(["curl", *words], input=body, capture_output=True, text=True, timeout=60, check=False)
        answer, _, code = done.stdout.rpartition("\n")
        return int(code), answer


def test_objects_outlive_the_pod(program: Program, helm: Helm) -> None:
    build_images(program, "object-storage")
    chart = str(_ROOT / "charts" / "object-storage")
    helm("install", "s3", chart, "--set", "storage.size=1Gi", "--set", "access=everyone", "--wait", "--timeout=180s")
    helm("test", "s3")
    store = eventually(lambda: Store(program, helm.namespace), "the Ingress' address")
    eventually(lambda: store.ask("PUT", "/bucket-0")[0] == 200, "the Ingress")
    for number in range(1, 12):
        assert store.ask("PUT", f"/bucket-{number}")[0] == 200
    for number in range(12):
        assert store.ask("PUT", f"/bucket-{number}/some/object", f"of {number}")[0] == 200

    program.kubectl("-n", helm.namespace, "delete", "pod", "s3-0", "--wait", "--grace-period=1")
    program.kubectl("-n", helm.namespace, "rollout", "status", "statefulset/s3", WITHIN)
    eventually(lambda: store.ask("GET", "/bucket-0/some/object") == (200, "of 0"), "the store again")
    for number in range(12):
        assert store.ask("GET", f"/bucket-{number}/some/object") == (200, f"of {number}")
    assert store.ask("GET", "/bucket-1/some/object", signed=False)[0] == 403

    address = program.get("-n", helm.namespace, "pod", "s3-0")["status"]["podIP"]
    for port in (8080, 8334, 8888, 9333, 18080, 18334, 18888, 19333):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=10)


def test_workers_compute_and_are_replaced(program: Program, helm: Helm) -> None:
    build_images(program, "dask")
    chart = str(_ROOT / "charts" / "dask")
    helm("install", "dask", chart, "--set", "resources.cpu=250m", "--wait", "--timeout=180s")
    helm("test", "dask")
    workers = "app.kubernetes.io/component=worker"
    program.kubectl("-n", helm.namespace, "delete", "pod", "-l", workers, "--wait", "--grace-period=1")
    program.kubectl("-n", helm.namespace, "rollout", "status", "deployment/dask-worker", WITHIN)
    helm("test", "dask")
    page = f"/api/v1/namespaces/{helm.namespace}/services/dask:http/proxy/status"
    assert "Dask" in program.kubectl("get", "--raw", page).stdout
