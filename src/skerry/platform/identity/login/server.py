"""The login server put together: what serves which path. The methods of provider types are in `login.methods`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from skerry.platform.base.capability import Context
from skerry.platform.identity.login.authorizing import Authorizing
from skerry.platform.identity.login.devices import DevicePages
from skerry.platform.identity.login.grants import Codes, DeviceCodes
from skerry.platform.identity.login.own_sessions import OwnSessions
from skerry.platform.identity.login.sign_in import SignInPages
from skerry.platform.identity.login.token_endpoint import TokenEndpoint


def login_routes(context: Context) -> Sequence[BaseRoute]:
    """All routes below /identity/ but those of the provider types."""
    codes, devices = Codes(context.clock), DeviceCodes(context.clock)
    parts = (
        OwnSessions(context),
        SignInPages(context),
        Authorizing(context, codes),
        DevicePages(context, devices),
        TokenEndpoint(context, codes, devices),
    )
    return [route for part in parts for route in part.routes()]
