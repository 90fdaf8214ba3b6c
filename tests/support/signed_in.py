"""Somebody who is signed in on a whole program, without a browser's way there: a session as the platform keeps it."""

from __future__ import annotations

import hashlib
import json

from tests.support.program import Program


def signed_in(program: Program, user: str, token: str, *, name: str = "session", kind: str = "Browser") -> None:
    """Who shows `token` is `user`, who must be there."""
    spec = {
        "user": user,
        "userUid": program.get("users.skerry.dev", user)["metadata"]["uid"],
        "kind": kind,
        "tokenSha256": hashlib.sha256(token.encode()).hexdigest(),
        "tokenExpires": "2100-01-01T00:00:00Z",
        "expires": "2100-01-01T00:00:00Z",
    }
    program.apply(
        json.dumps({"apiVersion": "skerry.dev/v1alpha1", "kind": "Session", "metadata": {"name": name}, "spec": spec})
    )
