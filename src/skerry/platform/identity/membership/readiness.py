"""Whether people can sign in at a provider: looked at now and then, and when somebody had no answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import name_of
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.membership.source import Source
from skerry.platform.identity.types import IDENTITY_PROVIDERS, IdentityProviderSpec
from skerry.platform.identity.vouching import ProviderDown

log = logging.getLogger(__name__)

_INTERVAL, _AGAIN = 300.0, 30.0


class ReadinessController(Controller):
    """One IdentityProvider at a time."""

    name = "identity-providers"
    workers = 2

    def __init__(self, context: Context, sources: Mapping[str, Source]) -> None:
        super().__init__()
        self._client, self._clock, self._sources = context.client, context.clock, sources
        self._providers = context.informers.of(IDENTITY_PROVIDERS)
        self._providers.add_handler(self._changed)

    async def reconcile(self, key: str) -> float | None:
        """Try it, and say so. Returns when to look again."""
        found = self._providers.get(key)
        if found is None:
            return None
        provider = Provider(key, IdentityProviderSpec.of(found["spec"]))
        condition = await self._condition(provider)
        if not condition.is_true and condition_is_true(found, "Ready"):
            log.warning("%s: nobody can sign in, and nothing new is known of who did: %s", key, condition.message)
        fields = {"lastContact": rfc3339(self._clock.now())} if condition.reason == "Answers" else {}
        await write_status(self._client, self._clock, IDENTITY_PROVIDERS, found, (condition,), **fields)
        return _INTERVAL if condition.is_true else _AGAIN

    async def _condition(self, provider: Provider) -> Condition:
        if provider.spec.disabled:
            return Condition("Ready", False, "Disabled", "nobody can sign in here: spec.disabled")
        source = self._sources.get(provider.spec.type)
        if source is None:
            return Condition("Ready", True, "Local", "people sign in with a password that is kept here")
        try:
            return Condition("Ready", True, "Answers", await source.ready(provider))
        except ProviderDown as error:
            return Condition("Ready", False, "NoAnswer", str(error))
        except ValueError as error:
            return Condition("Ready", False, "BadSettings", str(error))

    def _changed(self, delta: Delta) -> None:
        """Not for what we write ourselves."""
        if delta.old is None or delta.new is None or delta.old["spec"] != delta.new["spec"]:
            self.queue.add(name_of(delta.object))
