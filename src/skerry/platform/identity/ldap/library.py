"""ldap3, as we use it: TLS checked by Python's own rules, no referrals, no schema. Everything here waits: threads only.

The library's own TLS looks at host names by a function that Python has given up; `_Tls` leaves it to the handshake.
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of names of pyasn1's that it imports
    import ldap3
    from ldap3.core.exceptions import LDAPException

from skerry.platform.identity.types import LdapSettings
from skerry.platform.identity.vouching import ProviderDown

__all__ = ["LDAPException", "connect", "let_go", "problem_in"]

_SECONDS = 5


class _Tls(ldap3.Tls):  # type: ignore[misc]
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """With the server's name checked."""
        connection.socket = self._context.wrap_socket(
            connection.socket, do_handshake_on_connect=do_handshake, server_hostname=connection.server.host
        )


def problem_in(settings: LdapSettings) -> str:
    """Why these settings cannot be used; "": they can."""
    for url in settings.urls:
        scheme = urlsplit(url).scheme
        if scheme not in ("ldap", "ldaps"):
            return f"{url}: spec.ldap.urls begin with ldaps:// or ldap://"
        if scheme == "ldap" and not settings.start_tls:
            return f"{url}: passwords are not sent without TLS: use ldaps:// or spec.ldap.startTls"
    try:
        _context(settings.ca)
    except ssl.SSLError as error:
        return f"spec.ldap.ca is not PEM: {error}"
    return ""


def connect(settings: LdapSettings, url: str, dn: str, password: str) -> Any:
    """A connection by TLS, bound as `dn` ("": anonymous); None: the server refuses name or password. Raises
    ProviderDown, LDAPException."""
    server = ldap3.Server(url, get_info=ldap3.NONE, tls=_Tls(_context(settings.ca)), connect_timeout=_SECONDS)
    connection = ldap3.Connection(
        server,
        user=dn or None,
        password=password or None,
        authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        check_names=False,
        receive_timeout=_SECONDS,
        raise_exceptions=False,
    )
    try:
        connection.open()
        if not server.ssl:
            connection.start_tls()
        if not (server.ssl or connection.tls_started):
            raise ProviderDown(f"{url} does not do TLS")
        bound = connection.bind()
    except BaseException:
        let_go(connection)
        raise
    return connection if bound else _refused(connection, url)


def _refused(connection: Any, url: str) -> None:
    """invalidCredentials (49) and noSuchObject (32) are about the name and password, the rest about the server."""
    result = connection.result
    let_go(connection)
    if result["result"] not in (49, 32):
        raise ProviderDown(f"{url} refuses to bind: {result['description']} {result['message']}".rstrip())


def let_go(connection: Any) -> None:
    """End a connection, whatever became of it: the library leaves sockets open that did not get far."""
    socket = connection.socket
    with suppress(LDAPException, OSError):
        connection.unbind()
    if socket is not None:
        socket.close()


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cadata=ca)
    return context
