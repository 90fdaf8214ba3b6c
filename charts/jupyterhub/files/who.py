"""Who somebody is: whom the platform's sign-on let in, or who has one of the release's passwords.

No header is believed, since every pod of the project could send it to the hub. What a browser carries is shown to the
platform, which alone knows whose it is and whether that person may still open the release's Ingress.
"""

import hmac
from pathlib import Path
from urllib.parse import urlencode

from jupyterhub.auth import Authenticator
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from traitlets import Set, Unicode

CHECK = "https://skerry-platform.skerry-system.svc.cluster.local/identity/apps/check"
COOKIE = "__Host-skerry-app"


class Platform(Authenticator):
    """Nobody is asked anything: the sign-on in front of the hub has asked already."""

    ingress = Unicode(help="Name of the guarded Ingress.").tag(config=True)
    namespace = Unicode(help="Where that is.").tag(config=True)
    nobody = Set(help="Names that no person may have here.").tag(config=True)
    auto_login = True
    auth_refresh_age = 20
    """Seconds. Who signs out, or loses access, or leaves the browser to somebody else, is asked about again."""

    def normalize_username(self, username):
        """As the platform writes it: two names that differ in a capital letter are two people."""
        return username

    async def authenticate(self, handler, data=None):
        name = await self._person(handler)
        return name if name not in {"", *self.nobody} else None

    async def refresh_user(self, user, handler=None):
        if handler is None or getattr(handler, "_token_authenticated", False):
            return True  # the hub itself, or a server or a program with one of the hub's tokens
        return await self._person(handler) == user.name

    async def _person(self, handler):
        """Whose pass the browser carries; "" when it is nobody's, or good no more."""
        carried = handler.get_cookie(COOKIE)
        if not carried:
            return ""
        which = urlencode({"namespace": self.namespace, "ingress": self.ingress})
        # its certificate is not verified, as by Ingress controllers: nothing here has its authority
        request = HTTPRequest(f"{CHECK}?{which}", headers={"Cookie": f"{COOKIE}={carried}"}, validate_cert=False)
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        name = answer.headers.get("X-Auth-Request-User", "") if answer.code == 200 else ""
        return name.encode("latin-1").decode()  # as headers are read, and as names are written


class Passwords(Authenticator):
    """Where no sign-on stands in front: a password for each of the people that the release names."""

    directory = Unicode(help="Has a file for each, with the password.").tag(config=True)
    nobody = Set(help="Names that no person may have here.").tag(config=True)

    async def authenticate(self, handler, data):
        known = {one.name: one.read_text() for one in Path(self.directory).glob("[a-z0-9]*")}
        given, expected = data["password"], known.get(data["username"], "")
        if not expected or data["username"] in self.nobody:
            return None
        return data["username"] if hmac.compare_digest(given.encode(), expected.encode()) else None
