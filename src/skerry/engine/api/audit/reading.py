"""From a policy file to `AuditPolicy`. Source: Kubernetes' `apiserver/pkg/apis/audit/validation/validation.go`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from skerry.engine.api.audit.policy import LEVELS, STAGES, AuditPolicy, AuditRule, Level, Resources, Verdict
from skerry.engine.api.auth.oidc.fields import Fields

_API_VERSION = "audit.k8s.io/v1"


class PolicyError(Exception):
    """The policy cannot be used; one line per complaint, each a person can act on."""


def read_policy(path: Path) -> AuditPolicy:
    """The policy in a file. Raises PolicyError."""
    try:
        return parse_policy(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the audit policy {path} cannot be read: {error}") from None
    except PolicyError as error:
        raise PolicyError(f"the audit policy {path} cannot be used: {error}") from None


def parse_policy(text: str) -> AuditPolicy:
    """The policy in a text (YAML or JSON). Raises PolicyError."""
    import yaml

    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PolicyError(f"not valid YAML: {error}") from None
    root = Fields(loaded, "", [])
    if root.text("apiVersion") != _API_VERSION or root.text("kind") != "Policy":
        raise PolicyError(f"must be a Policy of {_API_VERSION}")
    root.below("metadata")
    omitted, managed = _stages(root), root.flag("omitManagedFields")
    rules = tuple(_rule(fields, omitted, managed) for fields in root.each("rules"))
    root.done()
    if not rules and not root.complaints:
        root.complain("rules", "a policy needs at least one rule")
    if root.complaints:
        raise PolicyError("\n".join(root.complaints))
    return AuditPolicy(rules)


def _rule(fields: Fields, omitted: frozenset[str], managed: bool) -> AuditRule:
    text = fields.text("level")
    if not text:
        fields.complain("level", "Required value")
    elif text not in LEVELS:
        supported = ", ".join(f'"{level}"' for level in sorted(LEVELS))
        fields.complain("level", f'Unsupported value: "{text}": supported values: {supported}')
    level = Level(LEVELS.index(text)) if text in LEVELS else Level.NONE
    without = fields.flag("omitManagedFields")
    if not fields.has("omitManagedFields"):
        without = managed
    rule = AuditRule(
        verdict=Verdict(level, omitted | _stages(fields), without),
        users=tuple(fields.texts("users")),
        groups=tuple(fields.texts("userGroups")),
        verbs=tuple(fields.texts("verbs")),
        resources=tuple(_resources(fields)),
        namespaces=tuple(fields.texts("namespaces")),
        urls=tuple(fields.texts("nonResourceURLs")),
    )
    _check_urls(fields, rule)
    fields.done()
    return rule


def _stages(fields: Fields) -> frozenset[str]:
    stages = fields.texts("omitStages")
    for stage in stages:
        if stage not in STAGES:
            fields.complain("omitStages", f'Invalid value: "{stage}": allowed stages are {",".join(STAGES)}')
    return frozenset(stages)


def _resources(fields: Fields) -> Iterator[Resources]:
    for each in fields.each("resources"):
        found = Resources(each.text("group"), tuple(each.texts("resources")), tuple(each.texts("resourceNames")))
        if "/" in found.group:
            each.complain("group", f'Invalid value: "{found.group}": a group is named without its version')
        if found.names and not found.resources:
            each.complain("resourceNames", "using resourceNames requires at least one resource")
        each.done()
        yield found


def _check_urls(fields: Fields, rule: AuditRule) -> None:
    for url in rule.urls:
        if url != "*" and not url.startswith("/"):
            fields.complain("nonResourceURLs", f"\"{url}\": non-resource URL rules must begin with a '/' character")
        elif "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            fields.complain("nonResourceURLs", f'"{url}": {why}')
    if rule.urls and (rule.resources or rule.namespaces):
        fields.complain("nonResourceURLs", "rules cannot apply to both regular resources and non-resource URLs")
