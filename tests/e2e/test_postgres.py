"""PostgreSQL on a claim: what it acknowledged is there, whatever dies; it grows and is photographed while it writes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.debian import build_debian_image
from tests.support.program import Program, program_path
from tests.support.waiting import WITH_IMAGES, WITHIN, eventually

pytestmark = pytest.mark.timeout(WITH_IMAGES)
IMAGE = "postgres:test"
DATABASE = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 256Mi}}}}
  {source}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      securityContext: {{runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000}}
      containers:
        - name: main
          image: {image}
          command:
            - sh
            - -c
            - |
              export PATH=/usr/bin:/bin:/usr/lib/postgresql/15/bin
              test -f /data/pg/PG_VERSION || initdb -D /data/pg -U user -A trust --no-locale -E UTF8
              chmod 700 /data/pg  # fsGroup let the group in, which PostgreSQL refuses
              exec postgres -D /data/pg -k /run/pg -c listen_addresses=
          readinessProbe:
            periodSeconds: 1
            exec: {{command: [/usr/lib/postgresql/15/bin/pg_isready, -h, /run/pg]}}
          volumeMounts:
            - {{name: data, mountPath: /data}}
            - {{name: run, mountPath: /run/pg}}
      volumes:
        - {{name: data, persistentVolumeClaim: {{claimName: {name}}}}}
        - {{name: run, emptyDir: {{}}}}
"""
SNAPSHOT = """
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: running}
spec: {source: {persistentVolumeClaimName: db}}
"""
FROM_SNAPSHOT = "dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: running}"
PSQL = "/usr/lib/postgresql/15/bin/psql -h /run/pg -U user -qAt postgres"
WRITER = f'n=0; while {PSQL} -c "insert into numbers values ($n)"; do echo $n; n=$((n+1)); done'


class Database:
    """One StatefulSet with its claim, both called `name`."""

    def __init__(self, program: Program, namespace: str, name: str, source: str = "") -> None:
        self.program, self.namespace, self.name = program, namespace, name
        manifest = DATABASE.format(name=name, source=source, image=IMAGE)
        program.kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest)

    @property
    def inside(self) -> list[str]:
        """kubectl's words before a command in its pod."""
        return ["-n", self.namespace, "exec", f"{self.name}-0", "--", "sh", "-c"]

    def ask(self, query: str) -> str:
        """What the database answers, as soon as it does."""

        def answer() -> str:
            done = self.program.kubectl(*self.inside, f'{PSQL} -c "{query}"', check=False)
            return f"{done.stdout.strip()}\n" if done.returncode == 0 else ""

        return eventually(answer, query).strip()

    def rows(self) -> int:
        """How many rows there are; they are numbered without a gap."""
        count, last = self.ask("select count(*), coalesce(max(n), -1) from numbers").split("|")
        assert int(last) == int(count) - 1
        return int(count)

    def kill(self) -> None:
        """End every process of its pod at once."""
        uid = self.program.get("-n", self.namespace, "pod", f"{self.name}-0")["metadata"]["uid"]
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if uid in (entry / "cgroup").read_text():
                    os.kill(int(entry.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                continue


class Writer:
    """Inserts row after row; `acknowledged` says how many it was told are safe."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process, self._said = process, said

    @property
    def acknowledged(self) -> int:
        return self._said.read_bytes().count(b"\n")

    def goes_on(self) -> int:
        """Wait for ten more rows; how many there were before."""
        before = self.acknowledged
        eventually(lambda: self.acknowledged >= before + 10, "ten more rows")
        return before


@contextmanager
def writing(database: Database, said: Path) -> Iterator[Writer]:
    program = database.program
    command = [program_path("kubectl"), "--kubeconfig", str(program.kubeconfig), *database.inside, WRITER]
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL) as process:
        try:
            yield Writer(process, said)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def image(program: Program, tmp_path_factory: pytest.TempPathFactory) -> None:
    packages = ["postgresql-15", "dash", "coreutils", "libc-bin"]
    build_debian_image(program, tmp_path_factory.mktemp("postgres"), packages, IMAGE)


@pytest.mark.usefixtures("image")
def test_what_a_database_acknowledged_is_there(program: Program, namespace: str, tmp_path: Path) -> None:
    database = Database(program, namespace, "db")
    database.ask("create table numbers (n int primary key)")
    with writing(database, tmp_path / "said") as writer:
        writer.goes_on()
        before = writer.acknowledged
        program.kubectl("-n", namespace, "apply", "-f", "-", stdin=SNAPSHOT)
        ready = "jsonpath={.status.readyToUse}=true"
        program.kubectl("-n", namespace, "wait", "volumesnapshot/running", f"--for={ready}", WITHIN)
        program.skerry("volumes", "expand", "db", "512Mi", "-n", namespace)
        writer.goes_on()
        database.kill()
        program.kill_engine()
    after = writer.acknowledged
    program.up()
    assert database.rows() >= after > before, "none of what it said is safe is lost"

    photographed = Database(program, namespace, "copy", FROM_SNAPSHOT)
    assert before <= photographed.rows() <= after, "a snapshot is one moment"
    program.kubectl("-n", namespace, "delete", "statefulset,pvc,volumesnapshot", "--all", WITHIN)
