"""The plug-in MutatingAdmissionWebhook: webhooks change the object one after the other, by name of configuration.

Who asks for it (`reinvocationPolicy: IfNeeded`) sees the object once more when somebody changed it afterwards. Source:
`apiserver/pkg/admission/plugin/webhook/mutating/{dispatcher,reinvocationcontext}.go`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Pending, Plugin
from skerry.engine.api.admission.dynamic.configured import Configured
from skerry.engine.api.admission.dynamic.matching import GROUP, Matching, is_excluded
from skerry.engine.api.admission.dynamic.patching import NotPatched, patched, replace
from skerry.engine.api.admission.dynamic.refusals import internal
from skerry.engine.api.admission.dynamic.versions import seen
from skerry.engine.api.admission.hooks.calling import Call
from skerry.engine.api.admission.hooks.hook import Hook, Invocation, hooks_of, wants
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.api.webhooks.client import WebhookClient
from skerry.engine.store.contract import Store

_NAME = "MutatingAdmissionWebhook"


@dataclass(slots=True)
class _Rounds:
    """What the first round leaves for the second."""

    invoked: set[tuple[str, str]] = field(default_factory=set)
    """Webhooks that want to be called again if somebody changes the object."""
    again: set[tuple[str, str]] = field(default_factory=set)
    """Of those, whom somebody has given reason to."""
    last: bytes = b""
    """The object after the last webhook of the round."""


def mutating_webhooks(store: Store, look: Matching, client: WebhookClient, decide: Authorizer) -> Plugin:
    """The plug-in, asking by `client`."""
    configured = Configured(store, f"mutatingwebhookconfigurations.{GROUP}", hooks_of)

    def mutate(attributes: Attributes) -> Pending:
        configurations = configured.current()
        if not configurations or is_excluded(attributes):
            return None
        hooks = tuple(hook for configuration in configurations for hook in configuration)
        if all(look.kind_for(hook.matcher, attributes) is None for hook in hooks):
            return None
        return _Mutating(attributes, look, client, decide).run(hooks)

    return Plugin(_NAME, mutate=mutate)


class _Mutating:
    """One round of mutating webhooks for one request."""

    def __init__(self, attributes: Attributes, look: Matching, client: WebhookClient, decide: Authorizer) -> None:
        self._attributes, self._look, self._client, self._decide = attributes, look, client, decide
        self._rounds: _Rounds = attributes.notes.setdefault(_NAME, _Rounds())

    async def run(self, hooks: tuple[Hook, ...]) -> None:
        """Call those that look at the request, in order. Raises what refuses it."""
        if self._attributes.reinvoked and _bytes(self._attributes.new) != self._rounds.last:
            self._require_again()  # a plug-in between has changed it
        for hook in hooks:
            if self._attributes.reinvoked and hook.identity not in self._rounds.again:
                continue
            kind = self._look.kind_for(hook.matcher, self._attributes)
            if kind is not None and await wants(hook, kind, self._attributes, self._decide):
                await self._call(Invocation(hook, kind))
        self._rounds.last = _bytes(self._attributes.new)

    async def _call(self, one: Invocation) -> None:
        changed = await self._ask(one)
        self._annotate(one.hook, changed)
        if changed:
            self._require_again()
            self._attributes.reinvoke = True
        if one.hook.reinvocable:
            self._rounds.invoked.add(one.hook.identity)

    def _require_again(self) -> None:
        self._rounds.again |= self._rounds.invoked
        self._rounds.invoked.clear()

    async def _ask(self, one: Invocation) -> bool:
        """Whether it changed the object."""
        objects = await seen(self._attributes, one.kind)
        verdict = await Call(one.hook, one.kind, self._attributes, mutating=True).verdict(self._client, objects)
        if verdict is None or not verdict.patch:
            return False
        if objects[0] is None:
            why = f'admission webhook "{one.hook.name}" attempted to modify the object, which is not supported for '
            raise internal(f"{why}this operation")
        try:
            return await replace(self._attributes, patched(objects[0], verdict.patch), one.kind)
        except NotPatched as error:
            raise internal(str(error)) from None

    def _annotate(self, hook: Hook, changed: bool) -> None:
        key = f"mutation.webhook.admission.k8s.io/round_{int(self._attributes.reinvoked)}_index_{hook.place}"
        value = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
        self._attributes.annotate(key, orjson.dumps(value).decode())


def _bytes(obj: Any) -> bytes:
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
