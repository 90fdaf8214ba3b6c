"""A directory: a real slapd on loopback, by LDAP with StartTLS and by LDAPS, whose people and groups tests change."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skerry.kube.certificates.making import issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted
from tests.support.dns_servers import free_port
from tests.support.waiting import eventually

BASE = "dc=lab,dc=example"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "reads everything"
_ROOT, _ROOT_PASSWORD = f"cn=root,{BASE}", "writes everything"
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
security simple_bind=128
sizelimit size.soft=5 size.hard=5 size.pr=5 size.prtotal=unlimited
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{password}"
directory {folder}/data
maxsize 10485760
index objectClass,uid,entryUUID,member,memberUid eq
access to attrs=userPassword by anonymous auth
access to * by dn.exact="{reader}" read by * none
"""
_ENTRIES = f"""\
dn: {BASE}
objectClass: domain
dc: lab

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_PASSWORD}
"""


@dataclass
class Directory:
    """One that runs. A page is five entries at most, so that all that is longer needs paging."""

    folder: Path
    plain: int
    secure: int
    ca: str
    process: subprocess.Popen[bytes] | None = None

    def person(self, uid: str, password: str, number: int) -> None:
        """Add one. A POSIX account of the primary group 100."""
        self.change(
            f"dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: {uid}\ncn: {uid}\n"
            f"sn: {uid}\nmail: {uid}@lab.example\nuidNumber: {number}\ngidNumber: 100\nhomeDirectory: /home/{uid}\n"
            f"userPassword: {password}\n",
            add=True,
        )

    def group(self, name: str, *members: str) -> None:
        """Add one. `members`: DNs."""
        listed = "".join(f"member: {one}\n" for one in members)
        self.change(f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{listed}", add=True)

    def change(self, ldif: str, *, add: bool = False) -> None:
        """Entries to add, or changes to make."""
        command = ["ldapadd" if add else "ldapmodify", "-x", "-ZZ", "-H", f"ldap://127.0.0.1:{self.plain}"]
        command += ["-D", _ROOT, "-w", _ROOT_PASSWORD]
        environment = {**os.environ, "LDAPTLS_CACERT": str(self.folder / "ca.pem")}
        done = subprocess.run(command, input=ldif, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """On the ports it had, with the entries it had."""
        urls = f"ldap://127.0.0.1:{self.plain} ldaps://127.0.0.1:{self.secure}"
        command = ["/usr/sbin/slapd", "-h", urls, "-f", str(self.folder / "slapd.conf"), "-d", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: all(map(_answers, (self.plain, self.secure))), "slapd")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True


@contextlib.contextmanager
def directory(folder: Path) -> Iterator[Directory]:
    """With nobody in it but who may read it."""
    (folder / "data").mkdir(parents=True)
    now = datetime.now(UTC)
    authority = issue_authority(Wanted("ca", "directory"), now)
    leaf = issue_leaf(Wanted("s", "s", names=("127.0.0.1",)), (authority.certificate, authority.key), now)
    for name, content in (
        ("ca.pem", authority.certificate),
        ("server.pem", leaf.certificate),
        ("server.key", leaf.key),
    ):
        (folder / name).write_bytes(content)
    config = _CONFIG.format(folder=folder, base=BASE, root=_ROOT, password=_ROOT_PASSWORD, reader=READER)
    (folder / "slapd.conf").write_text(config)
    added = subprocess.run(
        ["/usr/sbin/slapadd", "-f", str(folder / "slapd.conf")],
        input=_ENTRIES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    running = Directory(folder, free_port(), free_port(), authority.certificate.decode())
    running.start()
    try:
        yield running
    finally:
        running.stop()
