"""The admission chain: plug-ins in order, each may change the object (before validation) or refuse the write.

Source of the idea: Kubernetes' `apiserver/pkg/admission`. A plug-in is a function; it runs for creations, updates
and deletions alike and looks at `operation` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from skerry.engine.api.request import Target, User
from skerry.kube.objects import Obj

Operation = Literal["CREATE", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """The write as admission sees it. `new` is private to the request and may be changed in place; None for DELETE.
    `old` is shared; None for CREATE."""

    operation: Operation
    target: Target
    user: User
    new: Obj | None
    old: Obj | None
    dry_run: bool = False


Plugin: TypeAlias = Callable[[Attributes], None]
"""Returns to let the write go on; raises a StatusError to refuse it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Plug-ins, run in order."""

    plugins: Sequence[Plugin] = ()

    def admit(self, attributes: Attributes) -> None:
        """Run all plug-ins. Raises what the first to refuse raises."""
        for plugin in self.plugins:
            plugin(attributes)
