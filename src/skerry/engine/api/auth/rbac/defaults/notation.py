"""How default roles are written down: one rule a line, `verbs groups resources...` or `verbs /path...`.

Verbs and groups are joined by commas; `read`, `write`, `rw` and `edit` stand for several verbs, `core` for the group
"". `resource=name` limits a rule to names. `events` alone is the rule for writing events. Everything is sorted, as
Kubernetes has it.
"""

from __future__ import annotations

from skerry.engine.api.auth.rbac.rules import Rule

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_VERBS = {"read": _READ, "write": _WRITE, "rw": (*_READ, *_WRITE), "edit": (*_READ, "patch", "update")}
_EVENTS = Rule(("create", "patch", "update"), ("", "events.k8s.io"), ("events",))


def rules(text: str) -> tuple[Rule, ...]:
    """The rules of a text."""
    return tuple(_rule(line.split()) for line in text.splitlines() if line.strip())


def _rule(words: list[str]) -> Rule:
    if words == ["events"]:
        return _EVENTS
    verbs = tuple(sorted({verb for word in words[0].split(",") for verb in _VERBS.get(word, (word,))}))
    if words[1].startswith("/") or len(words) == 2:
        return Rule(verbs, urls=tuple(sorted(words[1:])))
    groups = tuple(sorted("" if group == "core" else group for group in words[1].split(",")))
    resources: set[str] = set()
    names: set[str] = set()
    for word in words[2:]:
        resource, _, name = word.partition("=")
        resources.add(resource)
        names.update([name] if name else ())
    return Rule(verbs, groups, tuple(sorted(resources)), tuple(sorted(names)))
