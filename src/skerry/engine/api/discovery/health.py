"""`/livez`, `/readyz`, `/healthz`: named checks, each also a path of its own; `?verbose` lists them.

Source: Kubernetes' `apiserver/pkg/server/healthz`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.response import Raw

Check: TypeAlias = Callable[[], str]
"""What is wrong, in words; "" when all is well. Called on every request, so it only looks at what is known."""


class Health:
    """The checks of one server: `live` says restart me, `ready` says wait for me."""

    def __init__(self) -> None:
        self.live: dict[str, Check] = {"ping": lambda: ""}
        self.ready: dict[str, Check] = {}

    def answer(self, path: str, query: Mapping[str, str]) -> Raw:
        """The answer for /livez, /readyz/etcd and so on. Raises NotFound for a check nobody knows."""
        endpoint, _, name = path.lstrip("/").partition("/")
        checks = self.live if endpoint == "livez" else {**self.live, **self.ready}
        if name:
            if name not in checks:
                raise no_such_path()
            checks = {name: checks[name]}
        excluded = query.get("exclude", "")
        problems = {each: check() for each, check in checks.items() if each != excluded}
        return _page(endpoint, problems, verbose="verbose" in query)


def _page(endpoint: str, problems: Mapping[str, str], *, verbose: bool) -> Raw:
    failed = any(problems.values())
    if not failed and not verbose:
        return Raw(b"ok", "text/plain; charset=utf-8")
    lines = [f"[-]{name} failed: {problem}" if problem else f"[+]{name} ok" for name, problem in problems.items()]
    lines.append(f"{endpoint} check {'failed' if failed else 'passed'}")
    return Raw("\n".join(lines).encode() + b"\n", "text/plain; charset=utf-8", 500 if failed else 200)
