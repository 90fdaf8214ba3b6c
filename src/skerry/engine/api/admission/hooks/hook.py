"""One webhook of a configuration, compiled, and whether it wants to be called for a request.

Source: `apiserver/pkg/admission/plugin/webhook/generic/webhook.go` (ShouldCallHook). Neighbours: `review`, `calling`.
"""

from __future__ import annotations

from typing import NamedTuple

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.evaluation import ConditionsFailed, conditions_hold, values_of
from skerry.engine.api.admission.dynamic.matching import Matcher, Matching, matcher_of
from skerry.engine.api.admission.dynamic.versions import seen
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.cel.contract import Budget
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import WEBHOOK
from skerry.kube.errors import forbidden
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record


@record
class Hook:
    """A webhook. `place`: its number among those of its configuration."""

    configuration: str
    place: int
    name: str
    obj: Obj
    matcher: Matcher

    @property
    def identity(self) -> tuple[str, str]:
        """What it is told apart by."""
        return self.configuration, self.name

    @property
    def fails_open(self) -> bool:
        """Whether the request goes on when the webhook cannot be asked."""
        return bool(self.obj.get("failurePolicy") == "Ignore")

    @property
    def reinvocable(self) -> bool:
        """Whether it wants to see what others changed after it."""
        return bool(self.obj.get("reinvocationPolicy") == "IfNeeded")


class Invocation(NamedTuple):
    """A webhook that is to be called, and the version of the object it asked for."""

    hook: Hook
    kind: Kind


def hooks_of(configuration: Obj) -> tuple[Hook, ...]:
    """The webhooks of a configuration, in order."""
    return tuple(
        Hook(name_of(configuration), place, hook["name"], hook, matcher_of(hook, "rules"))
        for place, hook in enumerate(configuration.get("webhooks") or ())
    )


async def wants(hook: Hook, kind: Kind, attributes: Attributes, decide: Authorizer) -> bool:
    """Whether the match conditions of a webhook that matches let it be called. Raises Forbidden when they fail."""
    conditions = hook.obj.get("matchConditions")
    if not conditions:
        return True
    values = values_of(attributes, kind, await seen(attributes, kind), decide)
    try:
        return conditions_hold(conditions, WEBHOOK, values, Budget())
    except ConditionsFailed as failure:
        if hook.fails_open:
            return False
        raise forbidden(attributes.resource, attributes.name, str(failure)) from None


def matching(hooks: tuple[Hook, ...], attributes: Attributes, look: Matching) -> list[Invocation]:
    """Those whose rules and selectors a request meets."""
    return [Invocation(hook, kind) for hook in hooks if (kind := look.kind_for(hook.matcher, attributes)) is not None]
