"""The plug-in ValidatingAdmissionWebhook: all webhooks that look at a request are asked at once; one no suffices."""

from __future__ import annotations

import asyncio

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Pending, Plugin
from skerry.engine.api.admission.dynamic.configured import Configured
from skerry.engine.api.admission.dynamic.matching import GROUP, Matching, is_excluded
from skerry.engine.api.admission.dynamic.versions import seen
from skerry.engine.api.admission.hooks.calling import Call
from skerry.engine.api.admission.hooks.hook import Invocation, hooks_of, matching, wants
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.api.webhooks.client import WebhookClient
from skerry.engine.store.contract import Store


def validating_webhooks(store: Store, look: Matching, client: WebhookClient, decide: Authorizer) -> Plugin:
    """The plug-in, asking by `client`."""
    configured = Configured(store, f"validatingwebhookconfigurations.{GROUP}", hooks_of)

    def validate(attributes: Attributes) -> Pending:
        configurations = configured.current()
        if not configurations or is_excluded(attributes):
            return None
        hooks = tuple(hook for configuration in configurations for hook in configuration)
        chosen = matching(hooks, attributes, look)
        return _ask_all(chosen, attributes, client, decide) if chosen else None

    return Plugin("ValidatingAdmissionWebhook", validate=validate)


async def _ask_all(chosen: list[Invocation], attributes: Attributes, client: WebhookClient, decide: Authorizer) -> None:
    """Raises what the first of them, in order, refuses with; the others are not waited for longer than they take."""
    wanted = [one for one in chosen if await wants(one.hook, one.kind, attributes, decide)]
    results = await asyncio.gather(*(_ask(one, attributes, client) for one in wanted), return_exceptions=True)
    for result in results:
        if result is not None:
            raise result


async def _ask(one: Invocation, attributes: Attributes, client: WebhookClient) -> None:
    objects = await seen(attributes, one.kind)
    await Call(one.hook, one.kind, attributes, mutating=False).verdict(client, objects)
