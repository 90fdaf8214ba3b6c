"""What a CustomResourceDefinition must be like. Fields are named as Kubernetes' internal version names them.

Kubernetes checks a schema (or subresources, or columns) that all versions share once, at `spec.validation`; only where
versions differ is each checked at its own place. Source: `pkg/apis/apiextensions/validation/validation.go`. Neighbours:
`schema_rules` (schemas), `conversion_rules`, `version_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.causes import immutable, invalid, not_supported, required
from skerry.engine.schema.custom.approval import ANNOTATION, approval_of, is_protected
from skerry.engine.schema.custom.conversion_rules import check_conversion
from skerry.engine.schema.custom.version_rules import check_versions
from skerry.kube.conditions import condition_is_true
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


def check_definition(new: Obj, old: Obj | None) -> Iterator[Cause]:
    """What is wrong with a definition; `old` is what it replaces."""
    spec = new.get("spec") or {}
    yield from _check_name(new, spec)
    yield from _check_spec(spec, None if old is None else old["spec"], new)
    if old is not None:
        yield from _check_fixed(spec, old)
    yield from _check_names((new.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames")
    yield from _check_stored((new.get("status") or {}).get("storedVersions") or [], spec.get("versions") or [])
    yield from _check_approval(new, old)
    if spec.get("preserveUnknownFields") and not (old or {}).get("spec", {}).get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, why)


def _check_name(obj: Obj, spec: Obj) -> Iterator[Cause]:
    name = obj["metadata"].get("name")
    if name and name != f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


def _check_spec(spec: Obj, old: Obj | None, obj: Obj) -> Iterator[Cause]:
    yield from _check_group(spec.get("group") or "")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    yield from check_versions(spec, old)
    wanted = spec.get("names") or {}
    for part in ("plural", "singular", "kind", "listKind"):
        if not wanted.get(part):
            yield required(f"spec.names.{part}")
    yield from _check_names(wanted, "spec.names")
    yield from check_conversion(spec, strict_bundle=old is not None and condition_is_true(obj, "Established"))


def _check_group(group: str) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
    elif complaint := names.subdomain(group):
        yield invalid("spec.group", group, complaint)
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _check_names(given: Obj, field: str) -> Iterator[Cause]:
    mixed = "may have mixed case, but should otherwise match: "
    for part, prefix in (("plural", ""), ("singular", ""), ("kind", mixed), ("listKind", mixed)):
        name = given.get(part) or ""
        checked = name.lower() if prefix else name
        if name and (complaint := names.dns1035(checked)):
            yield invalid(f"{field}.{part}", name, prefix + complaint)
    for index, name in enumerate(given.get("shortNames") or ()):
        if complaint := names.dns1035(name):
            yield invalid(f"{field}.shortNames[{index}]", name, complaint)
    if given.get("kind") and given["kind"] == given.get("listKind"):
        yield invalid(f"{field}.listKind", given["listKind"], "kind and listKind may not be the same")
    for index, name in enumerate(given.get("categories") or ()):
        if complaint := names.dns1035(name):
            yield invalid(f"{field}.categories[{index}]", name, complaint)


def _check_fixed(spec: Obj, old: Obj) -> Iterator[Cause]:
    """Plural and group name the objects; scope and kind are fixed once they are served."""
    before: Obj = old["spec"]
    fixed: list[tuple[str, Any, Any]] = []
    if condition_is_true(old, "Established"):
        fixed.append(("spec.scope", spec.get("scope"), before.get("scope")))
        fixed.append(("spec.names.kind", (spec.get("names") or {}).get("kind"), before["names"].get("kind")))
    fixed.append(("spec.group", spec.get("group"), before.get("group")))
    fixed.append(("spec.names.plural", (spec.get("names") or {}).get("plural"), before["names"].get("plural")))
    yield from (immutable(field, now) for field, now, then in fixed if now != then)


def _check_stored(stored: list[str], versions: list[Obj]) -> Iterator[Cause]:
    field = "status.storedVersions"
    if not stored:
        yield invalid(field, stored, "must have at least one stored version")
        return
    listed = {version.get("name") for version in versions}
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield invalid(field, stored, f"must have the storage version {version.get('name')}")
    for index, name in enumerate(stored):
        if name not in listed:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                "spec.versions until a storage migration ensures no data remains persisted in "
                f"{name} and removes {name} from status.storedVersions"
            )
            yield invalid(f"{field}[{index}]", name, why)


def _check_approval(new: Obj, old: Obj | None) -> Iterator[Cause]:
    if not is_protected((new.get("spec") or {}).get("group") or ""):
        return
    now = approval_of(new)
    if old is not None and approval_of(old).reason == now.reason:
        return
    field = f"metadata.annotations[{ANNOTATION}]"
    if now.reason == "MissingAnnotation":
        yield required(field, now.message)
    elif now.reason == "InvalidAnnotation":
        yield invalid(field, new["metadata"]["annotations"][ANNOTATION], now.message)
