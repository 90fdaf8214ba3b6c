"""Objects as people write them: YAML in, dictionaries out."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import yaml

from skerry.checking.check import judged
from skerry.checking.checks import Checks
from skerry.checking.facts import Facts
from skerry.kube.objects import Obj


def objects(text: str) -> list[Obj]:
    return [one for one in yaml.safe_load_all(dedent(text)) if one]


def found(check: str, *wanted: Obj, facts: Facts | None = None) -> list[str]:
    """What one check says: severity and finding."""
    report = judged(wanted, facts or Facts("default"), Checks(names=frozenset({check})))
    return [f"{one.severity}: {one}" for one in report.findings]


def deployment(container: dict[str, Any] | None = None, **spec: Any) -> Obj:
    """One that no check has anything against."""
    labels = {"app": "web"}
    modest = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    fine = {
        "name": "web",
        "image": "registry.example/web:1.2",
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
        "securityContext": modest,
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{**fine, **(container or {})}], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }
