"""Levels, versions and the labels that choose them; the checks they come to. Pure.

Source: Kubernetes' `pod-security-admission/api/helpers.go` (PolicyToEvaluate) and `policy/registry.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson

from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.pod_security import baseline, restricted
from skerry.kube.pod_security.findings import Check, Finding

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
_LATEST = 1 << 30
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]{0,3})", re.ASCII)


class Level(NamedTuple):
    """A level at a version: "latest" or "v1.36"."""

    name: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


class Policy(NamedTuple):
    """What a namespace asks for."""

    enforce: Level = Level()
    audit: Level = Level()
    warn: Level = Level()

    @property
    def asks_nothing(self) -> bool:
        """Whether no pod is looked at."""
        return self.enforce.name == self.audit.name == self.warn.name == "privileged"


NOTHING = Policy()


def policy_of(labels: Mapping[str, str]) -> tuple[Policy, list[Cause]]:
    """The policy of a namespace, and what is wrong with its labels. What cannot be read counts as restricted, so that a
    slip opens nothing; only warnings are left out. Who enforces and says nothing on warnings is warned alike."""
    if not any(key.startswith(PREFIX) for key in labels):
        return NOTHING, []
    causes: list[Cause] = []
    enforce = _level(labels, "enforce", "restricted", causes)
    audit = _level(labels, "audit", "restricted", causes)
    warn = _level(labels, "warn", "privileged", causes)
    if f"{PREFIX}warn" not in labels and LEVELS.index(enforce.name) > LEVELS.index(warn.name):
        warn = Level(enforce.name, warn.version if f"{PREFIX}warn-version" in labels else enforce.version)
    return Policy(enforce, audit, warn), causes


def _level(labels: Mapping[str, str], mode: str, fallback: str, causes: list[Cause]) -> Level:
    key = f"{PREFIX}{mode}"
    name, version = labels.get(key, "privileged"), labels.get(f"{key}-version", "latest")
    if name not in LEVELS:
        causes.append(_invalid(key, name, f"must be one of {', '.join(LEVELS)}"))
        name = fallback
    if version != "latest" and not _VERSION.fullmatch(version):
        causes.append(_invalid(f"{key}-version", version, 'must be "latest" or "v1.x"'))
        version = "latest"
    return Level(name, version)


def _invalid(label: str, value: str, why: str) -> Cause:
    return Cause(
        "FieldValueInvalid", f"Invalid value: {orjson.dumps(value).decode()}: {why}", f"metadata.labels[{label}]"
    )


def findings(level: Level, metadata: Obj, spec: Obj) -> list[Finding]:
    """How a pod violates a level; [] when it does not."""
    return [found for check in checks_of(level) if (found := check(metadata, spec)) is not None]


def details(found: Sequence[Finding]) -> str:
    """ "reason (detail), reason (detail)"."""
    return ", ".join(f"{each.reason} ({each.detail})" if each.detail else each.reason for each in found)


def reasons(found: Sequence[Finding]) -> str:
    """ "reason, reason"."""
    return ", ".join(each.reason for each in found)


@lru_cache(maxsize=64)
def checks_of(level: Level) -> tuple[Check, ...]:
    """The checks of a level in order: those of baseline, then those of restricted."""
    if level.name == "privileged":
        return ()
    minor = _LATEST if level.version == "latest" else int(level.version.removeprefix("v1."))
    chosen = _in_force(baseline.CHECKS, minor)
    if level.name == "baseline":
        return tuple(chosen.values())
    more = _in_force(restricted.CHECKS, minor)
    kept = [check for name, check in chosen.items() if restricted.REPLACED.get(name) not in more]
    return (*kept, *more.values())


def _in_force(checks: Mapping[str, Mapping[int, Check]], minor: int) -> dict[str, Check]:
    """The newest form of each check that a version has."""
    return {
        name: forms[max(since for since in forms if since <= minor)]
        for name, forms in checks.items()
        if min(forms) <= minor
    }
