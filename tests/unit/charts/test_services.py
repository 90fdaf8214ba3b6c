"""What services of the catalogue do beyond what every chart keeps to (test_apps)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.charts import CHARTS, rendered, template

POSTGRESQL = CHARTS / "postgresql"


def named(objects: list[Any], kind: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in objects if one["kind"] == kind)


def test_a_database_alone_has_neither_replica_nor_backups() -> None:
    objects = rendered(POSTGRESQL, "replicas=0", "backups.enabled=false")
    assert (
        named(objects, "StatefulSet") == named(objects, "PersistentVolumeClaim") == named(objects, "Service") == ["lab"]
    )
    assert named(objects, "CronJob") == []


def test_every_replica_has_a_volume_of_its_own() -> None:
    objects = rendered(POSTGRESQL, "replicas=2", "storage.className=fast")
    assert named(objects, "StatefulSet") == ["lab", "lab-replica-0", "lab-replica-1"]
    claims = [one for one in objects if one["kind"] == "PersistentVolumeClaim"]
    assert named(claims, "PersistentVolumeClaim") == ["lab", "lab-backups", "lab-replica-0", "lab-replica-1"]
    assert {one["spec"]["storageClassName"] for one in claims} == {"fast"}
    kept = {"helm.sh/resource-policy": "keep"}
    assert [one["metadata"]["name"] for one in claims if one["metadata"].get("annotations") == kept] == [
        "lab-backups",
        "lab",
    ]


def test_passwords_are_in_the_secret_alone_and_addresses_are_valid() -> None:
    password = "a b:/@'x"
    objects = rendered(POSTGRESQL, "database=lidar", f"password={password}")
    (secret,) = [one for one in objects if one["kind"] == "Secret"]
    assert secret["stringData"]["password"] == password
    assert secret["stringData"]["uri"].startswith("postgresql://app:a%20b%3A%2F%40%27x@lab.sea.svc:5432/lidar")
    assert password not in str([one for one in objects if one["kind"] != "Secret"])


@pytest.mark.parametrize(
    "value",
    [
        "username=postgres",
        "username=backup",
        "username=pg_me",
        "database=a;b",
        "restore=../../etc/passwd",
        "replicas=9",
        "backups.schedule=never",
        "backups.keep=0",
        "settings.a-b=1",
        "runAsUser=0",
        "typo=1",
    ],
)
def test_values_that_mean_nothing_are_refused(value: str) -> None:
    done = template(POSTGRESQL, value)
    assert done.returncode != 0
    assert value.partition("=")[0].split(".")[-1] in done.stderr


def test_a_restore_without_the_volume_of_backups_is_refused() -> None:
    assert "restore needs backups.enabled" in template(POSTGRESQL, "restore=latest", "backups.enabled=false").stderr


def test_settings_are_written_as_postgresql_reads_them() -> None:
    objects = rendered(POSTGRESQL, "settings.work_mem=8MB", "settings.search_path=it's")
    (config,) = [one for one in objects if one["metadata"]["name"] == "lab-config"]
    lines = config["data"]["postgresql.conf"].splitlines()
    assert "work_mem = '8MB'" in lines
    assert "search_path = 'it''s'" in lines
