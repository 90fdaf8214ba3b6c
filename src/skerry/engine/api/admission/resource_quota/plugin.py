"""ResourceQuota: a write that would use more than a quota of its namespace allows is refused.

Quotas are held to their `spec.hard` from the moment they are stored; `status` is a controller's report. Source:
Kubernetes' `apiserver/pkg/admission/plugin/resourcequota/controller.go` (CheckRequest).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.api.admission.resource_quota.ledger import Held, Ledger
from skerry.engine.store.contract import Key, Store
from skerry.kube.clock import Clock
from skerry.kube.objects import Obj, name_of
from skerry.kube.quota.amounts import Amount, Amounts, added, amounts, listed, only, reduced
from skerry.kube.quota.scopes import scopes_of, within
from skerry.kube.quota.usage import NEVER_COUNTED, counted_names, missing, usage

_CHANGING = frozenset({"services", "persistentvolumeclaims"})
"""Whose updates may use more than before; of pods those through `resize` may."""


def resource_quota(store: Store, clock: Clock) -> Plugin:
    """The plug-in. A namespace without quotas costs a look at their number."""
    ledger = Ledger(store, clock)

    def validate(attributes: Attributes) -> None:
        target = attributes.target
        resource = attributes.resource
        resized = resource == "pods" and target.subresource == "resize"
        if (target.subresource and not resized) or not target.namespace:
            return
        if resource in NEVER_COUNTED or not store.count("resourcequotas", target.namespace):
            return
        if attributes.operation == "UPDATE" and resource not in _CHANGING and not resized:
            return
        quotas = [entry.shared() for entry in store.list("resourcequotas", target.namespace)]
        _charge(attributes, quotas, ledger, clock)

    return Plugin("ResourceQuota", validate=validate, operations=WRITES)


def _charge(attributes: Attributes, quotas: Iterable[Obj], ledger: Ledger, clock: Clock) -> None:
    """Refuse the write or hold what it uses."""
    resource, new, old = attributes.resource, attributes.obj, attributes.old
    concerned = [
        (quota, names)
        for quota in quotas
        if (names := counted_names(resource, (quota.get("spec") or {}).get("hard") or {}))
        and within(scopes_of(quota), resource, new)
    ]
    if not concerned:
        return
    if resource == "pods":
        _check_explicit(attributes, concerned)
    adds: dict[str, Amount] = usage(resource, new, clock.now())
    if old is not None:
        adds = reduced(adds, usage(resource, old, clock.now()))
    adds = {name: value for name, value in adds.items() if value.value > 0}  # who uses less may, even of too much
    if not adds:
        return
    own, namespace = id(attributes), attributes.target.namespace
    for quota, names in concerned:
        used = ledger.used(resource, namespace, scopes_of(quota), own)
        _check(attributes, quota, only(adds, names), used)
    before = int(old["metadata"]["resourceVersion"]) if old is not None else 0
    ledger.hold(own, Held(Key(resource, namespace, attributes.target.name), before, new, adds))
    attributes.afterwards.append(partial(ledger.release, own, resource, namespace))


def _check_explicit(attributes: Attributes, concerned: Iterable[tuple[Obj, list[str]]]) -> None:
    for quota, names in concerned:
        if complaint := missing(attributes.obj, names):
            raise refused(attributes, f"failed quota: {name_of(quota)}: {complaint}")


def _check(attributes: Attributes, quota: Obj, requested: Amounts, used: Amounts) -> None:
    hard = amounts(quota["spec"]["hard"])
    wanted = added(only(used, requested), requested)
    over = [name for name in requested if wanted[name].value > hard[name].value]
    if over:
        shown = {name: used.get(name, requested[name]._replace(value=requested[name].value * 0)) for name in over}
        raise refused(
            attributes,
            f"exceeded quota: {name_of(quota)}, requested: {listed(only(requested, over))}, "
            f"used: {listed(shown)}, limited: {listed(only(hard, over))}",
        )
