"""What a Project's condition `Ready` says, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.platform.base.status import Condition
from skerry.platform.projects.types import PROJECT_LABEL


def ready_or_taken(taken: Sequence[str], going: Sequence[str]) -> Condition:
    """`taken`: namespaces it names that are not its own; `going`: those that are being deleted."""
    if taken:
        names = ", ".join(taken)
        return _not(
            "NamespaceTaken",
            f"{names}: there is a namespace of that name that is not this project's. An operator hands it over by the "
            f"label {PROJECT_LABEL}, or spec.namespaces names another",
        )
    if going:
        return _not("NamespaceDeleting", f"{', '.join(going)}: being deleted; what is to stay is made again afterwards")
    return Condition("Ready", True, "Ready", "its namespaces can be used")


def no_tier(name: str, known: Sequence[str]) -> Condition:
    """It cannot be judged what it may have."""
    return _not("TierMissing", f"there is no tier {name}: an operator makes it, or sets spec.tier to {_or(known)}")


def not_applied(message: str) -> Condition:
    """The API refused something."""
    return _not("NotApplied", f"something it needs was refused, and is tried again: {message}")


def going(namespaces: Sequence[str]) -> Condition:
    """It is being deleted."""
    return _not("Deleting", f"with everything in its namespaces: {', '.join(namespaces)}")


def _not(reason: str, message: str) -> Condition:
    return Condition("Ready", False, reason, message)


def _or(names: Sequence[str]) -> str:
    return " or ".join(names) or "another"
