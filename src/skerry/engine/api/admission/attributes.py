"""The write as admission sees it: what plug-ins read, change, and say to the client and the audit log.

Neighbours: `chain` (who runs the plug-ins), `engine.api.writing` and the verbs (who make one per attempt to write).
Source: Kubernetes' `apiserver/pkg/admission/attributes.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from skerry.engine.api.options import DeleteOptions, WriteOptions
from skerry.engine.api.request import Request, Target, User
from skerry.kube.objects import Obj, name_of

Operation: TypeAlias = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
Options: TypeAlias = WriteOptions | DeleteOptions
NO_OPTIONS = WriteOptions()
"""Of a CONNECT, which has none."""


@dataclass(slots=True)
class Attributes:
    """One attempt to write. `new` is private to the request, changed in place by mutating plug-ins, None for DELETE;
    `old` is shared, and None for CREATE and CONNECT. For a subresource with a body of its own both are that body: a
    Scale, Binding, Eviction, TokenRequest, PodExecOptions (which kind says their `kind`)."""

    operation: Operation
    request: Request
    target: Target
    """Its name is "" while a name from `generateName` is not yet made (mutating plug-ins at creation)."""
    new: Obj | None
    old: Obj | None
    options: Options
    reinvoke: bool = False
    """Set by a plug-in that was awaited and changed the object: all mutating plug-ins are to see it once more."""
    reinvoked: bool = False
    """Whether this is that second round."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What plug-ins remember between phases and rounds, by their name."""
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    """Called after the attempt, when what it stored (if anything) can be read: what was held for it is let go."""

    @property
    def obj(self) -> Obj:
        """`new`, for plug-ins that are not asked about deletions."""
        assert self.new is not None
        return self.new

    @property
    def user(self) -> User:
        """Who writes."""
        return self.request.who

    @property
    def dry_run(self) -> bool:
        """Whether nothing will be stored: nothing outside the object may be changed either."""
        return self.options.dry_run

    @property
    def resource(self) -> str:
        """ "pods", "deployments.apps": the subresource apart."""
        return self.target.kind.resource.group_resource

    @property
    def name(self) -> str:
        """The object's name, "" while it has none."""
        return self.target.name or (name_of(self.new) if self.new is not None else "")

    def finish(self) -> None:
        """Whoever made the attempt calls this at its end, whatever that was."""
        for call in self.afterwards:
            call()

    def warn(self, text: str) -> None:
        """Tell the client something (`Warning:` header), each text once."""
        if text not in self.request.warnings:
            self.request.warnings.append(text)

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation to the audit event of the request; the first value of a key stays."""
        self.request.annotations.setdefault(key, value)

    def default_again(self) -> None:
        """Fill in the kind's defaults after a change from outside (a webhook's patch)."""
        if self.new is not None and not self.target.subresource:
            self.target.kind.strategy.default(self.new)

    def options_object(self) -> Obj:
        """The CreateOptions, UpdateOptions or DeleteOptions, as a webhook is told; {} for CONNECT."""
        if self.operation == "CONNECT":
            return {}
        given = self.options
        kind = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}[self.operation]
        shown: Obj = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
        if given.dry_run:
            shown["dryRun"] = ["All"]
        return {**shown, **(_deletion(given) if isinstance(given, DeleteOptions) else _writing(given))}


def _writing(options: WriteOptions) -> Obj:
    given = {"fieldManager": options.field_manager, "fieldValidation": options.field_validation}
    return {key: value for key, value in given.items() if value}


def _deletion(options: DeleteOptions) -> Obj:
    preconditions = {"uid": options.uid, "resourceVersion": options.resource_version}
    given: Obj = {
        "gracePeriodSeconds": options.grace,
        "propagationPolicy": options.propagation or None,
        "preconditions": {key: value for key, value in preconditions.items() if value} or None,
    }
    return {key: value for key, value in given.items() if value is not None}
