"""The admission chain: plug-ins in Kubernetes' order, in two phases around the rules of the kind.

*Mutating*: after the defaults, before the kind's strategy and its rules; may change the object. At its end what must be
unique is handed out (`allocate`). *Validating*: after the rules, right before the write; may only refuse. Both run for
CREATE, UPDATE, DELETE and CONNECT, subresources included. Which plug-ins look at a resource is worked out once per
resource, so that a write walks only those that have a say. A step that has nothing to wait for answers at once: a
write awaits only what asks for it. Source: Kubernetes' `apiserver/pkg/admission` and its
options/plugins.go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from skerry.engine.api.admission.attributes import Attributes, Operation
from skerry.kube.records import record

Pending: TypeAlias = Awaitable[None] | None
"""What a step answers: None, it is done; otherwise what has to be awaited before the next step."""
Step: TypeAlias = Callable[[Attributes], Pending]
"""Returns to let the write go on; raises (at once or when awaited) a StatusError to refuse it."""

ALL_OPERATIONS: frozenset[Operation] = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})
WRITES: frozenset[Operation] = frozenset({"CREATE", "UPDATE"})
CREATE: frozenset[Operation] = frozenset({"CREATE"})


@record
class Plugin:
    """One plug-in. `resources`: what it looks at, as "pods", "pods/exec", "deployments.apps"; None: everything."""

    name: str
    """Kubernetes' name for it ("LimitRanger")."""
    mutate: Step | None = None
    validate: Step | None = None
    allocate: Callable[[Attributes], None] | None = None
    """Hands out what must be unique, when nothing will change the object any more; repeated for a further round."""
    resources: frozenset[str] | None = None
    operations: frozenset[Operation] = ALL_OPERATIONS

    def looks_at(self, operation: Operation, resource: str) -> bool:
        """Whether it has a say in an operation on "pods" or "pods/exec"."""
        return operation in self.operations and (self.resources is None or resource in self.resources)


class _Steps(NamedTuple):
    mutating: Sequence[Step]
    allocating: Sequence[Callable[[Attributes], None]]
    validating: Sequence[Step]


class Chain:
    """Plug-ins, in order."""

    def __init__(self, plugins: Iterable[Plugin] = ()) -> None:
        self.plugins = tuple(plugins)
        self._chosen: dict[tuple[Operation, str, str], _Steps] = {}

    def mutate(self, attributes: Attributes) -> Pending:
        """The first phase. None: it is over; otherwise to be awaited. Raises what the first to refuse raises."""
        steps = self._steps(attributes)
        pending = _run(steps.mutating, attributes)
        if pending is not None:
            return _finish_mutating(pending, steps, attributes)
        for allocate in steps.allocating:
            allocate(attributes)
        return None

    def validate(self, attributes: Attributes) -> Pending:
        """The second phase, as `mutate`."""
        return _run(self._steps(attributes).validating, attributes)

    async def admit(self, attributes: Attributes) -> None:
        """Both phases, where nothing happens between them (deletions, connections, bindings)."""
        if (pending := self.mutate(attributes)) is not None:
            await pending
        if (pending := self.validate(attributes)) is not None:
            await pending

    def _steps(self, attributes: Attributes) -> _Steps:
        target = attributes.target
        key = (attributes.operation, target.kind.resource.group_resource, target.subresource)
        steps = self._chosen.get(key)
        return self._choose(key) if steps is None else steps

    def _choose(self, key: tuple[Operation, str, str]) -> _Steps:
        operation, resource, subresource = key
        asked = f"{resource}/{subresource}" if subresource else resource
        plugins = [plugin for plugin in self.plugins if plugin.looks_at(operation, asked)]
        steps = self._chosen[key] = _Steps(
            [plugin.mutate for plugin in plugins if plugin.mutate is not None],
            [plugin.allocate for plugin in plugins if plugin.allocate is not None],
            [plugin.validate for plugin in plugins if plugin.validate is not None],
        )
        return steps


def _run(steps: Sequence[Step], attributes: Attributes) -> Pending:
    """Run steps until one has to be waited for; the rest follows it."""
    for index, step in enumerate(steps):
        if (pending := step(attributes)) is not None:
            return _run_rest(pending, steps[index + 1 :], attributes)
    return None


async def _run_rest(pending: Awaitable[None], steps: Sequence[Step], attributes: Attributes) -> None:
    await pending
    for step in steps:
        if (more := step(attributes)) is not None:
            await more


async def _finish_mutating(pending: Awaitable[None], steps: _Steps, attributes: Attributes) -> None:
    """A change by a webhook may give all plug-ins a second, last round (reinvocation); only who waits changes so."""
    await pending
    if attributes.reinvoke:
        attributes.reinvoked = True
        if (again := _run(steps.mutating, attributes)) is not None:
            await again
    for allocate in steps.allocating:
        allocate(attributes)
