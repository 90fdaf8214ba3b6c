"""Kubernetes 1.36's own kinds, one file (or folder) per API group.

`builtin_kinds` gives them in discovery order. Kinds that no controller of Skerry acts on yet are stored and served
like any other; docs/limits.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.contract import Kind


def builtin_kinds() -> Iterator[Kind]:
    """All built-in kinds, the core group first."""
    from skerry.engine.schema.kinds import (
        admissionregistration,
        apiextensions,
        apiregistration,
        apps,
        authentication,
        authorization,
        autoscaling,
        batch,
        certificates,
        coordination,
        core,
        discovery,
        events,
        flowcontrol,
        networking,
        node,
        policy,
        rbac,
        scheduling,
        storage,
    )

    for group in (
        core, apiregistration, apps, authentication, authorization, autoscaling, batch, certificates, networking,
        policy, rbac, storage, admissionregistration, apiextensions, scheduling, coordination, node, discovery,
        events, flowcontrol,
    ):  # fmt: skip
        yield from group.KINDS
