"""What of a Compose file becomes what, and that nothing of it is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.checking.check import judged
from skerry.checking.checks import Checks
from skerry.checking.facts import Facts
from skerry.compose.containers import escaped
from skerry.compose.durations import seconds
from skerry.compose.loading import Unreadable
from tests.unit.compose.reading import PIA, container, names, notes, one, pod, read, read_file


def test_an_application_of_several_services() -> None:
    """PIA: a web application with database, cache, proxy, migrations and workers (mission H8)."""
    made = read_file(PIA, users={"db": "70"}, hosts={"nginx": "pia.example.org"})
    assert names(made, "Deployment") == ["db", "nginx", "redis", "web", "worker"]
    assert names(made, "Job") == ["migrate"]
    assert names(made, "Service") == ["db", "nginx", "proxy", "redis", "web", "worker"]
    assert names(made, "PersistentVolumeClaim") == ["letsencrypt", "pgdata", "redisdata", "static"]
    assert names(made, "ConfigMap") == ["default-conf", "init-sql"]
    assert names(made, "Secret") == ["db-password", "migrate-environment", "web-environment", "worker-environment"]
    assert one(made, "Ingress", "nginx")["spec"]["rules"][0]["host"] == "pia.example.org"
    assert one(made, "Deployment", "worker")["spec"]["replicas"] == 3
    everything = judged(made.objects(), Facts("default"), Checks(names=frozenset({"schema", "deprecated", "secrets"})))
    assert everything.findings == ()


def test_its_database() -> None:
    made = read_file(PIA, users={"db": "70"})
    db = container(made, "db")
    assert db["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "pg_isready -U ${POSTGRES_USER} -d pia"]
    assert db["startupProbe"]["failureThreshold"] * db["startupProbe"]["periodSeconds"] >= 30
    assert db["resources"] == {"limits": {"cpu": "1500m", "memory": "1Gi"}, "requests": {"memory": "256Mi"}}
    assert db["securityContext"]["runAsUser"] == 70
    assert db["securityContext"]["runAsNonRoot"] is True
    assert pod(made, "db")["securityContext"] == {"fsGroup": 70}
    assert one(made, "Deployment", "db")["spec"]["strategy"] == {"type": "Recreate"}
    mounts = {one["mountPath"]: one for one in db["volumeMounts"]}
    assert mounts["/docker-entrypoint-initdb.d/init.sql"]["subPath"] == "init.sql"
    assert mounts["/run/secrets/db_password"]["name"] == "secret-db-password"
    assert one(made, "ConfigMap", "init-sql")["data"] == {"init.sql": "create table a();\n"}
    shared = {"medium": "Memory", "sizeLimit": "268435456"}
    assert {"name": "shm", "emptyDir": shared} in pod(made, "db")["volumes"]


def test_its_notes() -> None:
    said = notes(read_file(PIA))
    for line in (
        "Missing service web: ulimits: ",
        "Missing service web: volumes: /var/run/docker.sock: pods do not get the container runtime's socket",
        "Missing service nginx: networks: the alias pia.internal",
        "Different service nginx: ports: port 80 is published as nginx.pia.localhost",
        "Different service nginx: ports: 443 is not published: the Ingress ends TLS",
        "Different service web: depends_on: it does not wait for db, migrate, redis",
        "Different service web: environment: SECRET_KEY: kept in the Secret web-environment",
        "Different service migrate: restart: it runs to its end as a Job",
        "Different volume static: nginx, web share one claim",
        "Todo service web: build: skerry image build -t registry.example.org/pia/web:1.4 --build-arg VERSION=1.4 ",
        "Todo service migrate: build: skerry image build -t skerry.local/pia-migrate:1 ",
        "Todo service web: volumes: the claim media must be there",
        "Todo service nginx: volumes: /nonexistent/letsencrypt is no small text",
        "Todo service db: user: whether it runs as root is the image's choice",
    ):
        assert line in said
    assert "not-a-secret-key" not in said
    assert "adminer" not in said
    assert "adminer" in notes(read_file(PIA, "debug"))


def test_words_and_variables(tmp_path: Path) -> None:
    made = read(tmp_path, """
        services:
          app:
            image: app:1
            entrypoint: ["/bin/sh", "-c"]
            command: ["echo $${HOME} $$(id) $$$$"]
            environment: {A: "$$(B)", B: "1", GIVEN: , PASSWORD: geheim}
            working_dir: /srv
            tty: true
            init: true
    """)  # fmt: skip
    app = container(made, "app")
    assert app["command"] == ["/bin/sh", "-c"]
    assert app["args"] == ["echo ${HOME} $$(id) $$$"]
    assert {"name": "A", "value": "$$(B)"} in app["env"]
    assert [one["name"] for one in app["env"]] == ["A", "B", "PASSWORD"]
    assert app["workingDir"] == "/srv"
    assert one(made, "Secret", "app-environment")["stringData"] == {"PASSWORD": "geheim"}
    assert "Todo service app: environment: GIVEN comes from whoever starts it" in notes(made)


def test_dollars_come_back_as_they_were() -> None:
    """By Kubernetes' rules: `$$` is a dollar, `$(NAME)` a reference, any other dollar itself."""
    for text in ("$", "$$", "$$$", "$(A)", "$$(A)", "a$b", "$(", "${A}"):
        shown, at, given = "", 0, escaped(text)
        while at < len(given):
            pair = given[at : at + 2]
            assert pair != "$(", text
            shown, at = shown + given[at], at + (2 if pair == "$$" else 1)
        assert shown == text


def test_volumes_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.ini").write_text("[a]\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    (tmp_path / "key").write_bytes(b"\xff\x00")
    made = read(tmp_path, """
        services:
          app:
            image: app:1
            volumes:
              - ./conf:/etc/app
              - ./picture.png:/picture.png
              - /scratch
              - {type: tmpfs, target: /fast, tmpfs: {size: 1048576}}
              - {type: volume, source: data, target: /data, read_only: true, volume: {subpath: inner}}
            tmpfs: ["/run:size=64m"]
            configs: [{source: motd, target: /etc/motd, mode: 0440}]
            secrets: [key, outside]
        volumes: {data: {driver: nfs}}
        configs: {motd: {content: "hello $$USER"}}
        secrets: {key: {file: ./key}, outside: {external: true}}
    """)  # fmt: skip
    assert one(made, "ConfigMap", "conf")["data"] == {"a.ini": "[a]\n"}
    assert one(made, "ConfigMap", "motd")["data"] == {"motd": "hello $USER"}
    assert one(made, "Secret", "key")["data"] == {"key": "/wA="}
    mounts = {one["mountPath"]: one for one in container(made, "app")["volumeMounts"]}
    assert mounts["/data"] == {"name": "data", "mountPath": "/data", "readOnly": True, "subPath": "inner"}
    assert mounts["/run/secrets/outside"]["subPath"] == "outside"
    volumes = {one["name"]: one for one in pod(made, "app")["volumes"]}
    assert volumes["fast-tmp"]["emptyDir"] if "fast-tmp" in volumes else volumes["tmpfs-fast"]["emptyDir"]
    assert volumes["tmpfs-0"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Mi"}
    said = notes(made)
    assert "picture.png begins empty" in said
    assert "/scratch has no name" in said
    assert "volume data has a driver" in said
    assert "the Secret outside with key outside must be there" in said


def test_services_that_share_a_folder_share_what_it_becomes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "a.ini").write_text("[a]\n")
    made = read(tmp_path, """
        services:
          one: {image: a, volumes: ["./logs:/logs", "./etc:/etc/app", "logs-2:/more"], configs: [app], secrets: [app]}
          two: {image: a, volumes: ["./logs:/var/log", "./etc:/etc/app", "./sub/logs:/logs"], scale: 2}
        volumes: {logs-2: {}}
        configs: {app: {content: a}}
        secrets: {app: {file: ./etc/a.ini}}
    """)  # fmt: skip
    assert names(made, "PersistentVolumeClaim") == ["logs", "logs-2", "logs-3"]
    assert names(made, "ConfigMap") == ["app", "etc"]
    claims = [one["persistentVolumeClaim"] for one in pod(made, "two")["volumes"] if "persistentVolumeClaim" in one]
    assert claims == [{"claimName": "logs"}, {"claimName": "logs-3"}]
    assert [one["name"] for one in pod(made, "one")["volumes"]] == [
        "logs", "etc", "logs-2", "config-app", "secret-app"
    ]  # fmt: skip
    said = notes(made)
    assert "Different volume logs: one, two share one claim" in said
    assert "service two: volumes: its replicas share the claim logs:" in said


def test_networks_names_and_ports(tmp_path: Path) -> None:
    made = read(tmp_path, """
        services:
          My_App:
            image: app:1
            container_name: app-main
            ports: ["9999:9999", "8080:80/tcp", "5000-5001:5000-5001", "53:53/udp"]
            networks: [front, back]
          queue: {image: queue:1, deploy: {replicas: 0}}
          site: {image: site:1, ports: [8000]}
          3d: {image: "ghcr.io/org/redis:7"}
        networks: {front: {}, back: {internal: true}}
    """)  # fmt: skip
    assert names(made, "Service") == ["app-3d", "app-main", "my-app", "queue", "site"]
    ports = {(one["port"], one["protocol"]) for one in one(made, "Service", "my-app")["spec"]["ports"]}
    assert ports == {(9999, "TCP"), (80, "TCP"), (5000, "TCP"), (5001, "TCP"), (53, "UDP")}
    assert one(made, "Service", "queue")["spec"]["clusterIP"] == "None"
    assert one(made, "Deployment", "queue")["spec"]["replicas"] == 0
    assert one(made, "Service", "app-3d")["spec"]["ports"][0]["port"] == 6379
    backend = one(made, "Ingress", "my-app")["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "my-app", "port": {"number": 80}}}
    assert names(made, "Ingress") == ["my-app", "site"]
    said = notes(made)
    assert "it is called my-app: change addresses that say My_App" in said
    assert "9999 is not published on the machine: kubectl port-forward service/my-app 9999:9999" in said
    assert "Different networks front, back" in said or "Different networks back, front" in said


def test_what_it_may_do(tmp_path: Path) -> None:
    made = read(tmp_path, """
        services:
          root: {image: a, privileged: true, network_mode: host, cap_add: [NET_ADMIN], devices: ["/dev/kvm"]}
          named: {image: a, user: postgres, security_opt: ["no-new-privileges:true"], read_only: true}
          beside: {image: a, network_mode: "service:root", restart: "on-failure:3"}
          gpu: {image: a, gpus: all, platform: linux/arm64, group_add: ["44"], scale: 2, mem_limit: 512m, cpus: 0.5}
          new: {image: a, provider: {type: model}, mac_address: "02:42:ac:11:65:43"}
    """)  # fmt: skip
    assert container(made, "root")["securityContext"]["privileged"] is True
    assert pod(made, "root")["hostNetwork"] is True
    assert names(made, "Job") == ["beside"]
    assert container(made, "named")["securityContext"]["readOnlyRootFilesystem"] is True
    gpu = container(made, "gpu")["resources"]["limits"]
    assert gpu == {"cpu": "500m", "memory": "512Mi", "nvidia.com/gpu": "1"}
    assert pod(made, "gpu")["nodeSelector"] == {"kubernetes.io/arch": "arm64"}
    said = notes(made)
    assert "Todo service named: user: postgres is a name of the image: give its number with --user named=UID" in said
    for missing in (
        "root: devices",
        "beside: network_mode",
        "named: security_opt",
        "new: provider",
        "new: mac_address",
    ):
        assert f"Missing service {missing}: " in said


def test_files_that_compose_refuses(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="imag"):
        read(tmp_path, "services: {app: {imag: a}}")
    with pytest.raises(Unreadable, match="MUST_BE_SET"):
        read(tmp_path, "services: {app: {image: '${MUST_BE_SET?}'}}")


@pytest.mark.parametrize(
    ("text", "is_so"), [("1m30s", 90), ("500ms", 1), ("2h", 7200), ("", 7), (None, 7), ("1h0m0s", 3600)]
)
def test_durations(text: str | None, is_so: int) -> None:
    assert seconds(text, 7) == is_so
