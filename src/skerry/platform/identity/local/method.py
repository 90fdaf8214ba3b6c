"""Local accounts put together: the password method, and the pages behind links."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from skerry.platform.base.capability import Context
from skerry.platform.identity.local.accounts import LocalAccounts
from skerry.platform.identity.local.passwords import Passwords
from skerry.platform.identity.local.setting import LinkPages
from skerry.platform.identity.login.methods import methods_of
from skerry.platform.identity.login.people import people_of


def local_routes(context: Context) -> Sequence[BaseRoute]:
    """Registers the method; gives the routes."""
    passwords = Passwords(context.client)
    methods_of(context).passwords["Local"] = LocalAccounts(people_of(context), passwords)
    return LinkPages(context, passwords).routes()
