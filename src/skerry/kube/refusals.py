"""What a refusal of the cluster says to a person, without who passed it on. `cli` and `portal` show these. Pure."""

from __future__ import annotations

import re

_OWN_HOOK = re.compile(r'^admission webhook "[a-z-]+\.skerry\.dev" denied the request: ')
"""Who refused matters where others may have."""
_NO_FIELD = "<nil>: Invalid value: "
"""Before what a rule says of a whole object."""


def plain(message: str) -> str:
    """Of a `StatusError`."""
    return _OWN_HOOK.sub("", message).replace(_NO_FIELD, "")
