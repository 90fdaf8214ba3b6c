"""Who sends a request with one of the platform's tokens: identity knows, whoever serves something asks.

Capabilities do not know each other; each `Context` has the same `Callers`, which the one that keeps sessions answers.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.kube.records import record

EVERYBODY = "system:authenticated"


@record
class Caller:
    """A person or a program, as RBAC knows them."""

    user: str
    groups: tuple[str, ...]
    """With `EVERYBODY`, as who asks for a SubjectAccessReview has to say it."""


class Callers:
    """Everybody with a token. Nobody is known until somebody answers."""

    def __init__(self) -> None:
        self._known: Callable[[str], Caller | None] = lambda _: None

    def answered_by(self, known: Callable[[str], Caller | None]) -> None:
        """`known`: whom a token stands for at this moment; from caches, it is asked for every request."""
        self._known = known

    def of(self, token: str) -> Caller | None:
        """Whom this token stands for now; None: nobody we know."""
        return self._known(token) if token else None
