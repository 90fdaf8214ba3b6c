"""What checks say: findings, and the report they come to. Every other file of this room makes or carries them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from skerry.kube.objects import Obj
from skerry.kube.records import record

Severity = Literal["Error", "Warning", "Info"]
"""Error: it will not work or must not be. Warning: it works and will be regretted. Info: what was not looked at."""
SEVERITIES: Sequence[Severity] = ("Error", "Warning", "Info")


@record
class Finding:
    """One thing that is wrong. It never shows a secret that it is about."""

    severity: Severity
    check: str
    """By which check: "schema", "policy", "images", "quota", "secrets", "deprecated", "apply"."""
    object: str
    """Kind, namespace if it names one, name: "Deployment web", "Role team/all"; "" when it is about all of them."""
    path: str
    """The field, as Kubernetes writes it: "spec.template.spec.containers[0].image"; "" for the whole object."""
    message: str
    todo: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.object, self.path) if part)
        said = f"{where}: {self.message}" if where else self.message
        return f"{said} ({self.todo})" if self.todo else said

    def to_json(self) -> Obj:
        """With every field, also those that are empty."""
        return {
            "severity": self.severity, "check": self.check, "object": self.object, "path": self.path,
            "message": self.message, "todo": self.todo,
        }  # fmt: skip


@record
class Report:
    """All findings, the worst first; within a severity in the order of the objects."""

    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Report:
        """Sorted, each said once."""
        return cls(tuple(sorted(dict.fromkeys(findings), key=lambda one: SEVERITIES.index(one.severity))))

    def with_severity(self, severity: Severity) -> Sequence[Finding]:
        """Those of one severity."""
        return [one for one in self.findings if one.severity == severity]

    @property
    def errors(self) -> Sequence[Finding]:
        """What speaks against applying the objects."""
        return self.with_severity("Error")

    @property
    def summary(self) -> str:
        """ "2 errors, 1 warning"; "nothing is wrong"."""
        counts = ((len(self.with_severity("Error")), "error"), (len(self.with_severity("Warning")), "warning"))
        said = [f"{number} {word}" if number == 1 else f"{number} {word}s" for number, word in counts if number]
        return ", ".join(said) or "nothing is wrong"

    def text(self, most: int = 1000) -> str:
        """A line per finding, at most so many, without those that are only information."""
        lines = [f"{one.severity}: {one}" for one in self.findings if one.severity != "Info"]
        more = [f"and {len(lines) - most} more"] if len(lines) > most else []
        return "\n".join([*lines[:most], *more])

    def to_json(self) -> Obj:
        """For programs."""
        counts = {one.lower() + "s": len(self.with_severity(one)) for one in ("Error", "Warning")}
        return {"summary": counts, "findings": [one.to_json() for one in self.findings]}


def title(obj: Obj) -> str:
    """An object as findings name it: kind, the namespace that it names itself, name."""
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, within = metadata.get("name") or metadata.get("generateName") or "", metadata.get("namespace")
    return f"{obj.get('kind', 'object')} {within}/{name}" if within else f"{obj.get('kind', 'object')} {name}"
