"""Servers that keep files, real ones, on loopback: an SSH server, a WebDAV server, an S3 server. Each is ended and
removed by its context; `stop` and `go_on` let it fall silent meanwhile.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.dns_servers import free_port
from tests.support.waiting import eventually

USER, PASSWORD = "anna", "correct-horse"


@dataclass(frozen=True)
class Server:
    """One that runs. `files`: where on this machine it keeps them."""

    process: subprocess.Popen[bytes]
    port: int
    files: Path
    secrets: Mapping[str, str]
    parameters: Mapping[str, str]

    def stop(self) -> None:
        """Let it answer nobody, with connections open, as a machine that is cut off."""
        _stop(self.process.pid)

    def go_on(self) -> None:
        """Let it answer again."""
        for pid in _stop(self.process.pid):
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def ssh_server(root: Path) -> Iterator[Server]:
    """sshd with keys and a configuration of its own, for the user who runs the tests."""
    root.mkdir()
    keys = {}
    for name in ("host", "user"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name))
        keys[name] = " ".join((root / f"{name}.pub").read_text().split()[:2])
    port, files = free_port(), root / "files"
    files.mkdir()
    (root / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/host\nAuthorizedKeysFile {root}/user.pub\n"
        f"PidFile none\nStrictModes no\nPasswordAuthentication no\nUsePAM no\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on its directory without rights
    secrets = {
        "ssh-privatekey": (root / "user").read_text(),
        "known_hosts": f"[127.0.0.1]:{port} {keys['host']}",
    }
    parameters = {"server": "127.0.0.1", "port": str(port), "user": "root", "path": str(files)}
    with _running(["/usr/sbin/sshd", "-D", "-e", "-f", str(root / "sshd_config")], root, port) as process:
        yield Server(process, port, files, secrets, parameters)


@contextlib.contextmanager
def webdav_server() -> Iterator[Server]:
    """Apache with mod_dav, for one user. Its own user reaches its files, which pytest's directories would not allow."""
    with tempfile.TemporaryDirectory(prefix="skerry-webdav-") as made:
        Path(made).chmod(0o755)
        with _webdav_in(Path(made)) as server:
            yield server


@contextlib.contextmanager
def _webdav_in(root: Path) -> Iterator[Server]:
    port, files, locks = free_port(), root / "files", root / "locks"
    for directory in (files, locks):
        directory.mkdir()
        shutil.chown(directory, "daemon", "daemon")
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (root / "users").write_text(f"{USER}:{{SHA}}{digest}\n")
    modules = "mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs"
    loading = "".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so\n" for one in modules.split())
    (root / "users").chmod(0o644)
    (root / "httpd.conf").write_text(
        f"ServerRoot {root}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {root}/pid\nErrorLog {root}/error\n"
        f"User daemon\nGroup daemon\n{loading}DAVLockDB {locks}/db\nDocumentRoot {files}\n"
        f"<Directory {files}>\nDav on\nAuthType Basic\nAuthName files\nAuthUserFile {root}/users\n"
        f"Require valid-user\n</Directory>\n"
    )
    secrets = {"username": USER, "password": PASSWORD}
    parameters = {"server": f"http://127.0.0.1:{port}/", "insecure": "true"}
    command = ["/usr/sbin/apache2", "-f", str(root / "httpd.conf"), "-DFOREGROUND"]
    with _running(command, root, port) as process:
        yield Server(process, port, files, secrets, parameters)


@contextlib.contextmanager
def s3_server(root: Path) -> Iterator[Server]:
    """JuiceFS's gateway (MinIO's, on files), with a bucket `data`. What it keeps cannot be read on this machine."""
    root.mkdir()
    juicefs = str(Path(sys.executable).with_name("juicefs"))
    meta, port = f"sqlite3://{root}/meta.db", free_port()
    _run(juicefs, "format", "--storage", "file", "--bucket", f"{root}/files/", "--trash-days", "0", meta, "test")
    secrets = {"accessKeyID": USER, "secretAccessKey": PASSWORD}
    environment = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD, "HOME": str(root)}
    command = [
        juicefs, "gateway", "--no-banner", "--no-usage-report", "--multi-buckets", "--object-meta",
        "--metrics", "127.0.0.1:0", "--cache-dir", f"{root}/cache", meta, f"127.0.0.1:{port}",
    ]  # fmt: skip
    parameters = {"endpoint": f"http://127.0.0.1:{port}", "bucket": "data", "insecure": "true"}
    with _running(command, root, port, environment) as process:
        eventually(lambda: _answers(port), "the S3 server")
        _run(
            "curl", "--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{USER}:{PASSWORD}",
            "-X", "PUT", f"http://127.0.0.1:{port}/data",
        )  # fmt: skip
        yield Server(process, port, root / "files", secrets, parameters)


@contextlib.contextmanager
def _running(
    command: Sequence[str], root: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **(environment or {})}
        )
    try:
        eventually(lambda: _listens(process, port, root / "log"), command[0])
        yield process
    finally:
        for pid in _stop(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def _stop(pid: int) -> list[int]:
    """Stop a process and all below it, the upper ones first so that none is born meanwhile; who they are. sshd's
    sessions are in sessions of their own."""
    try:
        os.kill(pid, signal.SIGSTOP)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (ProcessLookupError, FileNotFoundError):
        return []
    return [pid, *(found for child in children for found in _stop(int(child)))]


def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"it has ended: {log.read_text()}")
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status in (200, 403)
    finally:
        connection.close()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
