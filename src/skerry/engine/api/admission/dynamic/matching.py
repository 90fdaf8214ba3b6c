"""Which requests a webhook or policy looks at: rules, equivalent versions, selectors on namespace and object.

Source: `apiserver/pkg/admission/plugin/webhook/predicates` and `.../policy/matching`. Neighbours: `configured`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Key, Store
from skerry.kube.errors import not_found
from skerry.kube.objects import Obj, labels_of
from skerry.kube.records import record
from skerry.kube.selectors import Selector, selector_of

GROUP = "admissionregistration.k8s.io"
"""What is configured here is never itself subject to it: a bad webhook must remain removable."""
REVIEWS = frozenset({
    "selfsubjectreviews.authentication.k8s.io", "tokenreviews.authentication.k8s.io",
    "localsubjectaccessreviews.authorization.k8s.io", "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io", "subjectaccessreviews.authorization.k8s.io",
})  # fmt: skip
"""What policies do not see: questions that change nothing."""

_MOST_CHOSEN = 10_000
"""Configurations that are gone are forgotten with the rest when it is full."""


@record
class Rule:
    """One rule; "*" matches all."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """Resource and subresource; of "pods" the latter is ""."""
    scope: str
    names: frozenset[str] = frozenset()
    """Of objects; none means all."""

    def matches(self, attributes: Attributes, kind: Kind) -> bool:
        """Whether it names this operation on this kind's version."""
        resource = kind.resource
        return (
            _has(self.operations, attributes.operation)
            and _has(self.groups, resource.group)
            and _has(self.versions, resource.version)
            and self._names_resource(resource.plural, attributes.target.subresource)
            and (self.scope == "*" or (self.scope == "Namespaced") == resource.namespaced)
            and (not self.names or attributes.name in self.names)
        )

    def _names_resource(self, plural: str, subresource: str) -> bool:
        return any(resource in ("*", plural) and wanted in ("*", subresource) for resource, wanted in self.resources)


def _has(values: frozenset[str], value: str) -> bool:
    return value in values or "*" in values


def rule_of(obj: Obj) -> Rule:
    """A rule as it is written."""
    parts = [resource.partition("/") for resource in obj.get("resources") or ()]
    return Rule(
        frozenset(obj.get("operations") or ()),
        frozenset(obj.get("apiGroups") or ()),
        frozenset(obj.get("apiVersions") or ()),
        tuple((resource, subresource) for resource, _, subresource in parts),
        obj.get("scope") or "*",
        frozenset(obj.get("resourceNames") or ()),
    )


@record
class Matcher:
    """What a webhook, policy or binding says about the requests it looks at."""

    rules: tuple[Rule, ...]
    excluded: tuple[Rule, ...]
    equivalent: bool
    namespaces: Selector
    objects: Selector
    unless_excluded: bool = False
    """Without rules every request that is not excluded matches (a binding's matchResources)."""

    __eq__ = object.__eq__  # as a key it is looked up several times in every write: by what it is, not what it says
    __hash__ = object.__hash__

    @property
    def names_objects(self) -> bool:
        """Whether rules look at names, so that two requests of the same kind may differ for it."""
        return any(rule.names for rule in (*self.rules, *self.excluded))


def matcher_of(obj: Obj, rules: str, excluded: str = "", *, unless_excluded: bool = False) -> Matcher:
    """The matcher an object describes in these lists of rules."""
    return Matcher(
        tuple(map(rule_of, obj.get(rules) or ())),
        tuple(map(rule_of, obj.get(excluded) or ())) if excluded else (),
        obj.get("matchPolicy") != "Exact",
        selector_of(obj.get("namespaceSelector")),
        selector_of(obj.get("objectSelector")),
        unless_excluded,
    )


class Matching:
    """Looks things up for matchers: other versions of a kind, labels of namespaces."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store, self._registry = store, registry
        self._generation = -1
        self._versions: dict[str, list[Kind]] = {}
        self._chosen: dict[tuple[Matcher, *tuple[str, ...]], Kind | None] = {}
        """What rules say: of a dozen webhooks and policies hardly one looks at a given write, and each is asked."""

    def kind_for(self, matcher: Matcher, attributes: Attributes) -> Kind | None:
        """The version of the object that a matcher wants to see; None when it does not look at this request. Raises
        NotFound when the namespace is missing."""
        kind = self._by_rules(matcher, attributes)
        if kind is None or not self._by_namespace(matcher.namespaces, attributes):
            return None
        return kind if _by_object(matcher.objects, attributes) else None

    def _by_rules(self, matcher: Matcher, attributes: Attributes) -> Kind | None:
        if self._generation != self._registry.generation or len(self._chosen) > _MOST_CHOSEN:
            self._generation, self._versions, self._chosen = self._registry.generation, {}, {}
        target = attributes.target
        resource = target.kind.resource
        key = (matcher, attributes.operation, resource.group, resource.version, resource.plural, target.subresource)
        if key in self._chosen:
            return self._chosen[key]
        kind = self._read_rules(matcher, attributes)
        if not matcher.names_objects:
            self._chosen[key] = kind
        return kind

    def _read_rules(self, matcher: Matcher, attributes: Attributes) -> Kind | None:
        kind = attributes.target.kind
        versions = self._equivalents(kind) if matcher.equivalent else [kind]
        if any(rule.matches(attributes, version) for rule in matcher.excluded for version in versions):
            return None
        if not matcher.rules and matcher.unless_excluded:
            return kind
        return next(
            (version for version in versions for rule in matcher.rules if rule.matches(attributes, version)), None
        )

    def _equivalents(self, kind: Kind) -> list[Kind]:
        """The kind itself, then what else is served from the same objects."""
        stored = kind.stored_as
        if stored not in self._versions:
            self._versions[stored] = [other for other in self._registry.kinds() if other.stored_as == stored]
        return [kind, *(other for other in self._versions[stored] if other.resource != kind.resource)]

    def _by_namespace(self, selector: Selector, attributes: Attributes) -> bool:
        if not selector.requirements:
            return True
        target = attributes.target
        if target.group_resource == "namespaces":
            if not target.subresource and attributes.operation != "DELETE":
                return selector.matches(labels_of(attributes.new or {}))
            return selector.matches(labels_of(self.namespace(target.name)))
        return not target.namespace or selector.matches(labels_of(self.namespace(target.namespace)))

    def namespace(self, name: str) -> Obj:
        """A namespace, shared. Raises NotFound."""
        entry = self._store.get(Key("namespaces", "", name))
        if entry is None:
            raise not_found("namespaces", name)
        return entry.shared()


def _by_object(selector: Selector, attributes: Attributes) -> bool:
    if not selector.requirements:
        return True
    return any(
        obj is not None and "metadata" in obj and selector.matches(labels_of(obj))
        for obj in (attributes.new, attributes.old)
    )


def is_excluded(attributes: Attributes) -> bool:
    """Whether neither webhooks nor policies see this request."""
    return attributes.target.kind.resource.group == GROUP
