"""Trusting the instance's authority on a machine, with the distribution's own tools and curl.

In a mount namespace in which the machine's list of authorities is a copy: the machine itself trusts nobody new.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from skerry.kube.certificates.making import issue_leaf
from skerry.kube.certificates.wanted import Wanted
from tests.support.program import Program, eventually
from tests.support.waiting import LIMIT

_NOT_TRUSTED = 60
"""curl's exit code."""
_OWN_LIST = """
set -e
mount -t tmpfs none "$1"
cp -a /etc/ssl/certs/. "$1"
mount --bind "$1" /etc/ssl/certs
mount -t tmpfs none /usr/local/share/ca-certificates
get() { code=0; curl -sS "$2" || code=$?; echo "curl: $code"; }
get "$@"
"$3" -m skerry.cli.main ca install --data-dir "$4"
get "$@"
"$3" -m skerry.cli.main ca show -o json --data-dir "$4"
"$3" -m skerry.cli.main ca uninstall --data-dir "$4"
get "$@"
ls /usr/local/share/ca-certificates
"""


@contextmanager
def web_site(program: Program, folder: Path) -> Iterator[str]:
    """One with a certificate of the instance's authority, at an address of localhost."""
    data = program.get("secret", "skerry-ca", "-n", "kube-system")["data"]
    authority = base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"])
    pair = issue_leaf(Wanted("site", "site", names=("localhost",)), authority, datetime.now(UTC))
    file = folder / "site.pem"
    file.write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"hello\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"https://localhost:{server.server_address[1]}/"
        finally:
            server.shutdown()
            serving.join()


def test_curl_trusts_web_sites_from_installing_to_uninstalling(program: Program, tmp_path: Path) -> None:
    pem = eventually(lambda: program.skerry("ca", check=False).stdout, "the authority")
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert program.skerry("ca", "--cluster").stdout != pem
    with web_site(program, tmp_path) as url:
        (tmp_path / "list").mkdir()
        words = [str(tmp_path / "list"), url, sys.executable, str(program.data_dir)]
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _OWN_LIST, "sh", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    before, _, rest = done.stdout.partition("this machine trusts")
    assert before == f"curl: {_NOT_TRUSTED}\n"
    installed, _, rest = rest.partition("{")
    assert installed.endswith("hello\ncurl: 0\n")
    shown, _, after = rest.partition("\n}\n")
    assert json.loads("{" + shown + "}")["trusted"] is True
    assert after == f"this machine trusts it no longer\ncurl: {_NOT_TRUSTED}\n"
    outside = program.skerry("ca", "show", "-o", "json").stdout
    assert json.loads(outside)["trusted"] is False
