"""Users and Groups have the object name that their name makes: one of another name would be overlooked, and somebody
would believe that it disables a person."""

from __future__ import annotations

from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.kinds import GROUP, VERSION
from skerry.platform.identity.naming import object_name


def naming_hook() -> Hook:
    """Judges new ones; names never change."""
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "resources": ["users", "groups"],
        "operations": ["CREATE"],
        "scope": "Cluster",
    }
    return Hook(name="identity-names", judge=_judge, rules=[rule], more={"sideEffects": "None"})


async def _judge(review: Review) -> Verdict:
    return judged(review)


def judged(review: Review) -> Verdict:
    """Pure."""
    field = "username" if review.plural == "users" else "name"
    name = review.object["spec"][field]
    wanted = object_name(name)
    given = review.object["metadata"].get("name") or review.name
    if given == wanted:
        return ADMITTED
    return Verdict(
        f"metadata.name must be {wanted!r}, which stands for spec.{field} {name!r}: one person or group has one object",
        code=422,
        reason="Invalid",
    )
