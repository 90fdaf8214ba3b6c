"""`/livez`, `/readyz`, `/healthz`: named checks, each also a path of its own; `?verbose` lists them.

The checks have the names of Kubernetes' API server where they say the same: probes, dashboards and Kubernetes' own
tests ask for them by name. What that server starts in the background is here a stage of the start (`STAGES`): a check
of each says whether it is over. Source: Kubernetes' `apiserver/pkg/server/healthz`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.response import Raw

Check: TypeAlias = Callable[[], str]
"""What is wrong, in words; "" when all is well. Called on every request, so it only looks at what is known."""
Stage: TypeAlias = Literal["definitions", "first objects", "roles", "serving"]
_HOOK = "poststarthook/"
STAGES: Mapping[Stage, tuple[str, ...]] = {
    "definitions": (
        f"{_HOOK}start-apiextensions-informers",
        f"{_HOOK}start-apiextensions-controllers",
        f"{_HOOK}crd-informer-synced",
    ),
    "first objects": (
        f"{_HOOK}bootstrap-controller",
        f"{_HOOK}start-system-namespaces-controller",
        f"{_HOOK}scheduling/bootstrap-system-priority-classes",
        f"{_HOOK}start-cluster-authentication-info-controller",
        f"{_HOOK}start-service-ip-repair-controllers",
    ),
    "roles": (f"{_HOOK}rbac/bootstrap-roles", f"{_HOOK}start-kube-apiserver-admission-initializer"),
    "serving": (
        f"{_HOOK}generic-apiserver-start-informers",
        f"{_HOOK}start-kube-aggregator-informers",
        f"{_HOOK}apiservice-registration-controller",
        f"{_HOOK}apiservice-status-available-controller",
        f"{_HOOK}apiservice-discovery-controller",
        f"{_HOOK}apiservice-openapi-controller",
        f"{_HOOK}apiservice-openapiv3-controller",
        f"{_HOOK}kube-apiserver-autoregistration",
        "autoregister-completion",
    ),
}
"""The checks that each stage of the server's start passes, by Kubernetes' names."""


class Health:
    """The checks of one server: `live` says restart me, `ready` says wait for me. `components`: the parts of the
    control plane as `componentstatuses` shows them."""

    def __init__(self) -> None:
        self._over: set[Stage] = set()
        self.live: dict[str, Check] = {"ping": _fine, "log": _fine}
        self.ready: dict[str, Check] = {"informer-sync": self._passed("serving")}
        self.components: dict[str, Check] = {}
        for stage, names in STAGES.items():
            self.live |= dict.fromkeys(names, self._passed(stage))

    def over(self, stage: Stage) -> None:
        """A stage of the start is behind us."""
        self._over.add(stage)

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

    def _passed(self, stage: Stage) -> Check:
        return lambda: "" if stage in self._over else "not finished"


def _fine() -> str:
    return ""


def _page(endpoint: str, problems: Mapping[str, str], *, verbose: bool) -> Raw:
    failed = any(problems.values())
    if not failed and not verbose:
        return Raw(b"ok", "text/plain; charset=utf-8")
    lines = [f"[-]{name} failed: {problem}" if problem else f"[+]{name} ok" for name, problem in problems.items()]
    lines.append(f"{endpoint} check {'failed' if failed else 'passed'}")
    return Raw("\n".join(lines).encode() + b"\n", "text/plain; charset=utf-8", 500 if failed else 200)
